"""Time that passes two hundred times as fast, for whoever waits."""

import asyncio
import time
from datetime import datetime, timedelta

from ordertrail.kit.clock import utc_now
from ordertrail.sync.rim import Rim

SPEED = 200.0

_BEGUN = utc_now()


async def sleep(seconds: float) -> None:
    passed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    waiting = asyncio.get_running_loop().call_later(seconds / SPEED, _pass, passed)
    try:
        await passed
    finally:
        waiting.cancel()


def stopwatch() -> float:
    return time.monotonic() * SPEED


def now() -> datetime:
    elapsed: timedelta = (utc_now() - _BEGUN) * SPEED
    return _BEGUN + elapsed


def _pass(passed: "asyncio.Future[None]") -> None:
    if not passed.done():
        passed.set_result(None)


FAST = Rim(sleep=sleep, stopwatch=stopwatch, now=now)
