"""One run of a sync: orders go into the outbox while what waits there is delivered."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence
from itertools import islice

from ordertrail.client.client import Client
from ordertrail.domain.errors import Refused, Unavailable
from ordertrail.domain.journal import Origin
from ordertrail.domain.order import Order
from ordertrail.sync.deliver import Deliverer
from ordertrail.sync.operations import Outcome, State
from ordertrail.sync.outbox import Accepted, Counts, Filter, Outbox, Settled
from ordertrail.sync.outbox_orders import Route
from ordertrail.sync.progress import Progress, Summary
from ordertrail.sync.rim import Rim
from ordertrail.sync.rules import Flow
from ordertrail.sync.shops.readings import Rejected
from ordertrail.sync.watch import Stopped
from ordertrail.sync.worker import Pace, deliverer, there


async def run(
    orders: Iterable[Order | Rejected],
    outbox: Outbox,
    client: Client,
    *,
    flow: Flow,
    source: str,
    progress: Callable[[Progress], None],
    pace: Pace | None = None,
    origin: Origin = Origin.LIVE,
) -> Summary:
    """Accept the orders and deliver everything that waits for the client's destination.

    What was parked before is tried once more, since what was wrong may be mended by now. Others
    may deliver from the same outbox at the same time.

    Cancelled or killed at any moment, it leaves the outbox such that the next run goes on from
    there. Raises whatever the iterable raises; the orders that it gave before are accepted.
    """
    pace = pace or Pace()
    begun = pace.rim.stopwatch()
    try:
        who = await there(client, pace, outbox)
    except Stopped as stop:
        return Summary(Progress(), client.url, pace.rim.stopwatch() - begun, stop.failure)
    feed = _Feed(orders, outbox, flow, Route(source, who.name), origin, pace)
    tally = _Tally(Progress().counted(await pace.rim.in_thread(feed.counts)), progress)
    worker = deliverer(outbox, client, who, pace, tally.settled)
    stopped = await _together(feed.run(tally, worker), worker.run())
    counts = await pace.rim.in_thread(feed.counts)
    tally.counted(counts)
    progress(tally.told)
    return Summary(tally.told, who.name, pace.rim.stopwatch() - begun, stopped)


async def deliver_waiting(outbox: Outbox, client: Client, *, pace: Pace | None = None) -> Summary:
    """Deliver everything that waits for the client's destination, and accept nothing.

    What was parked before is tried once more, as `run` does.
    """
    return await run((), outbox, client, flow=Flow(), source="", progress=lambda _: None, pace=pace)


async def work(outbox: Outbox, client: Client, *, pace: Pace, stop: asyncio.Event) -> None:
    """Deliver what is accepted, by whom and when ever, until told to stop.

    Nothing ends it but that: `pace.endurance` should neither stop a paused destination nor one
    that is away.
    """
    worker = deliverer(outbox, client, await there(client, pace, outbox), pace)
    running = asyncio.ensure_future(worker.run())
    stopping = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
        worker.stop()
        await running
    finally:
        stopping.cancel()
        running.cancel()
        await asyncio.wait({running})


class _Tally:
    """Keeps the progress of a run, tells it, and wakes who waits for room in the outbox.

    What is kept may be below zero for a moment, so that it is right again when the rest is heard.
    """

    def __init__(self, told: Progress, tell: Callable[[Progress], None]) -> None:
        self.told = told
        self._tell = tell
        self._fewer = asyncio.Event()

    def rejected(self, count: int) -> None:
        self.told = self.told.rejecting(count)
        self._tell(self.told.shown)

    def accepted(self, accepted: Accepted) -> None:
        self.told = self.told.accepted(accepted)
        self._tell(self.told.shown)

    def settled(self, _: Sequence[Outcome], settled: Settled) -> None:
        self.told = self.told.settled(settled)
        self._fewer.set()
        self._tell(self.told.shown)

    def retried(self, count: int) -> None:
        self.told = self.told.retrying(count)

    def counted(self, counts: Counts) -> None:
        self.told = self.told.counted(counts)

    async def fewer(self, rim: Rim, poll_s: float) -> None:
        """Wait until less waits, as far as this run knows; others may deliver as well."""
        self._fewer.clear()
        await rim.until(self._fewer, poll_s)


class _Feed:
    """Reads orders into the outbox, no faster than they are delivered."""

    def __init__(
        self,
        orders: Iterable[Order | Rejected],
        outbox: Outbox,
        flow: Flow,
        route: Route,
        origin: Origin,
        pace: Pace,
    ) -> None:
        self._orders = iter(orders)
        self._outbox = outbox
        self._flow = flow
        self._route = route
        self._origin = origin
        self._pace = pace

    def counts(self) -> Counts:
        """Count what the outbox holds for the destination."""
        return self._outbox.counts(self._route.destination)

    async def run(self, tally: _Tally, worker: Deliverer) -> None:
        """Read until there are none, then let what is parked be tried once more."""
        in_thread = self._pace.rim.in_thread
        while True:
            await self._room(tally)
            accepted, rejected, is_over = await in_thread(self._accept_some)
            if rejected:
                tally.rejected(rejected)
            if accepted is not None:
                tally.accepted(accepted)
                if accepted.mended:
                    tally.counted(await in_thread(self.counts))
                worker.wake()
            if is_over:
                break
        parked = Filter(states=(State.PARKED,))
        count = await in_thread(lambda: self._outbox.retry(self._route.destination, parked))
        tally.retried(count)
        worker.close()

    async def _room(self, tally: _Tally) -> None:
        """Wait until less waits; only what others have clearly delivered is counted anew."""
        rim, limits = self._pace.rim, self._pace.limits
        while (before := tally.told.waiting) >= self._pace.waiting_max:
            await tally.fewer(rim, limits.poll_s)
            if tally.told.waiting != before:
                continue
            counts = await rim.in_thread(self.counts)
            left = counts.waiting + counts.leased
            if before - left > limits.unsettled_max:
                tally.counted(counts)
            elif left < self._pace.waiting_max:
                return

    def _accept_some(self) -> tuple[Accepted | None, int, bool]:
        read = list(islice(self._orders, self._pace.orders_at_once))
        orders = [each for each in read if isinstance(each, Order)]
        accepted = None
        if orders:
            accepted = self._outbox.accept(self._route, self._flow, orders, origin=self._origin)
        self._outbox.refuse(self._route, _refused(read))
        return accepted, len(read) - len(orders), not read


def _refused(read: Sequence[Order | Rejected]) -> list[tuple[str, str]]:
    """Return what was no order but has the id of one, unless a good snapshot of it came later."""
    last = {each.order_id if isinstance(each, Rejected) else each.id: each for each in read}
    return [
        (each.order_id, str(each))
        for each in last.values()
        if isinstance(each, Rejected) and each.order_id is not None
    ]


async def _together(
    feeding: Coroutine[None, None, None], delivering: Coroutine[None, None, None]
) -> Refused | Unavailable | None:
    """Run both to the end, or until one fails; return what stopped the delivery, if anything."""
    tasks = [asyncio.create_task(feeding), asyncio.create_task(delivering)]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    failures = [task.exception() for task in tasks if not task.cancelled()]
    for failure in failures:
        if isinstance(failure, Stopped):
            return failure.failure
        if failure is not None:
            raise failure
    return None
