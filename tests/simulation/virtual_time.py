"""Time that passes only when nothing is left to do: an event loop without a socket or a thread."""

import asyncio
from collections.abc import Callable
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

RESOLUTION_S = 1e-6
BEGIN = datetime(2026, 3, 28, 22, 0, tzinfo=UTC)
"""Three hours before Europe puts its clocks forward."""


class Host(Protocol):
    """Whose work it is; runs what the work hands to a thread, when and if it likes."""

    def run(self, loop: "Loop", work: Callable[[], Any]) -> "asyncio.Future[Any]":
        """Run the work on the one thread that there is, and return a future of its result."""
        ...


HOST: ContextVar[Host | None] = ContextVar("host", default=None)
"""The simulated process that the running task belongs to."""


class Stuck(Exception):
    """Nothing is left that could ever happen."""


class _Selector:
    """Waits for nothing: to wait until the next timer is to be there."""

    def __init__(self, jump: Callable[[float | None], None]) -> None:
        self._jump = jump

    def select(self, timeout: float | None) -> list[Any]:
        if timeout is None or timeout > 0:
            self._jump(timeout)
        return []

    def close(self) -> None:
        pass


class Loop(asyncio.BaseEventLoop):
    """An event loop whose time is a number; when nothing is ready, it is the next timer's time."""

    def __init__(self) -> None:
        super().__init__()
        self._now = 0.0
        self._selector = _Selector(self._jump)
        self._clock_resolution = RESOLUTION_S

    def time(self) -> float:
        return self._now

    def pause(self, seconds: float) -> "asyncio.Future[None]":
        """Return a future that is done in so many seconds."""
        future: asyncio.Future[None] = self.create_future()
        self.call_later(seconds, _finish, future, None)
        return future

    def run_in_executor(self, executor: Any, func: Any, *args: Any) -> Any:
        """Run what would go to a thread on this one, as the process it belongs to sees fit."""
        host = HOST.get()
        work = (lambda: func(*args)) if args else func
        if host is not None:
            return host.run(self, work)
        future = self.create_future()
        settle(future, work)
        return future

    def _jump(self, timeout: float | None) -> None:
        if timeout is None:
            raise Stuck("every task waits, and no timer is set")
        self._now += timeout

    def _process_events(self, event_list: Any) -> None:
        pass

    def _write_to_self(self) -> None:
        pass


def settle(future: "asyncio.Future[Any]", work: Callable[[], Any]) -> None:
    """Give the future what the work returns or raises, unless nobody waits for it any more."""
    try:
        result = work()
    except BaseException as error:
        if not future.done():
            future.set_exception(error)
            future.exception()
    else:
        _finish(future, result)


def _finish(future: "asyncio.Future[Any]", result: Any) -> None:
    if not future.done():
        future.set_result(result)


class WallClock:
    """What the machine believes the time to be: it runs with the loop, and jumps when told."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self.ahead_s = 0.0

    def __call__(self) -> datetime:
        return BEGIN + timedelta(seconds=self._loop.time() + self.ahead_s)

    def jump(self, seconds: float) -> None:
        self.ahead_s += seconds
