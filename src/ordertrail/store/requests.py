"""The log of API calls as rows: bounded in number and age."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ordertrail.kit import clock
from ordertrail.kit.database import Tx
from ordertrail.store import ids, sql

_ADD = sql.insert("requests", "id at method path status duration_micros key_id request_id problem")
TRIM_EVERY = 100
_TRIM = "DELETE FROM requests WHERE workspace_id = :workspace_id AND id <= :last"
_TRIM_OLD = (
    "DELETE FROM requests WHERE workspace_id = :workspace_id"
    " AND id < (SELECT coalesce(min(id), :last) FROM"
    " (SELECT id FROM requests WHERE workspace_id = :workspace_id AND at >= :since"
    " ORDER BY id LIMIT 1))"
)


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


def append(
    tx: Tx, workspace_id: int, requests: Sequence[Request], *, rows_max: int, age_max: timedelta
) -> None:
    """Write the calls; now and then drop what is beyond `rows_max` or older than `age_max`."""
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
    if numbers[-1] // TRIM_EVERY > (numbers[0] - 1) // TRIM_EVERY:
        since = clock.to_micros(requests[-1].at - age_max)
        tx.run(_TRIM, workspace_id=workspace_id, last=numbers[-1] - rows_max)
        tx.run(_TRIM_OLD, workspace_id=workspace_id, since=since, last=numbers[-1])
