"""Time, chance and threads, as the delivery meets them; a simulation brings its own."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from ordertrail.kit.clock import Clock, utc_now
from ordertrail.sync.threads import finished

T = TypeVar("T")


class InThread(Protocol):
    """How work with the database is run; even a cancelled caller waits for its end."""

    def __call__(self, work: Callable[[], T]) -> Awaitable[T]:
        """Return what the work returns."""
        ...


@dataclass(frozen=True, slots=True)
class Rim:
    """Time and chance; waits are in seconds, `jitter` gives numbers in [0, 1)."""

    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    stopwatch: Callable[[], float] = time.monotonic
    jitter: Callable[[], float] = random.random
    now: Clock = utc_now
    in_thread: InThread = finished

    async def until(self, event: asyncio.Event, seconds: float) -> None:
        """Return when the event is set, or after so many seconds."""
        waiting = [asyncio.ensure_future(event.wait()), asyncio.ensure_future(self.sleep(seconds))]
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waiting:
                each.cancel()
