"""Leases: who holds which operations, until when, and what became of them.

The number of a lease is the fencing token: an outcome counts only while its operation is held
under that number. A lease that has run out gives back what it held, with a doubt on it.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from ordertrail.domain.journal import Origin
from ordertrail.kit import clock, processes
from ordertrail.sync import outbox_destinations, outbox_locks
from ordertrail.sync.arrivals import sayable
from ordertrail.sync.operations import Kind, Leased, Outcome, State
from ordertrail.sync.outbox_sql import Reading, Row, Writing

_JOIN = (
    "INSERT INTO ordertrail_leases (destination, worker, until)"
    " VALUES (:to, :worker, :until) RETURNING id"
)
_LEASES = "SELECT id, worker FROM ordertrail_leases WHERE destination = :to"
_END = "UPDATE ordertrail_leases SET until = 0 WHERE id @in(leases int)"
_HEARTBEAT = "UPDATE ordertrail_leases SET until = :until WHERE id = :lease RETURNING id"
_EXPIRED = (
    "DELETE FROM ordertrail_leases WHERE destination = :to AND until <= :now AND id <> :lease"
    " RETURNING id"
)
_LEAVE = "DELETE FROM ordertrail_leases WHERE id = :lease RETURNING destination"
_GIVE_BACK = (
    "UPDATE ordertrail_operations SET state = 'waiting', lease = NULL{doubt}"
    " WHERE destination = :to AND state = 'leased'"
    " AND lease @in(leases int)"
)
_GIVE_BACK_IN_DOUBT = _GIVE_BACK.format(doubt=", is_unsure = 1")
_GIVE_BACK_AS_IT_WAS = _GIVE_BACK.format(doubt="")

_FREE = (
    "SELECT id FROM ordertrail_operations WHERE destination = :to AND state = 'waiting'"
    " AND lane > :after AND lane NOT IN (SELECT lane FROM ordertrail_operations"
    " WHERE destination = :to AND state = 'leased')"
    " AND lane NOT IN (SELECT lane FROM ordertrail_operations"
    " WHERE destination = :to AND state = 'waiting' AND due_at > 0 AND due_at > :now)"
    " ORDER BY lane, id LIMIT :limit"
)
_COLUMNS = (
    "id, key, lane, source, order_id, step, kind, method, path, body, origin, attempts, is_unsure,"
    " failing_since"
)
_FREE_WHOLE = _FREE.replace("SELECT id", f"SELECT {_COLUMNS}", 1)
_TAKE = (
    "UPDATE ordertrail_operations SET state = 'leased', lease = :lease, due_at = 0"
    " WHERE id @in(ids int)"
)
_FREE_LANES = _FREE.replace("SELECT id", "SELECT id, lane", 1)
_LOCK = "SELECT id FROM ordertrail_operations WHERE id @in(ids int) AND state = 'waiting' @skip"
_TAKE_WHOLE = f"{_TAKE} RETURNING {_COLUMNS}"

_HELD = " AND lease = :lease AND state = 'leased'"
_DONE = (
    "UPDATE ordertrail_operations SET state = 'done', lease = NULL, body = '', reason = NULL,"
    " attempts = attempts + 1, finished_at = :now"
    f" WHERE id @in(ids int){_HELD} RETURNING id"
)
_SETTLE = (
    "UPDATE ordertrail_operations AS o SET state = s.became, lease = NULL,"
    " body = CASE s.became WHEN 'done' THEN '' ELSE body END, reason = s.why,"
    " attempts = s.tried, due_at = s.due, is_unsure = s.doubt, failing_since = s.since,"
    " finished_at = CASE s.became WHEN 'waiting' THEN NULL ELSE CAST(:now AS bigint) END"
    " FROM @rows(number int, became text, why text, tried int, due int, doubt int, since int) s"
    " WHERE o.id = s.number AND o.lease = :lease AND o.state = 'leased' RETURNING id"
)
_PARK_FOLLOWERS = (
    "UPDATE ordertrail_operations SET state = 'parked', lease = NULL,"
    " reason = 'waits for ' || CAST(:key AS text), finished_at = :now"
    " WHERE id IN (SELECT id FROM ordertrail_operations WHERE destination = :to AND lane = :lane"
    " AND id > :after AND source = :source AND order_id = :order_id AND {state} @skip)"
    " RETURNING id"
)
_PARK_WAITING = _PARK_FOLLOWERS.format(state="state = 'waiting'")
_PARK_HELD = _PARK_FOLLOWERS.format(state="state = 'leased' AND lease = :lease")
_DUE_AT = (
    "SELECT min(due) FROM (SELECT lane, max(due_at) AS due FROM ordertrail_operations"
    " WHERE destination = :to AND state = 'waiting' AND due_at > 0 GROUP BY lane) d"
    " WHERE lane NOT IN (SELECT lane FROM ordertrail_operations"
    " WHERE destination = :to AND state = 'leased')"
)


@dataclass(frozen=True, slots=True)
class Lease:
    """A worker's right to hold operations of a destination, for so long after each heartbeat."""

    id: int
    destination: str
    worker: str
    lease_s: float = 60.0

    def until(self, at: datetime) -> int:
        """Return when it runs out if this is the last that is heard of the worker."""
        return clock.to_micros(at + timedelta(seconds=self.lease_s))


@dataclass(frozen=True, slots=True)
class Settled:
    """What was kept of some outcomes.

    Besides, `followers_parked` operations wait for one that was parked. The `lost` outcomes are
    of operations that the lease held no longer; others decide about those.
    """

    outcomes: list[Outcome] = field(default_factory=list)
    followers_parked: int = 0
    lost: int = 0


def join(sql: Writing, to: int, lease: Lease, at: datetime) -> int:
    """Begin a lease and return its number, which no other ever has.

    Leases of processes that have ended on this machine end with them.
    """
    gone = [number for number, worker in sql.fetch(_LEASES, to=to) if processes.is_gone(worker)]
    if gone:
        sql.run(_END, leases=gone)
    ((number,),) = sql.fetch(_JOIN, to=to, worker=lease.worker, until=lease.until(at))
    return int(number)


def heartbeat(sql: Writing, lease: Lease, at: datetime) -> bool:
    """Prolong the lease; False when it has run out and was taken away."""
    return bool(sql.fetch(_HEARTBEAT, lease=lease.id, until=lease.until(at)))


def leave(sql: Writing, lease: Lease) -> None:
    """End the lease; what it holds waits again as it was."""
    for (to,) in sql.fetch(_LEAVE, lease=lease.id):
        sql.run(_GIVE_BACK_AS_IT_WAS, to=to, leases=[lease.id])


def claim(
    sql: Writing, to: int, lease: Lease, after: str, limit: int, at: datetime
) -> list[Leased]:
    """Hold operations of free lanes behind `after`; none when the lease was taken away."""
    outbox_destinations.lock(sql, to)
    if not heartbeat(sql, lease, at):
        return []
    now = clock.to_micros(at)
    expired = sql.fetch(_EXPIRED, to=to, now=now, lease=lease.id)
    if expired:
        sql.run(_GIVE_BACK_IN_DOUBT, to=to, leases=[number for (number,) in expired])
    which: dict[str, Any] = {"to": to, "after": after, "now": now, "limit": limit}
    if sql.is_sqlite:
        found = sql.fetch(_FREE_WHOLE, **which)
        sql.run(_TAKE, lease=lease.id, ids=[row[0] for row in found])
        return [_leased(row) for row in found]
    free = sql.fetch(_FREE_LANES, **which)
    locked = {number for (number,) in sql.fetch(_LOCK, ids=[number for number, _ in free])}
    ids = _unbroken(free, locked)
    taken = {row[0]: row for row in sql.fetch(_TAKE_WHOLE, lease=lease.id, ids=ids)}
    return [_leased(taken[number]) for number in ids]


def settle(
    sql: Writing, to: int, lease: Lease, outcomes: Sequence[Outcome], at: datetime
) -> Settled:
    """Keep what became of operations that the lease still holds.

    Whoever just plans for an order is waited for before the order's operations are parked: what
    is planned behind a parked operation is parked with it.
    """
    blocked = {(e.operation.source, e.operation.order_id) for e in outcomes if e.blocks_its_order}
    outbox_locks.orders_to_block(sql, to, blocked)
    now = clock.to_micros(at)
    plain = [each.operation.id for each in outcomes if _is_plain(each)]
    rest = [_row(each) for each in outcomes if not _is_plain(each)]
    held: set[int] = set()
    if plain:
        held.update(number for (number,) in sql.fetch(_DONE, ids=plain, lease=lease.id, now=now))
    if rest:
        held.update(number for (number,) in sql.fetch(_SETTLE, rest, lease=lease.id, now=now))
    kept = [each for each in outcomes if each.operation.id in held]
    followers = 0
    for each in kept:
        if each.blocks_its_order:
            followers += _park_followers(sql, to, lease, each.operation, now)
    return Settled(kept, followers, len(outcomes) - len(kept))


def due_at(sql: Reading, to: int) -> datetime | None:
    """Return when the earliest lane that waits for its time, and for nothing else, is due."""
    ((micros,),) = sql.fetch(_DUE_AT, to=to)
    return clock.optional_moment(micros)


def _park_followers(sql: Writing, to: int, lease: Lease, blocking: Leased, now: int) -> int:
    of_order: dict[str, Any] = {
        "to": to,
        "lane": blocking.lane,
        "after": blocking.id,
        "source": blocking.source,
        "order_id": blocking.order_id,
        "key": blocking.key,
        "now": now,
    }
    held = sql.fetch(_PARK_HELD, lease=lease.id, **of_order)
    return len(held) + len(sql.fetch(_PARK_WAITING, **of_order))


def _unbroken(free: Sequence[tuple[int, str]], locked: Collection[int]) -> list[int]:
    """Of each lane, what comes before the first operation that somebody else has locked.

    An order that is being accepted locks what waits of it until its transaction ends.
    """
    broken: set[str] = set()
    kept = []
    for number, lane in free:
        if number not in locked:
            broken.add(lane)
        elif lane not in broken:
            kept.append(number)
    return kept


def _is_plain(outcome: Outcome) -> bool:
    is_next = outcome.attempts == outcome.operation.attempts + 1
    return is_next and outcome.state is State.DONE and outcome.reason is None


def _row(outcome: Outcome) -> Row:
    due, since = outcome.due_at, outcome.failing_since
    return (
        outcome.operation.id,
        outcome.state.value,
        outcome.reason and sayable(outcome.reason),
        outcome.attempts,
        clock.to_micros(due) if due and outcome.state is State.WAITING else 0,
        int(outcome.is_unsure),
        clock.optional_micros(since),
    )


def _leased(row: tuple[Any, ...]) -> Leased:
    number, key, lane, source, order_id, step, kind, method, path, body, origin, *rest = row
    attempts, is_unsure, failing_since = rest
    return Leased(
        number, key, lane, source, order_id, step, _KINDS[kind], method, path, body,
        _ORIGINS[origin], attempts, bool(is_unsure), clock.optional_moment(failing_since),
    )  # fmt: skip


_KINDS = {each.value: each for each in Kind}
_ORIGINS = {each.value: each for each in Origin}
