"""The library: what a shop's own code calls to have its orders delivered.

A call returns when the order is on disk. Delivery happens behind it, now or whenever the
destination can be reached; nothing is lost when the process ends.
"""

import threading
import weakref
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from types import TracebackType
from typing import Any, Self, TypeVar

from ordertrail.client.calls import Call
from ordertrail.client.client import Client
from ordertrail.domain.errors import Invalid
from ordertrail.domain.order import Order
from ordertrail.kit.clock import Clock, utc_now
from ordertrail.kit.database import Tx
from ordertrail.kit.foreign import joined
from ordertrail.sync import outbox_places
from ordertrail.sync import tracker_changes as changes
from ordertrail.sync import tracker_told as told
from ordertrail.sync.flow import desired
from ordertrail.sync.lanes import Held
from ordertrail.sync.outbox import Accepted, Outbox, Where, open_outbox
from ordertrail.sync.outbox_orders import Route
from ordertrail.sync.rim import Rim
from ordertrail.sync.rules import Flow, Stages
from ordertrail.sync.tracker_background import Background
from ordertrail.sync.tracker_held import FakeDestination, HeldEvent
from ordertrail.sync.tracker_keep import Keep
from ordertrail.sync.tracker_looking import Looking
from ordertrail.sync.tracker_told import Parked
from ordertrail.sync.verify import Verified
from ordertrail.sync.watch import Endurance
from ordertrail.sync.worker import Pace

T = TypeVar("T")

Change = Callable[[Order | None], Order]

DEFAULT_OUTBOX = "ordertrail.outbox"


class Tracker(Looking):
    """Delivers the orders of a shop; its methods may be called from any thread.

    Nothing is opened or sent before the first call. `flow` is "simple", "detailed" or a `Flow`,
    `source` the name of the shop among those that share the outbox. `rate_limit_per_s` is how
    many calls the destination takes; None: 10 unless it is our own platform, 0: no limit.
    Without `deliver` another process delivers what is accepted here. `on_parked` is told of each
    call that was given up, in the thread that delivers; `on_drift` of the id of each order that
    `verify` finds to differ.

    Raises Invalid for an address, a token or settings that cannot be right.
    """

    def __init__(
        self,
        url: str,
        token: str,
        *,
        flow: Flow | str = "detailed",
        stages: Stages | None = None,
        source: str = "shop",
        outbox: Where = DEFAULT_OUTBOX,
        rate_limit_per_s: float | None = None,
        deliver: bool = True,
        on_parked: Callable[[Parked], object] | None = None,
        on_drift: Callable[[str], object] | None = None,
        clock: Clock = utc_now,
    ) -> None:
        if not source.strip():
            raise Invalid({"source": "must not be empty"})
        self.url = Client(url, token).url
        self._is_apart = outbox_places.file_of(outbox) is not None
        self._clock = clock
        route, keep = Route(source, self.url), Keep(lambda: open_outbox(outbox, clock))
        looks = Pace(rim=Rim(now=clock), limit_per_s=rate_limit_per_s)
        delivers = replace(looks, endurance=Endurance(stops_paused=False, away_s_max=None))

        def connect() -> Client:
            return Client(url, token)

        super().__init__(
            keep,
            route,
            told.flow_of(flow, stages),
            Background(keep, route.destination, connect, delivers, on_parked),
            connect,
            looks,
            delivers=deliver,
            on_drift=on_drift,
        )

    @staticmethod
    def fake(
        *,
        flow: Flow | str = "detailed",
        stages: Stages | None = None,
        source: str = "shop",
        outbox: Where | None = None,
        clock: Clock = utc_now,
    ) -> "FakeTracker":
        """Return a tracker for tests: no network, and questions about what would be sent.

        Without an `outbox` it keeps one for itself, and a `connection` makes no difference.
        """
        return FakeTracker(flow=flow, stages=stages, source=source, outbox=outbox, clock=clock)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop delivering and close the outbox; what waits in it stays.

        Waits a few seconds at most for what is under way. A later call opens it again.
        """
        self._background.stop()
        self._keep.close()

    def placed(self, order: Order, *, connection: Any = None) -> None:
        """Take an order that was placed.

        What else was told of it stays, unless the version or the time of this snapshot tells that
        it is newer. For what is raised see `track`.
        """
        taken = told.order(order)
        self._amend(
            taken.id, lambda kept: changes.placed(taken, kept), connection, is_snapshot=True
        )

    def track(self, order: Order, *, connection: Any = None) -> None:
        """Take a snapshot of everything that the shop knows of an order.

        On return it is on disk; with a `connection` it is saved by the shop's own commit, or not
        at all. Raises Invalid for an order that cannot be true, which is put in quarantine;
        Unavailable when it cannot be kept now, and Refused when a person has to change something
        first: then nothing was kept.
        """
        taken = told.order(order)
        self._take(
            lambda outbox, tx: outbox.accept(self._route, self.flow, [taken], tx=tx),
            lambda: taken,
            connection,
        )

    def fulfilled(
        self,
        order_id: str,
        *,
        at: datetime | None = None,
        status: str | None = None,
        connection: Any = None,
    ) -> None:
        """Take that an order was fulfilled, now unless told when.

        `status` is the shop's own word for that. Raises NotFound for an order that was never
        taken.
        """
        given, now = self._moments(at)
        self._change(
            order_id, lambda order: changes.fulfilled(order, given, status, now), connection
        )

    def cancelled(
        self,
        order_id: str,
        *,
        at: datetime | None = None,
        status: str | None = None,
        connection: Any = None,
    ) -> None:
        """Take that an order was cancelled, now unless told when.

        `status` is the shop's own word for that. Raises NotFound for an order that was never
        taken.
        """
        given, now = self._moments(at)
        self._change(
            order_id, lambda order: changes.cancelled(order, given, status, now), connection
        )

    def returned(
        self,
        order_id: str,
        *,
        lines: Mapping[str, int] | None = None,
        value: Decimal | int | None = None,
        refund_id: str | None = None,
        at: datetime | None = None,
        connection: Any = None,
    ) -> None:
        """Take that goods came back: quantities by SKU, or everything that is left.

        `value` is the money that went back, by default the price of the lines; no lines (`{}`) is
        money alone. Repeated with the same `refund_id`, or without one with the same `at`, it is
        one refund. Raises NotFound for an order that was never taken, Invalid for more than is
        left of it.
        """
        given, now = self._moments(at)
        money, when = told.amount(value), given or now
        self._change(
            order_id,
            lambda order: changes.returned(order, lines, money, refund_id, when),
            connection,
        )

    def _change(self, order_id: str, change: Callable[[Order], Order], connection: Any) -> None:
        self._amend(order_id, lambda kept: change(told.known(kept, order_id)), connection)

    def _amend(
        self, order_id: str, change: Change, connection: Any, *, is_snapshot: bool = False
    ) -> None:
        made: list[Order] = []

        def changed(kept: Order | None) -> Order:
            made.append(change(kept))
            return made[-1]

        self._take(
            lambda outbox, tx: outbox.amend(
                self._route, self.flow, order_id, changed, is_snapshot=is_snapshot, tx=tx
            ),
            lambda: made[-1],
            connection,
        )

    def _take(
        self,
        work: Callable[[Outbox, Tx | None], Accepted],
        order: Callable[[], Order],
        connection: Any,
    ) -> None:
        """Accept something; raises Invalid, naming the fields, when it was refused."""
        tx = self._tx(connection)
        with told.to_callers():
            accepted = self._keep.use(lambda outbox: work(outbox, tx), is_opening=tx is None)
        if accepted.refused:
            desired(order(), self.flow)
            raise Invalid({"order": accepted.refused[0][1]})
        if self._delivers:
            self._background.wake()

    def _tx(self, connection: Any) -> Tx | None:
        if connection is None:
            return None
        if self._is_apart:
            raise Invalid(
                {
                    "connection": "the outbox is a file of its own, and no part of that"
                    " transaction: give `outbox` a function that connects to the shop's database"
                }
            )
        with told.to_callers():
            return joined(connection)

    def _moments(self, at: datetime | None) -> tuple[datetime | None, datetime]:
        return None if at is None else told.moment(at), self._clock()


class FakeTracker(Tracker):
    """A tracker that sends nothing: it shows what a destination would come to hold.

    Flow, plan and outbox are the real ones; only the network is not there.
    """

    def __init__(
        self,
        *,
        flow: Flow | str = "detailed",
        stages: Stages | None = None,
        source: str = "shop",
        outbox: Where | None = None,
        clock: Clock = utc_now,
    ) -> None:
        self._is_alone = outbox is None
        if outbox is None:
            self._folder = Path(mkdtemp(prefix="ordertrail-"))
            self._remove = weakref.finalize(self, rmtree, self._folder, ignore_errors=True)
            outbox = self._folder / "outbox"
        super().__init__(
            "http://fake.invalid",
            "fake",
            flow=flow,
            stages=stages,
            source=source,
            outbox=outbox,
            deliver=False,
            clock=clock,
        )
        self._held = FakeDestination()
        self._lock = threading.Lock()

    @property
    def calls(self) -> list[Call]:
        """All calls that would have been made so far, in their order."""
        return list(self._delivered().calls)

    def holds(self, order_id: str) -> dict[str, Any] | None:
        """Return the fields of the order's deal; None when there is no such deal."""
        return self._delivered().deals.get(order_id)

    def contact(self, custom_id: str) -> dict[str, Any] | None:
        """Return the fields of a contact; None when there is no such contact."""
        return self._delivered().contacts.get(custom_id)

    def events(
        self, name: str | None = None, *, order_id: str | None = None, sku: str | None = None
    ) -> list[HeldEvent]:
        """Return the events in their order: all of them, or those of a name, order or product."""
        return [
            each
            for each in self._delivered().events
            if name in (None, each.name)
            and order_id in (None, each.order_id)
            and sku in (None, each.sku)
        ]

    def drain(self, timeout_s: float = 30.0) -> bool:
        """Carry out what waits; this never takes long."""
        self._delivered()
        return super().drain(timeout_s)

    def verify(self, sample: int | None = None) -> Verified:
        """Carry out what waits; a fake holds what it was told, so nothing differs."""
        self._delivered()
        count = sum(1 for _ in self._truths(self._used(lambda outbox: outbox)))
        return Verified(count if sample is None else min(count, sample))

    def close(self) -> None:
        """Close the outbox, and remove one of its own."""
        super().close()
        if self._is_alone:
            self._remove()

    def _tx(self, connection: Any) -> Tx | None:
        return None if self._is_alone else super()._tx(connection)

    def _delivered(self) -> FakeDestination:
        with self._lock:
            self._used(self._deliver)
        return self._held

    def _deliver(self, outbox: Outbox) -> None:
        lease = outbox.join(self._route.destination, "fake")
        while leased := outbox.claim(lease):
            for operation in sorted(leased, key=lambda each: each.id):
                self._held.take(operation)
            outbox.settle(lease, [Held.of(each).done() for each in leased])
        outbox.leave(lease)
