"""Work in threads, waited for to its end."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")


async def finished(work: Callable[[], T]) -> T:
    """Return what the work returns, run in a thread; even a cancelled caller waits for its end."""
    return await ended(asyncio.ensure_future(asyncio.to_thread(work)))


async def ended(running: "asyncio.Future[T]") -> T:
    """Return what comes of it; a caller that is cancelled, however often, waits for its end."""
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        while not running.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait([running])
        running.exception()
        raise
