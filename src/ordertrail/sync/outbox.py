"""The outbox: what was accepted and is still to be delivered, on SQLite or PostgreSQL.

An order is accepted when its snapshot and the operations that it causes are on disk, in one
commit. From then on nothing of it is lost, and nothing is planned twice. Any number of threads,
processes and machines may accept into one outbox and deliver from it.
"""

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Self, TypeVar

from ordertrail.domain.errors import Unavailable
from ordertrail.domain.journal import Origin
from ordertrail.domain.order import Order
from ordertrail.kit import clock
from ordertrail.kit.checkpoint import Checkpointer
from ordertrail.kit.clock import Clock, utc_now
from ordertrail.kit.database import Tx
from ordertrail.sync import (
    arrivals,
    outbox_accept,
    outbox_desk,
    outbox_destinations,
    outbox_form,
    outbox_leases,
    outbox_operations,
    outbox_orders,
    outbox_places,
)
from ordertrail.sync.operations import Leased, Outcome
from ordertrail.sync.outbox_accept import Accepted
from ordertrail.sync.outbox_desk import LIST_MAX, Counts, Filter, KeptOrder, Listed, Quarantined
from ordertrail.sync.outbox_leases import Lease, Settled
from ordertrail.sync.outbox_orders import Route, Shelf
from ordertrail.sync.outbox_places import Where
from ordertrail.sync.outbox_sql import OutboxDatabase, Reading, Writing
from ordertrail.sync.rules import Flow

__all__ = [
    "Accepted", "Counts", "Filter", "KeptOrder", "Lease", "Listed", "Outbox", "Quarantined",
    "Route", "Settled", "Where", "open_outbox",
]  # fmt: skip

T = TypeVar("T")

WAITING_MAX = 5_000_000
ACCEPTED_BETWEEN_COUNTS = 1_000
PAGE = 200


class Outbox:
    """One outbox, used as `with`; raises DatabaseAway and DatabaseRefused as its database does.

    `where` names it in messages. A file that `is_ours` holds nothing else.
    """

    def __init__(
        self,
        database: OutboxDatabase,
        clock: Clock = utc_now,
        *,
        where: str = "the outbox",
        is_ours: bool = False,
        checkpointer: Checkpointer | None = None,
        waiting_max: int = WAITING_MAX,
    ) -> None:
        self.where = where
        self._database = database
        self._clock = clock
        self._is_ours = is_ours
        self._checkpointer = checkpointer
        self._waiting_max = waiting_max
        self._is_prepared = False
        self._uncounted = ACCEPTED_BETWEEN_COUNTS
        self._numbers: dict[str, int] = {}

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def open(self) -> None:
        """Make the tables if there are none; raises DatabaseRefused for what is no outbox."""
        try:
            if not self._are_tables_there():
                self._database.write(self._prepare)
            self._is_prepared = True
        except BaseException:
            self._database.close()
            raise
        if self._checkpointer is not None:
            self._checkpointer.start()

    def close(self) -> None:
        """Close every connection; what waits stays."""
        if self._checkpointer is not None:
            self._checkpointer.stop()
        self._database.close()

    # ---- accepting ----

    def accept(
        self,
        route: Route,
        flow: Flow,
        orders: Sequence[Order],
        *,
        origin: Origin = Origin.LIVE,
        tx: Tx | None = None,
    ) -> Accepted:
        """Keep the orders and plan what they cause; on return all of it is on disk, in one commit.

        In a transaction `tx` of the shop's own it is on disk when that is committed; for that the
        outbox need not be open. An order that is as it was costs a look-up and no write. One that
        cannot be true goes into quarantine until a good snapshot of it comes, and does not spoil
        its neighbours. Raises Unavailable when more waits than the outbox takes.
        """
        if tx is None and len(orders) > 1 and self._are_as_they_were(route, flow, orders):
            return Accepted(len(orders), unchanged=len(orders))
        return self._accept(
            route,
            lambda sql, shelf: outbox_accept.accept(sql, shelf, flow, orders, origin),
            tx,
        )

    def amend(
        self,
        route: Route,
        flow: Flow,
        order_id: str,
        change: Callable[[Order | None], Order],
        *,
        is_snapshot: bool = False,
        tx: Tx | None = None,
    ) -> Accepted:
        """Accept what `change` makes of an order's latest snapshot, None if there is none.

        That is newer than what it was made of and older than the shop's next one, unless it is a
        snapshot of the shop's. Nobody else changes the order meanwhile. What `change` raises
        changes nothing.
        """
        return self._accept(
            route,
            lambda sql, shelf: outbox_accept.amend(sql, shelf, flow, order_id, change, is_snapshot),
            tx,
        )

    def refuse(self, route: Route, refused: Sequence[tuple[str, str]]) -> None:
        """Set orders apart that could not even be read: their ids, each with the reason."""
        if refused:
            self._write_to(
                route.destination,
                lambda sql, to: outbox_accept.refuse(sql, self._shelf(route, to), refused),
            )

    # ---- delivering ----

    def join(self, destination: str, worker: str, lease_s: float = 60.0) -> Lease:
        """Begin a lease on operations of a destination, for so long after each heartbeat."""
        lease = Lease(0, destination, worker, lease_s)
        number = self._write_to(
            destination, lambda sql, to: outbox_leases.join(sql, to, lease, self._clock())
        )
        return replace(lease, id=number)

    def heartbeat(self, lease: Lease) -> bool:
        """Prolong a lease; False when it was lost, and what it held is others' by now."""
        return self._write(lambda sql: outbox_leases.heartbeat(sql, lease, self._clock()))

    def leave(self, lease: Lease) -> None:
        """End a lease; what it still holds waits again as it was."""
        self._write(lambda sql: outbox_leases.leave(sql, lease))

    def claim(self, lease: Lease, *, after: str = "", limit: int = 2_000) -> list[Leased]:
        """Hold operations of lanes that nobody holds, lane by lane from that behind `after` on.

        The operations of one lane come in the order in which they must be made. None come when
        the lease was lost.
        """
        return self._write_to(
            lease.destination,
            lambda sql, to: outbox_leases.claim(sql, to, lease, after, limit, self._clock()),
        )

    def settle(self, lease: Lease, outcomes: Sequence[Outcome]) -> Settled:
        """Keep what became of operations that the lease holds, in one commit.

        A contact or deal that is parked parks the later operations of its order too.
        """
        return self._write_to(
            lease.destination,
            lambda sql, to: outbox_leases.settle(sql, to, lease, outcomes, self._clock()),
        )

    def due_at(self, destination: str) -> datetime | None:
        """Return when the earliest lane that waits for its time is due."""
        return self._read_of(destination, outbox_leases.due_at, None)

    def shared(self, destination: str, change: Callable[[str], tuple[str, T]]) -> T:
        """Change the text that all workers of a destination share; return what else comes of it."""
        return self._write_to(
            destination, lambda sql, to: outbox_destinations.share(sql, to, change)
        )

    def contact_body(self, destination: str, custom_id: str) -> dict[str, Any] | None:
        """Return everything that was planned to be said of a contact."""
        return self._read_of(
            destination, lambda sql, to: outbox_orders.contact_body(sql, to, custom_id), None
        )

    # ---- looking, and mending ----

    def counts(self, destination: str) -> Counts:
        """Count the operations by state, the orders in quarantine, and the older snapshots."""
        return self._read_of(destination, outbox_desk.counts, Counts())

    def destinations(self) -> list[str]:
        """Return every destination that an order was ever accepted for."""
        return self._read(outbox_destinations.every)

    def listed(self, destination: str, which: Filter) -> list[Listed]:
        """Return the operations that are meant, in the order in which they were planned."""
        return self._read_of(destination, lambda sql, to: outbox_desk.listed(sql, to, which), [])

    def count(self, destination: str, which: Filter) -> int:
        """Count the operations that are meant."""
        return self._read_of(destination, lambda sql, to: outbox_desk.count(sql, to, which), 0)

    def quarantined(self, destination: str, limit: int = LIST_MAX) -> list[Quarantined]:
        """Return the orders in quarantine with their reasons."""
        return self._read_of(
            destination, lambda sql, to: outbox_desk.quarantined(sql, to, limit), []
        )

    def sources(self, destination: str) -> list[str]:
        """Return the sources that orders were accepted from for a destination."""
        return self._read_of(destination, outbox_desk.sources, [])

    def oldest_waiting(self, destination: str) -> datetime | None:
        """Return when the oldest operation that waits was planned."""
        return self._read_of(destination, outbox_desk.oldest_waiting, None)

    def order(self, route: Route, order_id: str) -> KeptOrder | None:
        """Return an order with its operations, and why its latest snapshot is in quarantine."""
        return self._read_of(
            route.destination,
            lambda sql, to: outbox_desk.order(sql, to, route.source, order_id),
            None,
        )

    def snapshots(self, route: Route, order_ids: Sequence[str]) -> list[KeptOrder]:
        """Return those of these orders that are kept, without their operations."""
        return self._read_of(
            route.destination,
            lambda sql, to: outbox_desk.snapshots(sql, to, route.source, order_ids),
            [],
        )

    def orders(self, destination: str, after_id: int = 0, limit: int = PAGE) -> list[KeptOrder]:
        """Return a page of orders, without their operations."""
        return self._read_of(
            destination, lambda sql, to: outbox_desk.orders(sql, to, after_id, limit), []
        )

    def retry(self, destination: str, which: Filter) -> int:
        """Let parked operations wait again, and return how many those are."""
        return self._write_to(destination, lambda sql, to: outbox_desk.retry(sql, to, which))

    def edit(self, destination: str, operation_id: int, body: dict[str, Any]) -> None:
        """Let a parked operation say something else, and wait again."""
        self._write_to(destination, lambda sql, to: outbox_desk.edit(sql, to, operation_id, body))

    def replay(self, route: Route, flow: Flow, order_ids: Sequence[str]) -> int:
        """Say again what should be there for orders, by how many operations; or NotFound."""
        return self._write_to(
            route.destination,
            lambda sql, to: len(outbox_desk.replay(sql, self._shelf(route, to), flow, order_ids)),
        )

    def prune(self, before: datetime) -> int:
        """Delete what was done before, and return how many operations that is; counts stay."""
        return self._write(lambda sql: outbox_destinations.prune(sql, clock.to_micros(before)))

    def rehearse(self, work: Callable[[Writing], T]) -> T:
        """Run the work in a transaction and undo it; return what it gave."""

        results: list[T] = []

        def undone(sql: Writing) -> None:
            results.append(work(sql))
            raise _Undone

        with contextlib.suppress(_Undone):
            self._write(undone)
        return results[-1]

    # ---- how it is done ----

    def _accept(
        self, route: Route, work: Callable[[Writing, Shelf], Accepted], tx: Tx | None
    ) -> Accepted:
        if tx is not None and not self._is_prepared:
            self._is_prepared = self._are_tables_there()
            if not self._is_prepared:
                self._prepare(tx)
        self._check_room(route.destination, tx)
        if tx is not None:
            sql = Writing(tx, self._database.dialect)
            to = outbox_destinations.ensure(sql, route.destination)
            accepted = work(sql, self._shelf(route, to))
        else:
            accepted = self._write_to(
                route.destination, lambda sql, to: work(sql, self._shelf(route, to))
            )
        self._uncounted += accepted.operations.total()
        return accepted

    def _are_as_they_were(self, route: Route, flow: Flow, orders: Sequence[Order]) -> bool:
        drafts = arrivals.drafts(orders, flow)

        def are(sql: Reading, to: int) -> bool:
            ids = arrivals.keepable_ids(drafts)
            known = outbox_orders.find(sql, to, route.source, ids).known
            return all(arrivals.is_as_it_was(draft, known) for draft in drafts)

        return self._read_of(route.destination, are, False)

    def _prepare(self, tx: Tx) -> None:
        dialect = self._database.dialect
        outbox_form.prepare(tx, dialect, is_ours=self._is_ours, where=self.where)

    def _are_tables_there(self) -> bool:
        """Look without waiting for a writer, who may be the caller's own transaction."""
        return not self._is_ours and self._read(lambda sql: outbox_form.is_there(sql, self.where))

    def _check_room(self, destination: str, tx: Tx | None) -> None:
        if self._uncounted < ACCEPTED_BETWEEN_COUNTS:
            return
        most = self._waiting_max

        def is_full(sql: Reading) -> bool:
            to = outbox_destinations.find(sql, destination)
            return to is not None and outbox_operations.is_waiting_beyond(sql, to, most)

        if self._read(is_full) if tx is None else is_full(Reading(tx, self._database.dialect)):
            raise Unavailable(
                f"{self.where} holds more than {most:,} operations that wait: let them be"
                " delivered, or find out with `ordertrail outbox status` why they are not"
            )
        self._uncounted = 0

    def _shelf(self, route: Route, to: int) -> Shelf:
        return Shelf(to, route.source, clock.to_micros(self._clock()))

    def _write(self, work: Callable[[Writing], T]) -> T:
        dialect = self._database.dialect
        return self._database.write(lambda tx: work(Writing(tx, dialect)))

    def _write_to(self, destination: str, work: Callable[[Writing, int], T]) -> T:
        """Run the work with the destination's number, which is new when it is new."""

        def numbered(sql: Writing) -> tuple[int, T]:
            to = self._numbers.get(destination) or outbox_destinations.ensure(sql, destination)
            return to, work(sql, to)

        to, result = self._write(numbered)
        self._numbers[destination] = to
        return result

    def _read(self, work: Callable[[Reading], T]) -> T:
        dialect = self._database.dialect
        return self._database.read(lambda reader: work(Reading(reader, dialect)))

    def _read_of(self, destination: str, work: Callable[[Reading, int], T], otherwise: T) -> T:
        """Run the work with the destination's number; what otherwise, if there is none yet."""

        def numbered(sql: Reading) -> T:
            to = self._numbers.get(destination) or outbox_destinations.find(sql, destination)
            return otherwise if to is None else work(sql, to)

        return self._read(numbered)


class _Undone(Exception):
    """Ends a transaction such that nothing of it stays."""


def open_outbox(where: Where, clock: Clock = utc_now) -> Outbox:
    """Return the outbox at a place, to be opened; raises Invalid for what is no place."""
    home = outbox_places.found(where)
    return Outbox(
        home.database, clock, where=home.name, is_ours=home.is_ours, checkpointer=home.checkpointer
    )
