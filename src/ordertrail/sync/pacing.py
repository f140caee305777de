"""Keeping the pace: a worker's calls wait for their turns, which its destination's workers share.

Turns are reserved a second's worth at a time, so that the shared pace is touched about once a
second and not with every call.
"""

import asyncio
import math
from collections import deque
from dataclasses import replace

from ordertrail.sync import pace
from ordertrail.sync.pace import Slots
from ordertrail.sync.rim import Rim
from ordertrail.sync.standing import Board, Standing

MEASURED_S = 1.0
STALE_S = 0.25
"""A turn that was missed by more than this is not made up for."""


class Pacer:
    """Gives one worker's calls their turns; without any limit that costs next to nothing.

    `limit_per_s` is the destination's limit if it is known. `retry_after_s_max` bounds for how
    long a single answer can hold everybody back.
    """

    def __init__(
        self, board: Board, rim: Rim, limit_per_s: float | None, retry_after_s_max: float = 3_600.0
    ) -> None:
        self._board = board
        self._rim = rim
        self._limit_per_s = limit_per_s
        self._retry_after_s_max = retry_after_s_max
        self._is_limited = True  # until the shared pace says that it is not
        self._turn = asyncio.Lock()
        self._wanted = 0
        self._slots: deque[float] = deque()
        self._last_slot = self._reserved_at = -math.inf
        self._reserved = 0
        self._spacing_s = 0.0
        self._recent: deque[float] = deque(maxlen=_window(limit_per_s))
        self._held_until = -math.inf
        self._lowered_at = -math.inf
        self._measured_since = -math.inf
        self._counted = 0
        self._counted_before = 0.0

    async def turn(self) -> float:
        """Wait until a call may be made, and return the stopwatch's time."""
        if self._is_limited or self._held_until > self._rim.stopwatch():
            self._wanted += 1
            try:
                async with self._turn:
                    await self._wait()
            finally:
                self._wanted -= 1
        return self._rim.stopwatch()

    def accepted(self) -> None:
        """Count a call that did not come too soon."""
        now = self._rim.stopwatch()
        elapsed_s = now - self._measured_since
        if elapsed_s >= MEASURED_S:
            self._counted_before = self._counted / elapsed_s
            self._measured_since, self._counted = now, 0
        self._counted += 1

    def asked_s(self, retry_after_s: float | None) -> float:
        """Return for how long such an answer keeps calls back: within bounds what it asks for."""
        return min(pace.HOLD_S if retry_after_s is None else retry_after_s, self._retry_after_s_max)

    async def refused(self, sent_at: float, retry_after_s: float | None) -> None:
        """Tell all workers that a call which was sent then came too soon."""
        asked_s, now = self.asked_s(retry_after_s), self._rim.stopwatch()
        self.hold(asked_s)
        if sent_at < self._lowered_at:
            return
        self._lowered_at = now
        per_s = max(
            self._counted / max(now - self._measured_since, MEASURED_S), self._counted_before
        )

        def lowered(standing: Standing, at: float) -> tuple[Standing, None]:
            rate = pace.refused(
                standing.rate,
                self._limit_per_s,
                at,
                sent_s_ago=now - sent_at,
                retry_after_s=asked_s,
                sent_per_s=per_s,
            )
            return replace(standing, rate=rate), None

        await self._board.change(lowered)
        self._is_limited = True

    def hold(self, seconds: float) -> None:
        """Let this worker make no call for so long."""
        self._held_until = max(self._held_until, self._rim.stopwatch() + seconds)
        self._slots.clear()

    async def _wait(self) -> None:
        while True:
            if self._is_limited:
                await self._fill()
            slot = self._slots.popleft() if self._slots else -math.inf
            wait_s = max(slot, self._held_until, self._room_at()) - self._rim.stopwatch()
            if wait_s > 0.0:
                await self._rim.sleep(wait_s)
            if self._held_until <= (now := self._rim.stopwatch()):
                self._recent.append(now)
                return

    async def _fill(self) -> None:
        """Have a slot at hand that was not missed, and some more if they are wanted."""
        now = self._rim.stopwatch()
        while self._slots and self._slots[0] < now - STALE_S:
            self._slots.popleft()
        if len(self._slots) > min(self._wanted - 1, self._low()):
            return
        is_steady = now - self._reserved_at < pace.RESERVED_S
        wanted = max(self._wanted - len(self._slots), 2 * self._reserved if is_steady else 1)

        def reserved(standing: Standing, at: float) -> tuple[Standing, tuple[float, Slots | None]]:
            rate, slots = pace.reserve(standing.rate, self._limit_per_s, at, wanted)
            return replace(standing, rate=rate), (self._rim.stopwatch(), slots)

        begun, slots = await self._board.change(reserved)
        self._is_limited = slots is not None
        if slots is not None:
            self._spacing_s = slots.spacing_s
            first = max(begun + slots.first_in_s, self._last_slot + slots.spacing_s)
            self._slots.extend(first + n * slots.spacing_s for n in range(slots.count))
            self._last_slot = self._slots[-1]
            self._reserved, self._reserved_at = slots.count, now

    def _low(self) -> int:
        """Return how few slots are few: a quarter of a second's worth."""
        return int(pace.RESERVED_S / 4 / self._spacing_s) if self._spacing_s else 0

    def _room_at(self) -> float:
        """Return when a call more keeps to the limit, however late those before it were made."""
        if self._limit_per_s is None or len(self._recent) < (self._recent.maxlen or 0):
            return -math.inf
        return self._recent[0] + len(self._recent) / self._limit_per_s


def _window(limit_per_s: float | None) -> int:
    return 1 if limit_per_s is None else max(1, math.floor(limit_per_s))
