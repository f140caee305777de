"""Delivery to an endpoint that answers at once, beside the bare HTTP client; and to a limit.

The worker claims from an outbox on SQLite, sends, and settles; the peer sends the same body over
aiohttp with nothing around it. The limit is 10 calls in any second, as the hosted service's.
"""

import asyncio
import contextlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import aiohttp

from bench import answering
from ordertrail.client.client import Client
from ordertrail.domain.order import Customer, Line, Order
from ordertrail.sync.outbox import Outbox, open_outbox
from ordertrail.sync.outbox_orders import Route
from ordertrail.sync.rules import Flow
from ordertrail.sync.worker import Pace, deliverer, there

TOKEN = "k" * 64
CALLS_PER_S = 8_000
"""About as many as can be expected: so much is put into the outbox for each second."""

LIMIT = 10
LIMITED_S = 20.0
LINES = 18
AT = datetime(2026, 3, 1, tzinfo=UTC)
BODY = {
    "user_custom_id": "8b1a9953c4611296a827abf8c47804d7e6c49c6b97d5e1f3c0a2b4d6e8f0a1c3",
    "event_type": "purchase",
    "timestamp": 1_772_359_200,
    "data": {"custom_data": {"order_id": "1", "product_custom_id": "S1", "quantity": 1}},
}


def run(seconds: float) -> dict:
    """Measure one call each, batches, the bare client, and what a limit of 10/s is used for."""
    with _endpoint("0") as url:
        bare = asyncio.run(_bare(url, seconds))
    found = {"bare client": bare}
    for name, arguments in (("single", ["0"]), ("batches", ["0", "batches"])):
        with _endpoint(*arguments) as url, _outbox(seconds * CALLS_PER_S) as outbox:
            found[name] = asyncio.run(_delivered(url, outbox, seconds, Pace()))["per_s"]
    with _endpoint(str(LIMIT)) as url, _outbox(LIMIT * LIMITED_S * 2) as outbox:
        limited = asyncio.run(_delivered(url, outbox, LIMITED_S, Pace(limit_per_s=LIMIT)))
    return {**found, "limit": limited}


def lines(found: dict) -> list[str]:
    bare, limit = found["bare client"], found["limit"]
    return [
        *(
            f"{name:8} {found[name]:8,.0f} calls/s   bare client {bare:8,.0f}"
            f"   ratio {found[name] / bare:.2f}"
            for name in ("single", "batches")
        ),
        f"limit of {LIMIT}/s: {limit['used']:.1%} of it used, {limit['refused']:.2%} answered 429",
    ]


@contextlib.contextmanager
def _endpoint(*arguments: str) -> Iterator[str]:
    command = [sys.executable, str(answering.__file__), *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.kill()


@contextlib.contextmanager
def _outbox(operations: float) -> Iterator[Outbox]:
    """An outbox in which so many operations wait for the endpoint."""
    with tempfile.TemporaryDirectory() as folder, open_outbox(Path(folder, "outbox.db")) as outbox:
        orders = [_order(n) for n in range(int(operations / (LINES + 3)) + 1)]
        for start in range(0, len(orders), 500):
            outbox.accept(Route("shop", "workspace:bench"), Flow(), orders[start : start + 500])
        yield outbox


def _order(number: int) -> Order:
    person = number % 1_000
    ordered = tuple(Line(f"S{number % 97}-{n}", 1, Decimal(9)) for n in range(LINES))
    customer = Customer(f"c{person}@example.com", str(person))
    return Order(f"O{number}", customer, AT + timedelta(seconds=number), "EUR", ordered)


async def _delivered(url: str, outbox: Outbox, seconds: float, pace: Pace) -> dict:
    async with Client(url, TOKEN) as client:
        worker = deliverer(outbox, client, await there(client, pace), pace)
        worker.close()
        running = asyncio.ensure_future(worker.run())
        begun = time.perf_counter()
        await asyncio.wait({running}, timeout=seconds)
        worker.stop()
        taken_s = time.perf_counter() - begun
        counts = await _counts(url)
        await running
    span_s = max(counts["last"] - counts["first"], 1e-9)
    return {
        "per_s": counts["calls"] / taken_s,
        "used": (counts["calls"] - counts["refused"] - 1) / span_s / LIMIT,
        "refused": counts["refused"] / max(counts["calls"], 1),
    }


async def _counts(url: str) -> dict:
    async with aiohttp.ClientSession() as session, session.get(f"{url}/counts") as response:
        return await response.json()


async def _bare(url: str, seconds: float) -> float:
    """How many calls a second the HTTP client makes, over as many connections."""
    until, count = time.perf_counter() + seconds, 0
    headers = {"Authorization": f"Token {TOKEN}"}

    async def call() -> None:
        nonlocal count
        while time.perf_counter() < until:
            async with session.post(f"{url}/api/x/", json=BODY, headers=headers) as response:
                await response.read()
            count += 1

    connector = aiohttp.TCPConnector(limit=32)
    async with aiohttp.ClientSession(connector=connector) as session:
        await asyncio.gather(*(call() for _ in range(32)))
    return count / seconds
