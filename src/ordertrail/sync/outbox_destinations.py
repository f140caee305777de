"""The outbox's rows of destinations: their numbers, and what all workers of one share."""

from collections.abc import Callable
from typing import TypeVar

from ordertrail.sync.outbox_sql import Reading, Writing

T = TypeVar("T")

_FIND = "SELECT id FROM ordertrail_destinations WHERE key = :destination"
_ADD = (
    "INSERT INTO ordertrail_destinations (key) SELECT d.key"
    " FROM (SELECT CAST(:destination AS text) AS key) d WHERE NOT EXISTS"
    " (SELECT 1 FROM ordertrail_destinations x WHERE x.key = d.key) ON CONFLICT DO NOTHING"
)
_ALL = "SELECT key FROM ordertrail_destinations ORDER BY id"
_LOCK = "SELECT shared FROM ordertrail_destinations WHERE id = :to @lock"
_SHARE = "UPDATE ordertrail_destinations SET shared = :shared WHERE id = :to"

_COUNT_DONE = (
    "UPDATE ordertrail_destinations SET pruned = pruned + (SELECT count(*)"
    " FROM ordertrail_operations o WHERE o.destination = ordertrail_destinations.id"
    " AND o.state = 'done' AND o.finished_at < :before)"
)
_DELETE_DONE = (
    "DELETE FROM ordertrail_operations WHERE state = 'done' AND finished_at < :before RETURNING id"
)


def find(sql: Reading, destination: str) -> int | None:
    """Return the number of a destination; None when nothing was ever accepted for it."""
    found = sql.fetch(_FIND, destination=destination)
    return int(found[0][0]) if found else None


def ensure(sql: Writing, destination: str) -> int:
    """Return the number of a destination, a new one if need be.

    It begins with a write, so that a transaction of SQLite takes its lock before it has read.
    """
    sql.run(_ADD, destination=destination)
    ((number,),) = sql.fetch(_FIND, destination=destination)
    return int(number)


def every(sql: Reading) -> list[str]:
    """Return every destination that an order was ever accepted for."""
    return [key for (key,) in sql.fetch(_ALL)]


def lock(sql: Writing, to: int) -> str:
    """Keep other workers of the destination out until the transaction ends; return the shared."""
    ((shared,),) = sql.fetch(_LOCK, to=to)
    return str(shared)


def share(sql: Writing, to: int, change: Callable[[str], tuple[str, T]]) -> T:
    """Change the text that all workers of the destination share, and return what came of it."""
    before = lock(sql, to)
    after, result = change(before)
    if after != before:
        sql.run(_SHARE, to=to, shared=after)
    return result


def prune(sql: Writing, before: int) -> int:
    """Delete what was done before, and keep how much that was; return it."""
    sql.run(_COUNT_DONE, before=before)
    return len(sql.fetch(_DELETE_DONE, before=before))
