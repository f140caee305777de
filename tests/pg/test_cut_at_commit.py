"""A connection that is cut at the commit: what is answered agrees with what is kept."""

import random
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

import served
from asgi import Reply, Request
from postgres_server import Server
from relay import Cut, Relay
from served import Served

USERS = "/api/public/users/update_or_create/"
BATCH = "/api/ordertrail/v1/batch/"
EVENTS = "/api/public/users-by-id/A/events/"
ENDS = {Cut.ALL: 1, Cut.NOTHING: 0}
WAITS = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = %s"


@pytest.fixture
def url(postgres: Server) -> Iterator[str]:
    with postgres.platform() as lent:
        yield lent


@pytest.fixture
def relay(postgres: Server) -> Iterator[Relay]:
    with Relay(postgres.port) as running:
        yield running


@pytest.fixture
def platform(url: str, relay: Relay) -> Iterator[Served]:
    """A platform that reaches its database by way of the relay."""
    with served.serve_at(relay.through(url)) as running:
        yield running


def names(platform: Served) -> set[str]:
    return {row[2] for row in platform.rows("contacts")}


def is_told_to_come_back(reply: Reply) -> bool:
    return (reply.status, reply.headers.get("retry-after")) == (503, "1")


@pytest.mark.parametrize("how", ENDS)
def test_a_write_is_answered_as_it_was_kept(
    platform: Served, relay: Relay, token: str, how: Cut
) -> None:
    relay.cut(how)
    reply = platform.call(token, "POST", USERS, {"custom_id": "A"})
    assert relay.cuts == 1
    assert (reply.status == 200) if ENDS[how] else is_told_to_come_back(reply)
    assert len(names(platform)) == ENDS[how]
    assert platform.call(token, "POST", USERS, {"custom_id": "A"}).status == 200
    assert names(platform) == {"A"}


def test_what_may_still_be_carried_out_is_waited_for(
    platform: Served, relay: Relay, token: str, url: str
) -> None:
    """The very first transaction of a writer, of which no row tells before its commit."""

    def until_somebody_asks_for_it() -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            name = url.rpartition("/")[2]
            for _ in range(1_000):
                if connection.execute(WAITS, (name,)).fetchone() != (0,):
                    return
                connection.execute("SELECT pg_sleep(0.01)")

    relay.cut(Cut.LATER, later=until_somebody_asks_for_it)
    assert platform.call(token, "POST", USERS, {"custom_id": "A"}).status == 200
    assert relay.cuts == 1
    assert names(platform) == {"A"}


@pytest.mark.parametrize("how", ENDS)
def test_a_batch_is_kept_whole_or_not_at_all(
    platform: Served, relay: Relay, token: str, how: Cut
) -> None:
    said = [{"path": USERS, "body": {"custom_id": f"A{n}"}} for n in range(50)]
    relay.cut(how)
    reply = platform.call(token, "POST", BATCH, {"operations": said})
    statuses = [each["status"] for each in reply.json["results"]]
    assert relay.cuts == 1
    assert statuses == [200 if ENDS[how] else 503] * 50
    assert len(names(platform)) == 50 * ENDS[how]


@pytest.mark.parametrize("how", ENDS)
def test_an_event_under_a_key_is_there_once_however_often_it_is_sent(
    platform: Served, relay: Relay, token: str, how: Cut
) -> None:
    platform.call(token, "POST", USERS, {"custom_id": "A"})
    said: Any = {"json": {"name": "seen"}, "headers": {"Idempotency-Key": "K"}}
    relay.cut(how)
    first, again = (platform.call(token, "POST", EVENTS, **said) for _ in range(2))
    assert relay.cuts == 1
    assert (first.status == 201) if ENDS[how] else is_told_to_come_back(first)
    assert again.status == 201
    assert first.status == 503 or first.json["id"] == again.json["id"]
    assert platform.counts()["events"] == 1


def test_of_many_at_once_each_is_answered_as_it_was_kept(
    platform: Served, relay: Relay, token: str
) -> None:
    chance = random.Random(5)
    headers = {"Authorization": f"Token {token}"}
    answered: dict[str, int] = {}
    for turn in range(12):
        relay.cut(*chance.choices([*ENDS], k=2))
        asked = [f"A{turn}-{n}" for n in range(8)]
        replies = platform.caller.together(
            Request("POST", USERS, headers, json={"custom_id": each}) for each in asked
        )
        answered.update(zip(asked, (each.status for each in replies), strict=True))
    assert relay.cuts >= 12
    assert set(answered.values()) == {200, 503}
    assert names(platform) == {each for each, status in answered.items() if status == 200}
