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
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import aiohttp

from bench import answering
from bench.harness import Case, Contender, Figure, Measured
from ordertrail.client.client import Client
from ordertrail.domain.order import Customer, Line, Order
from ordertrail.sync.outbox import Outbox, open_outbox
from ordertrail.sync.outbox_orders import Route
from ordertrail.sync.rules import Flow
from ordertrail.sync.worker import Pace, deliverer, there

TOKEN = "k" * 64
CALLS_PER_S = 8_000
"""About as many as can be expected: so much is put into the outbox for each second."""

OURS = "one call each"
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


@contextlib.contextmanager
def contenders(seconds: float) -> Iterator[Sequence[Contender]]:
    """Deliver one call each, in batches, and to a limit; and call with the bare client."""
    yield (
        Contender(OURS, lambda: _free(seconds, "0")),
        Contender("in batches", lambda: _free(seconds, "0", "batches"), beside=OURS),
        Contender("limit: bare client", lambda: _bare(seconds), beside=OURS),
        Contender(f"to a limit of {LIMIT}/s", _limited),
    )


def _free(seconds: float, *arguments: str) -> Measured:
    with _endpoint(*arguments) as url, _outbox(seconds * CALLS_PER_S) as outbox:
        return {"per_s": asyncio.run(_delivered(url, outbox, seconds, Pace()))["per_s"]}


def _limited() -> Measured:
    with _endpoint(str(LIMIT)) as url, _outbox(LIMIT * LIMITED_S * 2) as outbox:
        found = asyncio.run(_delivered(url, outbox, LIMITED_S, Pace(limit_per_s=LIMIT)))
    return {"used": found["used"] * 100, "refused": found["refused"] * 100}


def _bare(seconds: float) -> Measured:
    with _endpoint("0") as url:
        return {"per_s": asyncio.run(_called(url, seconds))}


@contextlib.contextmanager
def _endpoint(*arguments: str) -> Iterator[str]:
    command = [sys.executable, str(answering.__file__), *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout
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


async def _delivered(url: str, outbox: Outbox, seconds: float, pace: Pace) -> dict[str, float]:
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


async def _counts(url: str) -> dict[str, float]:
    async with aiohttp.ClientSession() as session, session.get(f"{url}/counts") as response:
        found: dict[str, float] = await response.json()
        return found


async def _called(url: str, seconds: float) -> float:
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


CASE = Case(
    {
        "per_s": Figure("without a limit", "calls/s"),
        "used": Figure("of the limit used", "%"),
        "refused": Figure("of the calls answered 429", "%"),
    },
    contenders,
)
