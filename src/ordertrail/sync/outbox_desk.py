"""What people ask of an outbox: what is in it, and to have it tried, edited, said again."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from ordertrail.client.calls import Call
from ordertrail.domain.errors import Conflict, Invalid, NotFound
from ordertrail.domain.journal import Origin
from ordertrail.domain.order import Order
from ordertrail.kit import clock, json
from ordertrail.sync import outbox_locks, outbox_operations, outbox_orders, outbox_reviving
from ordertrail.sync.flow import Desired, desired
from ordertrail.sync.operations import NAMING, Kind, Operation, State
from ordertrail.sync.outbox_operations import WAITS_AGAIN
from ordertrail.sync.outbox_orders import Shelf
from ordertrail.sync.outbox_sql import Reading, Writing
from ordertrail.sync.plan import Planned, PlannedContact, PlannedOrder, plan
from ordertrail.sync.rules import Flow
from ordertrail.sync.shops import canonical

_LISTED = (
    "id, key, kind, source, order_id, lane, state, attempts, is_unsure, reason, due_at,"
    " failing_since, created_at, finished_at, origin, method, path, body"
)
_LIST = (
    f"SELECT {_LISTED} FROM ordertrail_operations WHERE destination = :to AND id > :after"
    " AND state @in(states text)"
    " AND kind @in(kinds text)"
    " AND (CAST(:order_id AS text) IS NULL OR order_id = :order_id)"
    " AND (CAST(:source AS text) IS NULL OR source = :source)"
    " AND (CAST(:reason AS text) IS NULL OR reason LIKE :reason ESCAPE '!')"
    " ORDER BY id LIMIT :limit"
)
_IDS = _LIST.replace(_LISTED, "id", 1)
_COUNT = f"SELECT count(*) FROM ({_IDS}) meant"
_ONE = f"SELECT {_LISTED} FROM ordertrail_operations WHERE destination = :to AND id = :number"
_EDIT = f"UPDATE ordertrail_operations SET body = :body, {WAITS_AGAIN} WHERE id = :number"
_KEPT = (
    "SELECT id, source, rank, body, planned, older_count, accepted_at"
    " FROM ordertrail_snapshots WHERE destination = :to"
)
_PAGE = f"{_KEPT} AND id > :after ORDER BY id LIMIT :limit"
_SNAPSHOTS = f"{_KEPT} AND source = :source AND order_id @in(ids text)"
_QUARANTINED = (
    "SELECT source, order_id, reason, refused_at FROM ordertrail_quarantine"
    " WHERE destination = :to ORDER BY source, order_id LIMIT :limit"
)
_SOURCES = (
    "SELECT source FROM ordertrail_snapshots WHERE destination = :to GROUP BY source"
    " ORDER BY source"
)
_WHY = (
    "SELECT reason FROM ordertrail_quarantine WHERE destination = :to AND source = :source"
    " AND order_id = :order_id"
)
_SAVE_PLANNED = "UPDATE ordertrail_snapshots SET planned = :planned WHERE id = :number"
_OLDER = (
    "SELECT coalesce(sum(older_count), 0) FROM ordertrail_snapshots"
    " WHERE destination = :to AND older_count > 0"
)
_IN_QUARANTINE = "SELECT count(*) FROM ordertrail_quarantine WHERE destination = :to"
_PRUNED = "SELECT pruned FROM ordertrail_destinations WHERE id = :to"
_OLDEST = (
    "SELECT min(created_at) FROM ordertrail_operations WHERE destination = :to"
    " AND state = 'waiting'"
)

LIST_MAX = 1_000


@dataclass(frozen=True, slots=True)
class Filter:
    """Which operations are meant; what is not said does not matter."""

    states: tuple[State, ...] = tuple(State)
    kinds: tuple[Kind, ...] = tuple(Kind)
    order_id: str | None = None
    source: str | None = None
    reason_contains: str | None = None
    limit: int = LIST_MAX
    after_id: int = 0


@dataclass(frozen=True, slots=True)
class Listed:
    """An operation as the outbox holds it; one that is done keeps no body."""

    id: int
    key: str
    kind: Kind
    source: str
    order_id: str
    lane: str
    state: State
    attempts: int
    is_unsure: bool
    reason: str | None
    due_at: datetime | None
    failing_since: datetime | None
    created_at: datetime
    finished_at: datetime | None
    origin: Origin
    method: str
    path: str
    body: str

    @property
    def call(self) -> Call:
        """The call that it makes."""
        return Call(self.method, self.path, json.loads(self.body) if self.body else {})


@dataclass(frozen=True, slots=True)
class KeptOrder:
    """An order as the outbox holds it: its latest snapshot, and how many older ones came late."""

    id: int
    source: str
    order: Order
    rank: int | None
    planned: PlannedOrder
    older_count: int
    accepted_at: datetime
    operations: list[Listed] = field(default_factory=list)
    quarantined_because: str | None = None


@dataclass(frozen=True, slots=True)
class Quarantined:
    """An order whose latest snapshot cannot be true; nothing was planned for that one."""

    source: str
    order_id: str
    reason: str
    refused_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Counts:
    """How many operations of a destination there are, by state, and how many orders are not.

    accepted == waiting + leased + done + parked. `older` counts snapshots that a newer one had
    overtaken.
    """

    accepted: int = 0
    waiting: int = 0
    leased: int = 0
    done: int = 0
    parked: int = 0
    quarantined: int = 0
    older: int = 0


def counts(sql: Reading, to: int) -> Counts:
    """Count the operations, the orders in quarantine, and the older snapshots."""
    by_state, kept = outbox_operations.counts(sql, to)
    ((pruned,),) = sql.fetch(_PRUNED, to=to)
    ((quarantined,),) = sql.fetch(_IN_QUARANTINE, to=to)
    ((older,),) = sql.fetch(_OLDER, to=to)
    still_open = [int(by_state.get(each, 0)) for each in ("waiting", "leased", "parked")]
    waiting, leased, parked = still_open
    accepted = kept + int(pruned)
    done = accepted - sum(still_open)
    return Counts(accepted, waiting, leased, done, parked, int(quarantined), int(older))


def listed(sql: Reading, to: int, which: Filter) -> list[Listed]:
    """Return the operations that are meant, in the order in which they were planned."""
    return [_listed(row) for row in _found(sql, _LIST, to, which)]


def count(sql: Reading, to: int, which: Filter) -> int:
    """Count the operations that are meant."""
    ((found,),) = _found(sql, _COUNT, to, which)
    return int(found)


def _found(sql: Reading, statement: str, to: int, which: Filter) -> Sequence[tuple[Any, ...]]:
    wanted = which.reason_contains
    reason = None if wanted is None else f"%{_escaped(wanted)}%"
    return sql.fetch(
        statement,
        to=to,
        after=which.after_id,
        states=[each.value for each in which.states],
        kinds=[each.value for each in which.kinds],
        order_id=which.order_id,
        source=which.source,
        reason=reason,
        limit=which.limit,
    )


def quarantined(sql: Reading, to: int, limit: int) -> list[Quarantined]:
    """Return the orders in quarantine with their reasons."""
    return [
        Quarantined(source, order_id, reason, clock.from_micros(refused_at))
        for source, order_id, reason, refused_at in sql.fetch(_QUARANTINED, to=to, limit=limit)
    ]


def order(sql: Reading, to: int, source: str, order_id: str) -> KeptOrder | None:
    """Return an order with its operations, and why its latest snapshot is in quarantine."""
    found = snapshots(sql, to, source, [order_id])
    if not found:
        return None
    why = sql.fetch(_WHY, to=to, source=source, order_id=order_id)
    operations = listed(sql, to, Filter(order_id=order_id, source=source))
    reason = why[0][0] if why else None
    return replace(found[0], operations=operations, quarantined_because=reason)


def sources(sql: Reading, to: int) -> list[str]:
    """Return the sources that orders were accepted from."""
    return [source for (source,) in sql.fetch(_SOURCES, to=to)]


def orders(sql: Reading, to: int, after_id: int, limit: int) -> list[KeptOrder]:
    """Return a page of orders, without their operations."""
    return [_kept(row) for row in sql.fetch(_PAGE, to=to, after=after_id, limit=limit)]


def snapshots(sql: Reading, to: int, source: str, order_ids: Sequence[str]) -> list[KeptOrder]:
    """Return those of these orders that are kept, as they were asked for, without operations."""
    rows = sql.fetch(_SNAPSHOTS, to=to, source=source, ids=list(order_ids))
    found = {kept.order.id: kept for kept in map(_kept, rows)}
    return [found[order_id] for order_id in order_ids if order_id in found]


def oldest_waiting(sql: Reading, to: int) -> datetime | None:
    """Return when the oldest operation that waits was planned."""
    ((found,),) = sql.fetch(_OLDEST, to=to)
    return clock.optional_moment(found)


def retry(sql: Writing, to: int, which: Filter) -> int:
    """Let parked operations wait again, and return how many those are."""
    meant = replace(which, states=(State.PARKED,), limit=LIST_MAX)
    revived = 0
    while ids := [number for (number,) in _found(sql, _IDS, to, meant)]:
        outbox_reviving.revive(sql, to, ids)
        revived += len(ids)
        meant = replace(meant, after_id=ids[-1])
    return revived


def edit(sql: Writing, to: int, number: int, body: dict[str, Any]) -> None:
    """Let a parked operation say something else, and wait again.

    Raises NotFound for one that is not there, Conflict for one that is not parked, and Invalid for
    a body that is about something else.
    """
    rows = sql.fetch(_ONE, to=to, number=number)
    if not rows:
        raise NotFound(f"the outbox has no operation {number} for this destination")
    found = _listed(rows[0])
    if found.state is not State.PARKED:
        raise Conflict(f"operation {number} is {found.state}; only a parked one can be edited")
    before = json.loads(found.body)
    changed = [name for name in NAMING[found.kind] if body.get(name) != before.get(name)]
    if changed:
        raise Invalid({name: f"must stay {json.dumps(before.get(name))}" for name in changed})
    sql.run(_EDIT, number=number, body=json.dumps(body))


def replay(sql: Writing, shelf: Shelf, flow: Flow, order_ids: Sequence[str]) -> list[Operation]:
    """Say again what should be there for these orders, whatever was delivered before.

    Contacts and deals are said whole; events come under their permanent keys, with a doubt on
    them, so that they are looked for where the endpoint does not know the keys. Raises NotFound
    for an order that was never accepted.
    """
    outbox_locks.orders(sql, shelf, order_ids)
    said: list[Operation] = []
    kept = snapshots(sql, shelf.to, shelf.source, order_ids)
    if missing := set(order_ids) - {each.order.id for each in kept}:
        name = min(missing)[:80]
        raise NotFound(f"order {name!r} was never accepted from {shelf.source}")
    sayable = _sayable(kept, flow)
    people = {wanted.person for _, wanted in sayable}
    outbox_locks.contacts(sql, shelf, people)
    contacts = outbox_orders.contacts(sql, shelf.to, people)
    for each, wanted in sayable:
        contact = contacts.get(wanted.person, PlannedContact())
        forgotten = PlannedOrder(
            each.planned.lane, each.planned.steps, {}, each.planned.deal_changes, frozenset(),
            each.planned.merges,
        )  # fmt: skip
        unsaid = PlannedContact("", contact.body, contact.changes, contact.said_as_of)
        made = plan(shelf.source, each.order.id, wanted, Planned(unsaid, forgotten))
        _say_again(sql, shelf, each, made.planned.order, made.operations)
        contacts[wanted.person] = made.planned.contact
        said += made.operations
    outbox_orders.save_contacts(sql, shelf, contacts)
    return said


def _sayable(kept: Sequence[KeptOrder], flow: Flow) -> list[tuple[KeptOrder, Desired]]:
    """Return the orders that were said before, each with what should be there of it."""
    found: list[tuple[KeptOrder, Desired]] = []
    for each in kept:
        wanted = desired(each.order, flow)
        if wanted is not None and each.planned.deal:
            found.append((each, wanted.of(str(each.planned.deal["user_custom_id"]))))
    return found


def _say_again(
    sql: Writing, shelf: Shelf, kept: KeptOrder, after: PlannedOrder, operations: list[Operation]
) -> None:
    events = [each.key for each in operations if each.kind.is_event]
    outbox_operations.forget(sql, shelf.to, events)
    outbox_operations.add(sql, shelf, operations, Origin.REPLAY, in_doubt=True)
    whole = PlannedOrder(
        after.lane, after.steps, {**kept.planned.deal, **after.deal}, after.deal_changes,
        kept.planned.events | after.events, after.merges,
    )  # fmt: skip
    sql.run(_SAVE_PLANNED, number=kept.id, planned=json.dumps(whole))


def _listed(row: tuple[Any, ...]) -> Listed:
    number, key, kind, source, order_id, lane, state, attempts, unsure, reason, *rest = row
    due_at, failing_since, created_at, finished_at, origin, method, path, body = rest
    return Listed(
        number, key, Kind(kind), source, order_id, lane, State(state), attempts, bool(unsure),
        reason, clock.from_micros(due_at) if due_at else None,
        clock.optional_moment(failing_since), clock.from_micros(created_at),
        clock.optional_moment(finished_at), Origin(origin), method, path, body,
    )  # fmt: skip


def _kept(row: tuple[Any, ...]) -> KeptOrder:
    number, source, rank, body, planned, older_count, accepted_at = row
    return KeptOrder(
        number,
        source,
        canonical.decode(json.loads(body)),
        rank,
        outbox_orders.planned_of(planned),
        older_count,
        clock.from_micros(accepted_at),
    )


def _escaped(text: str) -> str:
    return text.replace("!", "!!").replace("%", "!%").replace("_", "!_")
