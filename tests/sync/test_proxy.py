"""Real faults: processes that are killed, and connections that are cut, stalled and corrupted."""

import asyncio
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from made_orders import many
from work_until_done import CONTACTS, TOKEN

from ordertrail.client import calls
from ordertrail.client.client import Client, pages
from ordertrail.domain.errors import NotFound
from ordertrail.sync.flow import desired
from ordertrail.sync.rules import Flow
from postgres_server import Server
from proxy import Harm, Proxy

HERE = Path(__file__).parent
SERVER = HERE.parent / "serve_for_crash.py"
WORKER = HERE / "work_until_done.py"
RUNS_MAX = 25
KILLS = 4
ROUGH = Harm(
    cut_request=0.04, cut_answer=0.06, stall=0.02, delay=0.1, flip_request=0.03, flip_answer=0.04
)


@contextmanager
def server(folder: Path) -> Iterator[int]:
    """A real platform in a process of its own; gives its port."""
    command = [sys.executable, str(SERVER), str(folder / "platform.db"), TOKEN]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            yield int(process.stdout.readline())
        finally:
            process.kill()


def worker(outbox: str, url: str, count: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, str(WORKER), outbox, url, str(count)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)


def run_until_done(outbox: str, url: str, count: int) -> int:
    """Start a worker again and again until it says that all is delivered; returns how often."""
    for runs in range(1, RUNS_MAX + 1):
        with worker(outbox, url, count) as process:
            process.communicate(timeout=60)
            if process.returncode == 0:
                return runs
    raise AssertionError(f"not done after {RUNS_MAX} runs")


async def held(port: int, count: int) -> tuple[dict[str, Any], Counter[tuple[Any, ...]]]:
    """What the platform holds: the value of each deal, and how often it has each event."""
    values: dict[str, Any] = {}
    events: Counter[tuple[Any, ...]] = Counter()
    orders = many(count, CONTACTS)
    people = {wanted.person for each in orders if (wanted := desired(each, Flow()))}
    async with Client(f"http://127.0.0.1:{port}", TOKEN) as client:
        for order in orders:
            try:
                deal = await client.send(calls.get_deal(order.id))
            except NotFound:
                continue
            values[order.id] = deal["stage"], str(deal["value"])
        for person in people:
            async for page in pages(client.send, calls.list_product_events(person), 100):
                events.update(
                    (each["event_type"], each["product_custom_id"], each["custom_data"]["order_id"])
                    for each in page
                )
            async for page in pages(client.send, calls.list_events(quote(person)), 100):
                events.update((each["name"], each["data"]["order_id"]) for each in page)
    return values, events


def wanted(count: int) -> tuple[dict[str, Any], set[tuple[Any, ...]]]:
    """What the platform should hold."""
    values: dict[str, Any] = {}
    events: set[tuple[Any, ...]] = set()
    for order in many(count, CONTACTS):
        wish = desired(order, Flow())
        assert wish is not None
        values[order.id] = wish.deal.stage, str(wish.deal.value)
        for each in wish.product_events:
            events.add((each.event.event_type, each.sku, order.id))
        if wish.conversion is not None:
            events.add((wish.conversion.name, order.id))
    return values, events


def check(port: int, count: int) -> None:
    values, events = asyncio.run(held(port, count))
    wanted_values, wanted_events = wanted(count)
    assert values == wanted_values
    assert {event: times for event, times in events.items() if times > 1} == {}
    assert set(events) == wanted_events


@pytest.mark.parametrize("seed", [1, 2])
def test_everything_arrives_once_over_connections_that_are_cut_stalled_and_corrupted(
    tmp_path: Path, seed: int
) -> None:
    count = 60
    with server(tmp_path) as port, Proxy(port, ROUGH, seed) as proxy:
        run_until_done(str(tmp_path / "outbox"), proxy.url, count)
        assert {"cut_request", "cut_answer", "flip_answer"} <= proxy.done.keys()
        check(port, count)


def killed_again_and_again(outbox: str, port: int, count: int, seed: int) -> None:
    """Let two workers share an outbox and kill one after the other at work; then both finish."""
    chance, url = random.Random(seed), f"http://127.0.0.1:{port}"
    workers = [worker(outbox, url, count) for _ in range(2)]
    for kill in range(KILLS):
        place = kill % len(workers)
        heard = workers[place].stdout
        assert heard is not None
        for _ in range(chance.randint(2, 25)):
            heard.readline()
        workers[place].kill()
        workers[place].communicate(timeout=10)
        workers[place] = worker(outbox, url, count)
    for each in workers:
        each.communicate(timeout=60)
        assert each.returncode == 0


def test_workers_that_are_killed_deliver_everything_once(tmp_path: Path) -> None:
    count = 150
    with server(tmp_path) as port:
        killed_again_and_again(str(tmp_path / "outbox"), port, count, seed=3)
        check(port, count)


def test_workers_that_share_a_postgresql_and_are_killed_deliver_everything_once(
    tmp_path: Path, postgres: Server
) -> None:
    count = 150
    with server(tmp_path) as port:
        killed_again_and_again(postgres.new_database(), port, count, seed=4)
        check(port, count)
