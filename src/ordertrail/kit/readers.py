"""Reads off the event loop: threads that take what waits and answer it with one wake-up."""

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from ordertrail.kit.database import Database, Reader

T = TypeVar("T")

GROUP_MAX = 16


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

    def __init__(self, database: Database, *, threads: int = 2, waiting_max: int = 2_000) -> None:
        self._database = database
        self._waiting_max = waiting_max
        self._queue: deque[_Waiting] = deque()
        self._changed = threading.Condition()
        self._is_closed = False
        self._threads = [
            threading.Thread(target=self._run, name=f"reader-{number}", daemon=True)
            for number in range(threads)
        ]

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

    def _run(self) -> None:
        while group := self._take():
            answers = [(each, *self._answer(each.work)) for each in group]
            for loop in {each.loop for each in group}:
                if not loop.is_closed():
                    loop.call_soon_threadsafe(_settle, [a for a in answers if a[0].loop is loop])

    def _take(self) -> list[_Waiting]:
        with self._changed:
            while not self._queue and not self._is_closed:
                self._changed.wait()
            return [self._queue.popleft() for _ in range(min(GROUP_MAX, len(self._queue)))]

    def _answer(self, work: Callable[[Reader], Any]) -> tuple[Any, Exception | None]:
        try:
            return self._database.read(work), None
        except Exception as error:
            return None, error


def _settle(answers: list[tuple[_Waiting, Any, Exception | None]]) -> None:
    for waiting, result, error in answers:
        if waiting.future.done():
            continue
        if error is None:
            waiting.future.set_result(result)
        else:
            waiting.future.set_exception(error)
