"""The log of API calls as rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ordertrail.kit import clock
from ordertrail.kit.database import Reader, Tx
from ordertrail.store import ids, sql

_ADD = sql.insert("requests", "id at method path status duration_micros key_id request_id problem")
_ENDS = "SELECT min(id), max(id) FROM requests WHERE workspace_id = :workspace_id"
_SINCE = (
    "SELECT id FROM requests WHERE workspace_id = :workspace_id AND at >= :since"
    " ORDER BY id LIMIT 1"
)
_REMOVE = "DELETE FROM requests WHERE workspace_id = :workspace_id AND id < :below"


@dataclass(frozen=True, slots=True)
class Request:
    """One answered API call; neither body nor token, and of the path no query."""

    at: datetime
    method: str
    path: str
    status: int
    duration_micros: int
    key_id: int | None
    request_id: str
    problem: str | None


def append(tx: Tx, workspace_id: int, requests: Sequence[Request]) -> None:
    """Write the calls."""
    numbers = list(ids.take(tx, workspace_id, request=len(requests))["request"])
    tx.run(
        _ADD,
        workspace_id=workspace_id,
        rows=[
            [
                number,
                clock.to_micros(each.at),
                each.method,
                each.path,
                each.status,
                each.duration_micros,
                each.key_id,
                each.request_id,
                each.problem,
            ]
            for number, each in zip(numbers, requests, strict=True)
        ],
    )


def beyond(
    reader: Reader, workspace_id: int, rows_max: int, since: datetime | None
) -> tuple[int, int]:
    """Return the oldest call's id, and the oldest of those to keep: the newest ones, not too old.

    The two are the same when there is nothing to remove.
    """
    [(first, last)] = reader.fetch(_ENDS, workspace_id=workspace_id)
    if first is None:
        return 0, 0
    kept = max(first, last - rows_max + 1)
    if since is None:
        return first, kept
    young = reader.fetch(_SINCE, workspace_id=workspace_id, since=clock.to_micros(since))
    return first, max(kept, young[0][0] if young else last + 1)


def remove(tx: Tx, workspace_id: int, below: int) -> None:
    """Remove the calls with smaller ids."""
    tx.run(_REMOVE, workspace_id=workspace_id, below=below)
