"""Delivery in the background of a shop's own process: one thread with an event loop of its own.

Nothing is lost when it ends, however it ends: what was accepted is on disk. It ends by being told,
when the process does; it is a daemon, so a process never waits for it longer than told.
"""

import asyncio
import logging
import queue
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from ordertrail.kit.database import DatabaseAway, DatabaseRefused
from ordertrail.sync.rim import InThread
from ordertrail.sync.threads import ended

T = TypeVar("T")

FIRST_WAIT_S, WAIT_S_MAX = 1.0, 60.0
"""How long delivery rests after it failed, at first and at most."""

_log = logging.getLogger("ordertrail.tracker")


class Worker(Protocol):
    """Who delivers, and can be told things in its own event loop."""

    def wake(self) -> None:
        """Tell that operations were added to the outbox."""
        ...

    def stop(self) -> None:
        """End soon: wait for the answers to what is under way, and give the rest back."""
        ...


class Serve(Protocol):
    """Delivers until told to stop."""

    def __call__(self, in_thread: InThread, begun: Callable[[Worker], None]) -> Awaitable[None]:
        """Make a worker whose work with the database goes through `in_thread`, and run it.

        The worker is handed to `begun` before it runs.
        """
        ...


class Delivery:
    """A worker in a thread of its own, begun again whenever it fails."""

    def __init__(self, serve: Serve, name: str, first_wait_s: float = FIRST_WAIT_S) -> None:
        self._serve = serve
        self._first_wait_s = first_wait_s
        self._database = _Hand(f"{name}-database")
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._worker: Worker | None = None
        self._serving: asyncio.Task[None] | None = None
        self._stopping = threading.Event()

    def start(self) -> None:
        """Begin to deliver."""
        self._database.start()
        self._thread.start()

    def wake(self) -> None:
        """Tell that operations were added to the outbox."""
        self._tell(lambda worker: worker.wake())

    def stop(self, timeout_s: float) -> bool:
        """End, giving back what is not delivered; False when that takes longer than told."""
        self._stopping.set()
        self._tell(lambda worker: worker.stop(), lambda serving: serving.cancel())
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _tell(
        self,
        tell: Callable[[Worker], object],
        instead: Callable[["asyncio.Task[None]"], object] | None = None,
    ) -> None:
        """Tell the worker something in its own thread; `instead` is for one that is not there."""
        with self._lock:
            loop, worker, serving = self._loop, self._worker, self._serving
            if loop is not None and worker is not None:
                loop.call_soon_threadsafe(tell, worker)
            elif loop is not None and serving is not None and instead is not None:
                loop.call_soon_threadsafe(instead, serving)

    def _run(self) -> None:
        try:
            self._deliver()
        finally:
            self._database.stop()

    def _deliver(self) -> None:
        wait_s = self._first_wait_s
        while not self._stopping.is_set():
            failure = asyncio.run(self._once())
            if failure is None:
                wait_s = self._first_wait_s
                continue
            is_known = isinstance(failure, DatabaseAway | DatabaseRefused)
            _log.error(
                "delivery begins again in %.0f s: %s",
                wait_s,
                failure or type(failure).__name__,
                exc_info=None if is_known else failure,
            )
            self._stopping.wait(wait_s)
            wait_s = min(wait_s * 2, WAIT_S_MAX)

    async def _once(self) -> Exception | None:
        """Deliver until told to stop, and return what ended it instead, if anything."""
        serving = asyncio.ensure_future(self._served())
        self._set(asyncio.get_running_loop(), serving)
        if self._stopping.is_set():
            serving.cancel()
        try:
            await serving
        except asyncio.CancelledError:
            return None
        except Exception as failure:
            return failure
        finally:
            self._set(None, None)
        return None

    async def _served(self) -> None:
        await self._serve(self._database.finished, self._begun)

    def _begun(self, worker: Worker) -> None:
        with self._lock:
            self._worker = worker
        if self._stopping.is_set():
            worker.stop()

    def _set(
        self, loop: asyncio.AbstractEventLoop | None, serving: "asyncio.Task[None] | None"
    ) -> None:
        with self._lock:
            self._loop, self._serving, self._worker = loop, serving, None


@dataclass(frozen=True, slots=True)
class _Job:
    work: Callable[[], Any]
    result: "Future[Any]"


class _Hand:
    """A thread that does the delivery's work with the database, one piece after the other.

    The event loop's own threads end before a process says that it is ending; this one does not,
    so that leases can still be given back then.
    """

    def __init__(self, name: str) -> None:
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin to take work."""
        self._thread.start()

    def stop(self) -> None:
        """Do what was taken, then end."""
        self._jobs.put(None)

    async def finished(self, work: Callable[[], T]) -> T:
        """Return what the work returns; even a cancelled caller waits for its end."""
        result: Future[T] = Future()
        self._jobs.put(_Job(work, result))
        return await ended(asyncio.wrap_future(result))

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                result = job.work()
            except BaseException as failure:
                job.result.set_exception(failure)
            else:
                job.result.set_result(result)
