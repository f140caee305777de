"""The outbox's rows of operations as accepting changes them: added, rewritten, taken back."""

from collections.abc import Collection, Sequence

from ordertrail.domain.journal import Origin
from ordertrail.kit import json
from ordertrail.sync.operations import Kind, Operation, State
from ordertrail.sync.outbox_orders import Shelf
from ordertrail.sync.outbox_sql import Reading, Row, Writing
from ordertrail.sync.unsent import Rewritten, Unsent

_OPEN = (
    "SELECT order_id, id, key, kind, method, path, body, state, attempts, is_unsure"
    " FROM ordertrail_operations WHERE destination = :to AND source = :source"
    " AND order_id @in(ids text) AND {where} ORDER BY id @lock"
)
_WAITING_OF = _OPEN.format(where="state = 'waiting' AND lane @in(lanes text)")
_PARKED_OF = _OPEN.format(where="state = 'parked'")
_ADD = (
    "INSERT INTO ordertrail_operations (destination, source, key, order_id, lane, step, kind,"
    " method, path, body, origin, state, is_unsure, created_at)"
    " SELECT CAST(:to AS bigint), CAST(:source AS text), key, order_id, lane, step, kind, method,"
    " path, body, CAST(:origin AS text), 'waiting', doubt, CAST(:now AS bigint)"
    " FROM @rows(key text, order_id text, lane text, step int, kind text, method text, path text,"
    " body text, doubt int) r WHERE true"
    " ON CONFLICT (destination, key) WHERE state <> 'done' DO NOTHING"
)
WAITS_AGAIN = (
    "state = 'waiting', reason = NULL, finished_at = NULL, due_at = 0, failing_since = NULL"
)
"""What is set on an operation that was given up, or had to wait, and is to be made next."""

_REWRITE = (
    "UPDATE ordertrail_operations SET key = r.new_key, path = r.new_path, body = r.new_body,"
    f" origin = :origin, attempts = 0, {WAITS_AGAIN}"
    " FROM @rows(number int, new_key text, new_path text, new_body text) r WHERE id = r.number"
)
_WITHDRAW = (
    "UPDATE ordertrail_operations SET state = 'done', body = '', due_at = 0,"
    " reason = 'replaced by a later snapshot', finished_at = :now"
    " WHERE id @in(ids int)"
)
_FORGET = (
    "DELETE FROM ordertrail_operations WHERE destination = :to"
    " AND key @in(keys text) AND state = 'parked'"
)
_STATES = (
    "SELECT state, count(*) FROM ordertrail_operations WHERE destination = :to"
    " AND state = '{state}' GROUP BY state"
)
_COUNTS = " UNION ALL ".join(_STATES.format(state=each) for each in State if each is not State.DONE)
_ALL = "SELECT count(*) FROM ordertrail_operations WHERE destination = :to"
_BEYOND = (
    "SELECT count(*) FROM (SELECT 1 AS one FROM ordertrail_operations WHERE destination = :to"
    " AND state = 'waiting' LIMIT :most) w"
)
_LAST = "SELECT coalesce(max(id), 0) FROM ordertrail_operations"


def unsent(
    sql: Writing, shelf: Shelf, order_ids: Collection[str], lanes: Collection[str]
) -> tuple[dict[str, list[Unsent]], set[int]]:
    """Return, by order, what can still be changed, and the numbers of what of it is parked."""
    found: dict[str, list[Unsent]] = {}
    parked: set[int] = set()
    ids = {"to": shelf.to, "source": shelf.source, "ids": list(order_ids)}
    rows = sql.fetch(_PARKED_OF, **ids)  # type: ignore[arg-type]
    rows += sql.fetch(_WAITING_OF, **ids, lanes=list(lanes))  # type: ignore[arg-type]
    for order_id, number, key, kind, method, path, body, state, attempts, unsure in sorted(
        rows, key=lambda row: row[1]
    ):
        is_fresh = not unsure and (attempts == 0 or state == State.PARKED)
        said = json.loads(body)
        each = Unsent(number, key, Kind(kind), method, path, said, is_fresh)
        found.setdefault(order_id, []).append(each)
        if state == State.PARKED:
            parked.add(number)
    return found, parked


def add(
    sql: Writing,
    shelf: Shelf,
    operations: Sequence[Operation],
    origin: Origin,
    *,
    in_doubt: bool = False,
) -> None:
    """Add operations as waiting, behind everything in their lanes.

    Those `in_doubt` may have been carried out before.
    """
    rows: list[Row] = [
        (
            each.key, each.order_id, each.lane, each.step, each.kind.value, each.call.method,
            each.call.path, json.dumps(each.call.body), int(in_doubt and each.kind.is_event),
        )
        for each in operations
    ]  # fmt: skip
    if rows:
        of = {"to": shelf.to, "source": shelf.source, "now": shelf.now, "origin": origin.value}
        sql.run(_ADD, rows, **of)  # type: ignore[arg-type]


def rewrite(sql: Writing, rewritten: Collection[Rewritten], origin: Origin) -> None:
    """Let operations that wait, or are parked, say something else in their old places."""
    rows: list[Row] = [
        (each.id, each.key, each.call.path, json.dumps(each.call.body)) for each in rewritten
    ]
    if rows:
        sql.run(_REWRITE, rows, origin=origin.value)


def withdraw(sql: Writing, ids: Collection[int], now: int) -> None:
    """Take operations back that nobody wants any more."""
    if ids:
        sql.run(_WITHDRAW, ids=list(ids), now=now)


def forget(sql: Writing, to: int, keys: Collection[str]) -> None:
    """Delete what is parked under these keys, so that it can be planned again."""
    if keys:
        sql.run(_FORGET, to=to, keys=list(keys))


def counts(sql: Reading, to: int) -> tuple[dict[str, int], int]:
    """Count the operations by state, those that are done left out, and all of them."""
    ((everything,),) = sql.fetch(_ALL, to=to)
    return dict(sql.fetch(_COUNTS, to=to)), int(everything)


def last_number(sql: Reading) -> int:
    """Return the number of the latest operation; 0 when there was none."""
    ((found,),) = sql.fetch(_LAST)
    return int(found)


def is_waiting_beyond(sql: Reading, to: int, most: int) -> bool:
    """Tell whether more than so many operations wait."""
    ((found,),) = sql.fetch(_BEYOND, to=to, most=most + 1)
    return int(found) > most
