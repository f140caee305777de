"""One run of a sync: orders go into the outbox while what waits there is delivered."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass, field
from itertools import islice

from ordertrail.client.client import Client
from ordertrail.domain.errors import Refused, Unavailable
from ordertrail.domain.order import Order
from ordertrail.sync.deliver import Deliverer, Limits
from ordertrail.sync.flow import Flow
from ordertrail.sync.outbox import Accepted, Outbox
from ordertrail.sync.outbox_operations import Counts
from ordertrail.sync.outbox_orders import Route
from ordertrail.sync.progress import Progress, Summary
from ordertrail.sync.sending import Rim, Sender, Stopped
from ordertrail.sync.settling import Settled
from ordertrail.sync.threads import finished
from ordertrail.sync.verdict import Patience


@dataclass(frozen=True, slots=True)
class Pace:
    """How a run goes about its work; reading pauses while `waiting_max` operations wait."""

    limits: Limits = field(default_factory=Limits)
    patience: Patience = field(default_factory=Patience)
    rim: Rim = field(default_factory=Rim)
    orders_at_once: int = 25
    waiting_max: int = 20_000


async def run(
    orders: Iterable[Order],
    outbox: Outbox,
    client: Client,
    *,
    flow: Flow,
    source: str,
    progress: Callable[[Progress], None],
    pace: Pace | None = None,
) -> Summary:
    """Accept the orders and deliver everything that waits for the client's destination.

    What was parked before is tried once more, since what was wrong may be mended by now.

    Cancelled or killed at any moment, it leaves the outbox such that the next run goes on from
    there. Raises DatabaseRefused while somebody else delivers from this outbox, and whatever the
    iterable raises; the orders that it gave before are accepted.
    """
    pace = pace or Pace()
    begun = pace.rim.stopwatch()
    sender = Sender(client, pace.patience, pace.rim)
    with outbox.delivering():
        try:
            destination = await sender.destination()
        except Stopped as stop:
            seconds = pace.rim.stopwatch() - begun
            return Summary(Progress(), client.url, seconds, stop.failure)
        counts = await finished(lambda: outbox.counts(destination))
        tally = _Tally(Progress().counted(counts), progress)
        deliverer = Deliverer(
            outbox, destination, sender, limits=pace.limits, on_settled=tally.settled
        )
        route, source_of_orders = Route(source, destination), iter(orders)

        def accept_some() -> Accepted:
            return outbox.accept(route, flow, list(islice(source_of_orders, pace.orders_at_once)))

        def retry_parked() -> int:
            return outbox.retry_parked(destination)

        def count() -> Counts:
            return outbox.counts(destination)

        feeding = _feed(accept_some, retry_parked, count, tally, deliverer, pace.waiting_max)
        stopped = await _together(feeding, deliverer.run())
        counts = await finished(lambda: outbox.counts(destination))
    seconds = pace.rim.stopwatch() - begun
    return Summary(tally.told.counted(counts), destination, seconds, stopped)


class _Tally:
    """Keeps the progress of a run, tells it, and wakes who waits for room in the outbox."""

    def __init__(self, told: Progress, tell: Callable[[Progress], None]) -> None:
        self.told = told
        self._tell = tell
        self._fewer = asyncio.Event()

    def accepted(self, accepted: Accepted) -> None:
        self.told = self.told.accepted(accepted)
        self._tell(self.told)

    def settled(self, settled: Settled) -> None:
        self.told = self.told.settled(settled)
        self._fewer.set()
        self._tell(self.told)

    def counted(self, counts: Counts) -> None:
        self.told = self.told.counted(counts)

    async def room(self, waiting_max: int) -> None:
        while self.told.waiting >= waiting_max:
            self._fewer.clear()
            await self._fewer.wait()


async def _feed(
    accept_some: Callable[[], Accepted],
    retry_parked: Callable[[], int],
    count: Callable[[], Counts],
    tally: _Tally,
    deliverer: Deliverer,
    waiting_max: int,
) -> None:
    """Read orders into the outbox until there are none, no faster than they are delivered.

    What is still parked then is tried once more.
    """
    while True:
        await tally.room(waiting_max)
        accepted = await finished(accept_some)
        if not accepted.orders:
            break
        tally.accepted(accepted)
        if accepted.mended:
            tally.counted(await finished(count))
        deliverer.wake()
    if await finished(retry_parked):
        tally.counted(await finished(count))
    deliverer.close()


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
