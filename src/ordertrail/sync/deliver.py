"""Delivery: lanes in parallel, each in order; a lane goes on when its outcomes are on disk.

What is under way when delivery ends stays waiting in the outbox. It is made again later, under
its permanent key, which makes that harmless.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from ordertrail.sync import lanes
from ordertrail.sync.lanes import Lane
from ordertrail.sync.outbox import Outbox
from ordertrail.sync.outbox_operations import Waiting
from ordertrail.sync.sending import Sender
from ordertrail.sync.settling import Settled, Settler
from ordertrail.sync.threads import finished


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is under way at once, in operations unless the name says otherwise."""

    calls_max: int = 32
    lanes_max: int = 32
    of_one_lane_max: int = 8
    unsettled_max: int = 1_000
    read_max: int = 2_000


class Deliverer:
    """Delivers what waits in an outbox for one destination, until closed and nothing waits."""

    def __init__(
        self,
        outbox: Outbox,
        destination: str,
        sender: Sender,
        *,
        limits: Limits,
        on_settled: Callable[[Settled], None],
    ) -> None:
        self._outbox = outbox
        self._destination = destination
        self._sender = sender
        self._limits = limits
        self._on_settled = on_settled
        self._settler = Settler(outbox, limits.unsettled_max, self._settled)
        ready_max = limits.lanes_max * limits.of_one_lane_max
        self._ready: asyncio.Queue[tuple[Waiting, Lane]] = asyncio.Queue(ready_max)
        self._slots = asyncio.Semaphore(limits.lanes_max)
        self._busy: Counter[str] = Counter()
        self._behind = ""
        self._changed = asyncio.Event()
        self._is_closed = False

    def wake(self) -> None:
        """Tell that operations were added to the outbox."""
        self._changed.set()

    def close(self) -> None:
        """Tell that none will be added any more: deliver what is left, then end."""
        self._is_closed = True
        self._changed.set()

    async def run(self) -> None:
        """Deliver; raises Stopped when the destination takes nothing, and leaves all waiting."""
        try:
            async with asyncio.TaskGroup() as group:
                helpers = [group.create_task(self._settler.run())]
                helpers += [group.create_task(self._work()) for _ in range(self._limits.calls_max)]
                await self._start_lanes()
                for helper in helpers:
                    helper.cancel()
        except BaseExceptionGroup as failures:
            raise _first(failures) from failures
        finally:
            self._settler.flush()

    async def _start_lanes(self) -> None:
        """Start lanes as there is room for them, until closed and nothing is left."""
        while True:
            self._changed.clear()
            is_mid_round = bool(self._behind)
            is_last = self._is_closed and not self._busy and not is_mid_round
            found = await self._read()
            for lane in found:
                await self._slots.acquire()
                self._busy[lane.name] += 1
                self._make_ready(lane, lane.begin())
            if not found and is_last:
                return
            if not found and not is_mid_round:
                await self._changed.wait()

    async def _read(self) -> list[Lane]:
        """Return the next lanes that are not busy; the rest of a long one comes in a later round.

        Cut off or not, a lane is busy until all of it is settled, so its order is kept.
        """
        behind, busy, limit = self._behind, list(self._busy), self._limits.read_max
        operations = await finished(
            lambda: self._outbox.waiting(self._destination, after=behind, busy=busy, limit=limit)
        )
        self._behind = operations[-1].lane if len(operations) == limit else ""
        return lanes.split(operations, self._limits.of_one_lane_max)

    async def _work(self) -> None:
        """Make operations that are ready, one at a time, until cancelled."""
        while True:
            operation, lane = await self._ready.get()
            outcome = await self._sender.outcome(operation)
            self._busy[lane.name] += 1
            await self._settler.add(outcome)
            following = lane.after(outcome)
            if following is None:
                self._slots.release()
                self._let_go(lane.name)
            else:
                self._make_ready(lane, following)

    def _make_ready(self, lane: Lane, operations: list[Waiting]) -> None:
        for operation in operations:
            self._ready.put_nowait((operation, lane))

    def _settled(self, settled: Settled) -> None:
        for outcome in settled.outcomes:
            self._let_go(outcome.operation.lane)
        self._on_settled(settled)

    def _let_go(self, lane: str) -> None:
        """A lane is busy while it is sent and until the last of its outcomes is on disk."""
        self._busy[lane] -= 1
        if not self._busy[lane]:
            del self._busy[lane]
            self._changed.set()


def _first(failures: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the failure that ended the group; others came while it was being ended."""
    first = failures.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first
