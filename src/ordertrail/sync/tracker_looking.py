"""What a tracker tells the shop: what waits, what was given up, and what differs over there."""

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TypeVar

from ordertrail.client.client import Client
from ordertrail.sync import truths
from ordertrail.sync.asking import Asker
from ordertrail.sync.operations import State
from ordertrail.sync.outbox import Counts, Filter, Outbox, Quarantined
from ordertrail.sync.outbox_orders import Route
from ordertrail.sync.rules import Flow
from ordertrail.sync.tracker_background import Background
from ordertrail.sync.tracker_keep import Keep
from ordertrail.sync.tracker_told import Parked, to_callers
from ordertrail.sync.verify import Reader, Truth, Verified, verify
from ordertrail.sync.watch import Stopped
from ordertrail.sync.worker import Pace, there

T = TypeVar("T")

LOOK_S = 0.2
LIST_MAX = 1_000


class Looking:
    """The questions that a tracker answers; it takes orders besides.

    `connect` gives a client, `pace` tells how verifying goes about its work, `on_drift` is told
    of each order that differs.
    """

    def __init__(
        self,
        keep: Keep,
        route: Route,
        flow: Flow,
        background: Background,
        connect: Callable[[], Client],
        pace: Pace,
        *,
        delivers: bool,
        on_drift: Callable[[str], object] | None,
    ) -> None:
        self.flow = flow
        self._keep = keep
        self._route = route
        self._background = background
        self._connect = connect
        self._pace = pace
        self._delivers = delivers
        self._on_drift = on_drift

    def pending(self) -> int:
        """Count the calls that are still to be made."""
        counts = self.counts()
        return counts.waiting + counts.leased

    def counts(self) -> Counts:
        """Count the calls by state, and the orders in quarantine."""
        return self._used(lambda outbox: outbox.counts(self._route.destination))

    def parked(self, limit: int = LIST_MAX) -> list[Parked]:
        """Return the calls that were given up."""
        wanted = Filter(states=(State.PARKED,), limit=limit)
        found = self._used(lambda outbox: outbox.listed(self._route.destination, wanted))
        return [Parked.of(each, each.reason) for each in found]

    def quarantined(self, limit: int = LIST_MAX) -> list[Quarantined]:
        """Return the orders whose newest snapshot cannot be true, with the reasons."""
        return self._used(lambda outbox: outbox.quarantined(self._route.destination, limit))

    def drain(self, timeout_s: float = 30.0) -> bool:
        """Wait until nothing waits any more; False when that takes longer."""
        until = time.monotonic() + timeout_s
        if self._delivers:
            self._background.wake()
        while self.pending():
            left_s = until - time.monotonic()
            if left_s <= 0:
                return False
            self._background.wait_for_news(min(left_s, LOOK_S))
        return True

    def verify(self, sample: int | None = None) -> Verified:
        """Compare the orders that were taken here with what the destination holds.

        `on_drift` is told of each order that differs, also of one whose calls still wait. With a
        `sample`, so many orders are looked at, each as likely as the others. Nothing is mended.
        It reads the destination at its pace and returns when it is through; not to be called in
        an event loop. Raises Unauthorised or Forbidden for the token, and Unavailable when nobody
        answers.
        """
        with to_callers():
            return asyncio.run(self._verified(sample))

    def _used(self, work: Callable[[Outbox], T]) -> T:
        with to_callers():
            return self._keep.use(work)

    async def _verified(self, sample: int | None) -> Verified:
        outbox = self._keep.use(lambda opened: opened)
        in_thread = self._keep.guarding(self._pace.rim.in_thread)
        pace = replace(self._pace, rim=replace(self._pace.rim, in_thread=in_thread))
        async with self._connect() as client:
            try:
                who = replace(await there(client, pace), name=self._route.destination)
            except Stopped as stop:
                raise stop.failure from None
            every = self._truths(outbox)
            return await verify(
                every if sample is None else truths.sampled(every, sample),
                self.flow,
                Reader(Asker(client, who, pace, outbox)),
                on_drift=lambda order_id, _: self._on_drift and self._on_drift(order_id),
            )

    def _truths(self, outbox: Outbox) -> Iterator[Truth]:
        """Yield what is kept of each order; a fork waits for a step of it and not for the whole."""
        given = truths.of_outbox(outbox, self._route)
        while (truth := self._keep.use(lambda _: next(given, None))) is not None:
            yield truth
