"""Reads off the event loop: threads that each take the next read that waits."""

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from ordertrail.kit.database import Database, Near, QueryTooSlow, Reader

T = TypeVar("T")


class TooManyReads(Exception):
    """More reads wait than are accepted; ask again after `retry_after_s`."""

    retry_after_s = 1.0


@dataclass(slots=True)
class _Waiting:
    work: Callable[[Reader], Any]
    future: asyncio.Future[Any]
    loop: asyncio.AbstractEventLoop


class Readers:
    """A fixed number of reading threads before a bounded queue."""

    def __init__(
        self,
        database: Database,
        *,
        threads: int = 2,
        waiting_max: int = 2_000,
        near: Near | None = None,
    ) -> None:
        self._database = database
        self._near = near
        self._waiting_max = waiting_max
        self._queue: deque[_Waiting] = deque()
        self._changed = threading.Condition()
        self._is_closed = False
        self._threads = [
            threading.Thread(target=self._run, name=f"reader-{number}", daemon=True)
            for number in range(threads)
        ]

    @property
    def waiting(self) -> int:
        """How many reads wait for a thread."""
        return len(self._queue)

    def start(self) -> None:
        """Begin to read."""
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Finish the reads that were accepted and stop."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    async def read(self, work: Callable[[Reader], T]) -> T:
        """Return what the work returns, run on one snapshot in a reading thread."""
        loop = asyncio.get_running_loop()
        waiting = _Waiting(work, loop.create_future(), loop)
        with self._changed:
            if self._is_closed or len(self._queue) >= self._waiting_max:
                raise TooManyReads("too many reads are waiting")
            self._queue.append(waiting)
            self._changed.notify()
        return await waiting.future  # type: ignore[no-any-return]

    async def look(self, work: Callable[[Reader], T]) -> T:
        """Return what a look-up of a few rows finds: at once, if the database is near.

        One that takes long after all is begun anew in a reading thread.
        """
        if self._near is not None:
            with contextlib.suppress(QueryTooSlow):
                return self._near.look(work)
        return await self.read(work)

    def _run(self) -> None:
        while (waiting := self._take()) is not None:
            try:
                answer, error = self._database.read(waiting.work), None
            except Exception as failure:
                answer, error = None, failure
            if not waiting.loop.is_closed():
                waiting.loop.call_soon_threadsafe(_settle, waiting.future, answer, error)

    def _take(self) -> _Waiting | None:
        """The next read; None when closed and everything accepted is done."""
        with self._changed:
            while not self._queue and not self._is_closed:
                self._changed.wait()
            return self._queue.popleft() if self._queue else None


def _settle(future: asyncio.Future[Any], answer: Any, error: Exception | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(answer)
    else:
        future.set_exception(error)
