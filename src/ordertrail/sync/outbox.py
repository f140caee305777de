"""The outbox: what was accepted and is still to be delivered, in a file of its own.

An order is accepted when its snapshot and the operations that it causes are on disk, in one
commit. From then on nothing of it is lost, and nothing is planned twice.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from importlib import resources
from pathlib import Path
from typing import Self

from ordertrail.domain.order import Order
from ordertrail.kit import clock
from ordertrail.kit.checkpoint import Checkpointer
from ordertrail.kit.clock import Clock, utc_now
from ordertrail.kit.database import DatabaseRefused, Tx
from ordertrail.kit.sqlite import ServerLock, Sqlite
from ordertrail.sync import arrivals, outbox_operations, outbox_orders
from ordertrail.sync.arrivals import Arrivals, News
from ordertrail.sync.flow import Flow
from ordertrail.sync.outbox_operations import Counts, Outcome, Parked, Waiting
from ordertrail.sync.outbox_orders import Quarantined, Route, Snapshot
from ordertrail.sync.outbox_sql import rows
from ordertrail.sync.plan import Kind, Operation, Planned, PlannedContact, PlannedOrder, plan

FORM = 1
"""The number of the tables' form, kept in the file; a newer one is refused."""

LIST_MAX = 1_000

_FORM = rows("user_version, (SELECT count(*) FROM sqlite_schema)", "pragma_user_version")


@dataclass(frozen=True, slots=True)
class Accepted:
    """What came of a list of orders: orders == unchanged + changed + len(refused).

    `operations` counts what was planned, by kind; of `mended` orders something was parked, which
    is replaced or waits again. `refused` names the orders whose snapshot
    cannot be true, each with the reason.
    """

    orders: int
    unchanged: int
    changed: int
    operations: Counter[Kind]
    mended: int
    refused: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class _Kept:
    """How many snapshots changed something, what that is, and how many orders it mends."""

    changed: int = 0
    operations: Counter[Kind] = field(default_factory=Counter)
    mended: int = 0


class Outbox:
    """One outbox file, used as `with`; any number of threads and processes may accept into it."""

    def __init__(self, path: Path, clock: Clock = utc_now) -> None:
        self.path = path
        self._clock = clock
        self._database = Sqlite(path)
        self._checkpointer = Checkpointer(self._database)

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def open(self) -> None:
        """Make the file if there is none; raises DatabaseRefused when it is no outbox of ours."""
        try:
            self._database.write(self._prepare)
        except BaseException:
            self._database.close()
            raise
        self._checkpointer.start()

    def close(self) -> None:
        """Close the file; what waits in it stays."""
        self._checkpointer.stop()
        self._database.close()

    @contextmanager
    def delivering(self) -> Iterator[None]:
        """Be the one deliverer of this file; raises DatabaseRefused while somebody else is."""
        lock = ServerLock(self.path)
        lock.take()
        try:
            yield
        finally:
            lock.release()

    def accept(self, route: Route, flow: Flow, orders: Sequence[Order]) -> Accepted:
        """Keep the orders and plan what they cause; on return all of it is on disk, in one commit.

        An order that is as it was costs a look-up and no write. One that cannot be true goes into
        quarantine until a good snapshot of it comes, and does not spoil its neighbours.
        """
        drafts = arrivals.drafts(orders, flow)
        ids = {draft.order.id for draft in drafts if draft.body}
        known = self._database.read(lambda reader: outbox_orders.known(reader, route, ids))
        found = arrivals.sort(drafts, known, flow)
        kept = _Kept()
        if found.are_news:
            kept = self._database.write(lambda tx: self._keep(tx, route, found))
        return Accepted(
            orders=len(orders),
            unchanged=len(orders) - kept.changed - len(found.refused),
            changed=kept.changed,
            operations=kept.operations,
            mended=kept.mended,
            refused=found.refused,
        )

    def waiting(
        self, destination: str, *, after: str = "", busy: Collection[str] = (), limit: int = 2_000
    ) -> list[Waiting]:
        """Return operations that wait, lane by lane from the lane behind `after` on.

        The operations of one lane come in the order in which they must be made; lanes that are
        `busy` are left out.
        """
        return self._database.read(
            lambda reader: outbox_operations.waiting(reader, destination, after, busy, limit)
        )

    def settle(self, outcomes: Sequence[Outcome]) -> int:
        """Keep what became of operations, in one commit.

        A contact or deal that is parked parks the later operations of its order too; returns how
        many those are.
        """
        at = self._clock()
        return self._database.write(lambda tx: outbox_operations.settle(tx, outcomes, at))

    def retry_parked(self, destination: str) -> int:
        """Let everything that is parked wait again, and return how many operations that is."""
        return self._database.write(lambda tx: outbox_operations.retry(tx, destination))

    def counts(self, destination: str) -> Counts:
        """Count the operations by state, and the orders in quarantine."""
        return self._database.read(lambda reader: outbox_operations.counts(reader, destination))

    def parked(self, destination: str, limit: int = LIST_MAX) -> list[Parked]:
        """Return parked operations with their reasons, order by order."""
        return self._database.read(
            lambda reader: outbox_operations.parked(reader, destination, limit)
        )

    def quarantined(self, destination: str, limit: int = LIST_MAX) -> list[Quarantined]:
        """Return the orders in quarantine with their reasons."""
        return self._database.read(
            lambda reader: outbox_orders.quarantined(reader, destination, limit)
        )

    def destinations(self) -> list[str]:
        """Return every destination that an order was ever accepted for."""
        return self._database.read(outbox_operations.destinations)

    def _prepare(self, tx: Tx) -> None:
        ((form, tables),) = tx.rows(_FORM)
        if form > FORM:
            raise DatabaseRefused(
                f"{self.path} is an outbox of form {form}, and this release knows form {FORM}:"
                " use the release that wrote it, or a newer one"
            )
        if form == 0 and tables:
            raise DatabaseRefused(f"{self.path} is a database of something else and no outbox")
        if form == 0:
            tx.run((resources.files("ordertrail.sync") / "outbox_tables.sql").read_text())
            tx.run(f"PRAGMA user_version = {FORM}")

    def _keep(self, tx: Tx, route: Route, found: Arrivals) -> _Kept:
        at = self._clock()
        outbox_orders.add_destination(tx, route.destination)
        outbox_orders.quarantine(tx, route, found.quarantine, at)
        outbox_orders.release(tx, route, found.released)

        ids = {each.order_id for each in found.news}
        people = {_person(each) for each in found.news}
        planning = _Planning(
            outbox_orders.planned_orders(tx, route, ids),
            outbox_orders.planned_contacts(tx, route.destination, people),
        )
        blocked = outbox_orders.blocked(tx, route, ids)
        planning.forget([each for each in found.news if each.order_id in blocked])
        changed = sum(planning.advance(route.source, each) for each in found.news)
        outbox_orders.save_snapshots(tx, route, planning.snapshots.values(), at)
        outbox_orders.save_contacts(tx, route.destination, planning.contacts)
        outbox_orders.add_operations(tx, route, planning.operations, at)
        outbox_orders.replace_parked(tx, route, blocked, at)
        return _Kept(changed, Counter(each.kind for each in planning.operations), len(blocked))


@dataclass(slots=True)
class _Planning:
    """What is planned for some orders and their contacts, one snapshot after the other."""

    orders: dict[str, PlannedOrder]
    contacts: dict[str, PlannedContact]
    snapshots: dict[str, Snapshot] = field(default_factory=dict)
    operations: list[Operation] = field(default_factory=list)

    def forget(self, blocked: Iterable[News]) -> None:
        """Plan contacts and deals of these whole: what was planned before may never have arrived.

        What a later order said of a contact is kept, to be said again with it.
        """
        for each in blocked:
            if contact := self.contacts.get(person := _person(each)):
                is_later = (contact.as_of or 0) > clock.to_micros(each.desired.as_of)
                body = contact.body if is_later else {}
                self.contacts[person] = replace(contact, lane="", body=body)
            if order := self.orders.get(each.order_id):
                self.orders[each.order_id] = replace(order, deal={})

    def advance(self, source: str, news: News) -> bool:
        """Plan what the snapshot wants, and tell whether anything was missing."""
        person, order_id = _person(news), news.order_id
        before = Planned(
            self.contacts.get(person, PlannedContact()), self.orders.get(order_id, PlannedOrder())
        )
        missing, planned = plan(source, order_id, news.desired, before)
        self.contacts[person], self.orders[order_id] = planned.contact, planned.order
        self.snapshots[order_id] = Snapshot(order_id, news.content_hash, planned.order, news.body)
        self.operations += missing
        return bool(missing)


def _person(news: News) -> str:
    return news.desired.contact.custom_id or ""
