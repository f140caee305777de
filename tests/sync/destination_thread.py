"""A destination that serves from a thread, for code that has no event loop."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from destination import Destination


@contextmanager
def served(destination: Destination) -> Iterator[str]:
    """Serve, and give the address."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    serving = destination.serving()
    try:
        yield asyncio.run_coroutine_threadsafe(serving.__aenter__(), loop).result(10)
    finally:
        asyncio.run_coroutine_threadsafe(serving.__aexit__(None, None, None), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
