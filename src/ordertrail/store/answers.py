"""What writes with an idempotency key were answered, as rows."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from ordertrail.kit import clock, json
from ordertrail.kit.database import Reader, Tx
from ordertrail.store import sql

_BY_KEY = sql.rows(
    "a.operation_key, a.fingerprint, a.status, a.body, json(a.warnings)",
    "@list(keys text) j CROSS JOIN answers a"
    " WHERE a.workspace_id = :workspace_id AND a.operation_key = j.value",
)
_ADD = sql.insert("answers", "operation_key fingerprint status body warnings created_at")
_OLDEST = (
    "SELECT created_at FROM answers @by(answers_age) WHERE workspace_id = :workspace_id"
    " ORDER BY created_at LIMIT 1"
)
_FORGET = (
    "DELETE FROM answers WHERE workspace_id = :workspace_id AND operation_key IN"
    " (SELECT operation_key FROM answers @by(answers_age)"
    " WHERE workspace_id = :workspace_id AND created_at < :before"
    " ORDER BY created_at LIMIT :rows_max) RETURNING created_at"
)


@dataclass(frozen=True, slots=True)
class Remembered:
    """What a request was answered: `body` is JSON, `fingerprint` tells it from other requests."""

    operation_key: str
    fingerprint: str
    status: int
    body: str
    warnings: tuple[str, ...] = ()


def by_keys(reader: Reader, workspace_id: int, keys: Collection[str]) -> dict[str, Remembered]:
    """Return what is remembered of requests with these keys."""
    found = reader.rows(_BY_KEY, workspace_id=workspace_id, keys=list(keys)) if keys else []
    return {
        key: Remembered(key, fingerprint, status, body, tuple(warnings))
        for key, fingerprint, status, body, warnings in found
    }


def add(tx: Tx, workspace_id: int, answers: Sequence[Remembered], at: datetime) -> None:
    """Remember answers."""
    if answers:
        moment = clock.to_micros(at)
        rows = [
            [a.operation_key, a.fingerprint, a.status, a.body, json.dumps(a.warnings), moment]
            for a in answers
        ]
        tx.run(_ADD, workspace_id=workspace_id, rows=rows)


def are_older(reader: Reader, workspace_id: int, before: datetime) -> bool:
    """Tell whether there are answers from before a time."""
    oldest = reader.fetch(_OLDEST, workspace_id=workspace_id)
    return bool(oldest) and oldest[0][0] < clock.to_micros(before)


def forget(tx: Tx, workspace_id: int, before: datetime, rows_max: int) -> int:
    """Forget the oldest answers from before a time, at most so many; return how many it were."""
    moment = clock.to_micros(before)
    return len(tx.fetch(_FORGET, workspace_id=workspace_id, before=moment, rows_max=rows_max))
