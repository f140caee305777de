"""Settling: outcomes of operations are written down in groups, as many as wait by then."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from ordertrail.sync.outbox import Outbox
from ordertrail.sync.outbox_operations import Outcome
from ordertrail.sync.threads import finished


@dataclass(frozen=True, slots=True)
class Settled:
    """Outcomes that are on disk, and how many operations were parked behind parked ones."""

    outcomes: list[Outcome]
    followers_parked: int


class Settler:
    """Writes outcomes down while new ones arrive; at most about `unsettled_max` are not on disk."""

    def __init__(
        self, outbox: Outbox, unsettled_max: int, on_settled: Callable[[Settled], None]
    ) -> None:
        self._outbox = outbox
        self._unsettled_max = unsettled_max
        self._on_settled = on_settled
        self._outcomes: list[Outcome] = []
        self._under_way: list[Outcome] = []
        self._arrived = asyncio.Event()
        self._room = asyncio.Event()

    async def add(self, outcome: Outcome) -> None:
        """Take an outcome to be written; waits while too many are not on disk."""
        self._outcomes.append(outcome)
        self._arrived.set()
        while len(self._outcomes) + len(self._under_way) >= self._unsettled_max:
            self._room.clear()
            await self._room.wait()

    async def run(self) -> None:
        """Write outcomes until cancelled."""
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            self._under_way, self._outcomes = self._outcomes, []
            followers = await finished(lambda: self._outbox.settle(self._under_way))
            settled, self._under_way = Settled(self._under_way, followers), []
            self._room.set()
            self._on_settled(settled)

    def flush(self) -> None:
        """Write at once what is not on disk; an outcome that was just written may be again."""
        rest = [*self._under_way, *self._outcomes]
        self._under_way, self._outcomes = [], []
        if rest:
            self._on_settled(Settled(rest, self._outbox.settle(rest)))
