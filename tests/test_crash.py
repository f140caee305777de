"""A server that is killed at any moment: what it answered is there, and nothing is half-done."""

import asyncio
import json
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp

from ordertrail.kit.sqlite import Sqlite

SERVER = Path(__file__).parent / "serve_for_crash.py"
TOKEN = "c" * 64
KILLS = 5
WRITERS = 16
ORPHANS = {
    "a deal without its lines": (
        "SELECT json_group_array(json_array(custom_id)) FROM deals d WHERE 2 !="
        " (SELECT count(*) FROM order_products o WHERE o.deal_id = d.id)"
    ),
    "lines without their deal": (
        "SELECT json_group_array(json_array(deal_id)) FROM order_products"
        " WHERE deal_id NOT IN (SELECT id FROM deals)"
    ),
    "a journal entry without its deal": (
        "SELECT json_group_array(json_array(subject_id)) FROM journal"
        " WHERE subject = 'deal' AND subject_id NOT IN (SELECT id FROM deals)"
    ),
    "a deal without its journal entry": (
        "SELECT json_group_array(json_array(id)) FROM deals WHERE 1 !="
        " (SELECT count(*) FROM journal j"
        " WHERE j.subject = 'deal' AND j.subject_id = deals.id AND is_new = 1)"
    ),
    "a line without its product": (
        "SELECT json_group_array(json_array(product_id)) FROM order_products"
        " WHERE product_id NOT IN (SELECT id FROM products)"
    ),
    "an event twice": (
        "SELECT json_group_array(json_array(operation_key)) FROM"
        " (SELECT operation_key FROM events GROUP BY operation_key HAVING count(*) > 1)"
    ),
    "a broken foreign key": (
        'SELECT json_group_array(json_array("table", rowid)) FROM pragma_foreign_key_check'
    ),
    "a page that is not as it should be": (
        "SELECT json_group_array(json_array(integrity_check)) FROM pragma_integrity_check"
        " WHERE integrity_check != 'ok'"
    ),
}


@contextmanager
def server(path: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    command = [sys.executable, str(SERVER), str(path), TOKEN]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            port = int(process.stdout.readline())
            yield process, f"http://127.0.0.1:{port}/api/public"
        finally:
            process.kill()


class Shop:
    """Many writers at once, that remember what they were promised."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self._number = 0
        self.deals: dict[str, str] = {}
        self.events: dict[str, int] = {}

    async def sell_until_killed(self, process: subprocess.Popen[bytes], url: str) -> None:
        headers = {"Authorization": f"Token {TOKEN}"}
        answers_left = self._chance.randrange(20, 150)
        dead = asyncio.Event()

        async def write(session: aiohttp.ClientSession) -> None:
            nonlocal answers_left
            while not dead.is_set():
                self._number += 1
                try:
                    await self._sell(session, url, f"O{self._number}")
                except (aiohttp.ClientError, ConnectionError):
                    return
                answers_left -= 1
                if answers_left == 0:
                    process.kill()
                    dead.set()

        async with aiohttp.ClientSession(headers=headers) as session:
            people = {"custom_id": "A", "email": "a@shop.test"}
            async with session.post(f"{url}/users/update_or_create/", json=people) as answer:
                assert answer.status == 200
            await asyncio.gather(*(write(session) for _ in range(WRITERS)))

    async def _sell(self, session: aiohttp.ClientSession, url: str, order: str) -> None:
        value = f"{self._number}.50"
        body: dict[str, Any] = {
            "custom_id": order,
            "user_custom_id": "A",
            "value": value,
            "order_products": [
                {"product_custom_id": f"P{self._number % 50}", "value": 1},
                {"product_custom_id": f"Q{self._number}", "value": 2},
            ],
        }
        async with session.post(f"{url}/deals/update_or_create/", json=body) as answer:
            said = await answer.json()
            assert answer.status == 200, said
            self.deals[order] = value
        key = {"Idempotency-Key": order}
        async with session.post(
            f"{url}/users-by-id/A/events/", json=conversion_of(order), headers=key
        ) as answer:
            said = await answer.json()
            assert answer.status == 201, said
            self.events[order] = said["id"]


def conversion_of(order: str) -> dict[str, Any]:
    return {"name": "purchase_completed", "data": {"order_id": order}}


def rows(database: Sqlite, query: str) -> list[list[Any]]:
    return database.read(lambda reader: reader.rows(query))


def check(path: Path, shop: Shop) -> None:
    """Look into the file as the killed server left it."""
    database = Sqlite(path)
    database.write(lambda tx: None)
    for what, query in ORPHANS.items():
        assert rows(database, query) == [], what
    deals = dict(
        rows(database, "SELECT json_group_array(json_array(custom_id, value_minor)) FROM deals")
    )
    lost = {order for order, value in shop.deals.items() if deals.get(order) != to_minor(value)}
    assert not lost
    events = dict(
        rows(database, "SELECT json_group_array(json_array(operation_key, id)) FROM events")
    )
    assert {order for order, known in shop.events.items() if events.get(order) != known} == set()
    database.close()


def to_minor(value: str) -> int:
    return int(value.replace(".", ""))


def test_nothing_that_was_answered_is_lost_and_nothing_is_half_done(tmp_path: Path) -> None:
    path = tmp_path / "shop.db"
    shop = Shop(seed=20260101)
    for _ in range(KILLS):
        with server(path) as (process, url):
            asyncio.run(shop.sell_until_killed(process, url))
            process.wait(10)
        check(path, shop)
    assert len(shop.deals) > KILLS * 20
    with server(path) as (_, url):
        asyncio.run(read_back(url, shop))


async def read_back(url: str, shop: Shop) -> None:
    headers = {"Authorization": f"Token {TOKEN}"}
    async with aiohttp.ClientSession(headers=headers) as session:
        for order in [*shop.deals][-20:]:
            async with session.get(f"{url}/deals-by-id/{order}/") as answer:
                told = json.loads(await answer.text())
                assert told["value"] == shop.deals[order]
                assert len(told["order_products"]) == 2
        order = [*shop.events][-1]
        async with session.post(
            f"{url}/users-by-id/A/events/",
            json=conversion_of(order),
            headers={"Idempotency-Key": order},
        ) as answer:
            assert (await answer.json())["id"] == shop.events[order]


def test_a_server_that_is_asked_to_stop_finishes_what_it_accepted(tmp_path: Path) -> None:
    path = tmp_path / "shop.db"
    shop = Shop(seed=2)
    with server(path) as (process, url):

        async def sell_and_stop() -> None:
            selling = asyncio.ensure_future(shop.sell_until_killed(process, url))
            while len(shop.events) < 10 and not selling.done():
                await asyncio.wait({selling}, timeout=0.01)
            process.terminate()
            await selling

        asyncio.run(sell_and_stop())
        process.wait(10)
    assert len(shop.events) >= 10
    check(path, shop)
