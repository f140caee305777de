"""Settling: outcomes of operations are written down in groups, as many as wait by then."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Generic, TypeVar

from ordertrail.sync.operations import Outcome
from ordertrail.sync.rim import Rim

W = TypeVar("W")


class Settler(Generic[W]):
    """Writes outcomes down while new ones arrive; at most about `unsettled_max` are not on disk.

    `write` writes outcomes in one commit, `on_settled` is told which ones are on disk, and what
    writing them gave.
    """

    def __init__(
        self,
        write: Callable[[Sequence[Outcome]], W],
        unsettled_max: int,
        on_settled: Callable[[Sequence[Outcome], W], None],
        rim: Rim,
    ) -> None:
        self._write = write
        self._unsettled_max = unsettled_max
        self._on_settled = on_settled
        self._rim = rim
        self._outcomes: list[Outcome] = []
        self._under_way: list[Outcome] = []
        self._arrived = asyncio.Event()
        self._room = asyncio.Event()

    @property
    def is_full(self) -> bool:
        """Whether as many outcomes as allowed are not on disk."""
        return len(self._outcomes) + len(self._under_way) >= self._unsettled_max

    def add(self, outcomes: Iterable[Outcome]) -> None:
        """Take outcomes to be written, in this order."""
        self._outcomes.extend(outcomes)
        self._arrived.set()

    async def room(self) -> None:
        """Wait while too many outcomes are not on disk."""
        while self.is_full:
            self._room.clear()
            await self._room.wait()

    async def run(self) -> None:
        """Write outcomes until cancelled."""
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            self._under_way, self._outcomes = self._outcomes, []
            await self._settle(self._under_way)

    async def flush(self) -> None:
        """Write what is not on disk."""
        rest = [*self._under_way, *self._outcomes]
        self._under_way, self._outcomes = rest, []
        if rest:
            await self._settle(rest)

    async def _settle(self, outcomes: Sequence[Outcome]) -> None:
        """Write them and tell; they are written also when this is cancelled meanwhile."""
        written: list[W] = []
        try:
            await self._rim.in_thread(lambda: written.append(self._write(outcomes)))
        finally:
            for result in written:
                self._under_way = []
                self._room.set()
                self._on_settled(outcomes, result)
