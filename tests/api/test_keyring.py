"""What the keyring remembers of keys, however many come: found keys, and how fast each may be."""

import asyncio
import threading
from typing import Any

import pytest
from door import Door, admit, together, wrong

from asgi import Request
from ordertrail.actions import keys
from ordertrail.api.keyring import Keyring, Throttled
from ordertrail.domain.errors import Unauthorised, Unavailable
from served import Served

ABOUT = "/api/ordertrail/v1/about/"


# ---- what is remembered ----


def test_a_revoked_key_works_no_longer_than_it_is_remembered(door: Door) -> None:
    token, keyring = door.new_token(), door.keyring()
    together(admit(keyring, token, 0.0))
    door.revoke(1)
    assert isinstance(together(admit(keyring, token, 1.0))[0], keys.Key)
    for now in (1.1, 1.2):
        assert isinstance(together(admit(keyring, token, now))[0], Unauthorised)


def test_a_revoked_key_is_a_stranger(door: Door) -> None:
    token, keyring = door.new_token(), door.keyring(strangers_max=1)
    together(admit(keyring, token, 0.0))
    door.revoke(1)
    together(admit(keyring, token, 2.0))
    [other, revoked] = together(*(admit(keyring, each, 2.0) for each in (*wrong(1), token)))
    assert (type(other), type(revoked)) == (Unauthorised, Unavailable)


def test_a_remembered_key_is_read_once_a_second_however_it_is_spelt(door: Door) -> None:
    token, keyring = door.new_token(), door.keyring()
    for spelt in ("Token {}", "token {}", "TOKEN   {}", "Token {} "):
        header = spelt.format(token).encode()
        together(keyring.admit({"client": None}, header, "read", 0.5))
    assert door.readers.reads == 1


def test_callers_with_one_token_wait_for_one_read(door: Door) -> None:
    token, keyring = door.new_token(), door.keyring(strangers_max=1)
    found = together(*(admit(keyring, token, 0.0) for _ in range(100)))
    assert {type(each) for each in found} == {keys.Key}
    assert door.readers.reads == 1


def test_a_caller_who_goes_away_leaves_the_others_their_answer(door: Door) -> None:
    token, keyring = door.new_token(), door.keyring()
    may_read = threading.Event()

    async def one_goes_away() -> keys.Key:
        held = asyncio.ensure_future(door.readers.read(lambda _: may_read.wait(10)))
        first = asyncio.ensure_future(admit(keyring, token, 0.0))
        second = asyncio.ensure_future(admit(keyring, token, 0.0))
        third = asyncio.ensure_future(cancelled(first))
        await third
        may_read.set()
        await held
        return await second

    assert asyncio.run(one_goes_away()).id == 1


async def cancelled(task: "asyncio.Future[Any]") -> None:
    task.cancel()
    await asyncio.wait([task])


def test_each_wrong_token_costs_one_read_and_displaces_nothing(door: Door) -> None:
    token, keyring = door.new_token(), door.keyring(cached_max=1)
    together(admit(keyring, token, 0.0))
    for each in wrong(40):
        assert isinstance(together(admit(keyring, each, 0.5))[0], Unauthorised)
    assert door.readers.reads == 41
    assert isinstance(together(admit(keyring, token, 0.9))[0], keys.Key)
    assert door.readers.reads == 41


@pytest.mark.parametrize("header", ["", "Token", "Bearer " + "a" * 64, "Token " + "a" * 63])
def test_what_is_no_token_costs_no_read(door: Door, header: str) -> None:
    keyring = door.keyring()
    asked = keyring.admit({"client": None}, header.encode(), "read", 0.0)
    assert isinstance(together(asked)[0], Unauthorised)
    assert door.readers.reads == 0


def test_a_flood_from_one_place_holds_up_neither_known_keys_nor_other_places(door: Door) -> None:
    known, new = door.new_token(), door.new_token()
    keyring = door.keyring(strangers_max=50)
    together(admit(keyring, known, 0.0))
    may_read = threading.Event()

    async def read_at_last() -> None:
        may_read.set()

    *_, on, other = flood = together(
        door.readers.read(lambda _: may_read.wait(10)),
        *(admit(keyring, each, 2.0) for each in wrong(60)),
        read_at_last(),
        admit(keyring, known, 2.0),
        admit(keyring, new, 2.0, "192.0.2.2"),
    )
    assert (on.id, other.id) == (1, 2)
    kinds = [type(each) for each in flood[1:61]]
    assert kinds == [Unauthorised] * 50 + [Unavailable] * 10
    assert isinstance(together(admit(keyring, wrong(61)[60], 2.0))[0], Unauthorised)


def test_what_is_remembered_is_bounded_in_number(door: Door) -> None:
    tokens, keyring = [door.new_token() for _ in range(6)], door.keyring(cached_max=5)
    for token in tokens:
        together(admit(keyring, token, 0.0))
    reads = door.readers.reads
    together(admit(keyring, tokens[5], 0.5), admit(keyring, tokens[1], 0.5))
    assert door.readers.reads == reads
    together(admit(keyring, tokens[0], 0.5))
    assert door.readers.reads == reads + 1


# ---- rate limits ----


def throttled(keyring: Keyring, token: str, times: int, now: float) -> int:
    answers = together(*(admit(keyring, token, now) for _ in range(times)))
    refused = [each for each in answers if isinstance(each, Throttled)]
    for each in refused:
        assert str(each) == "Request was throttled. Expected available in 1 second."
        assert each.retry_after_s == 1
    assert len(refused) + sum(isinstance(each, keys.Key) for each in answers) == times
    return len(refused)


def test_a_key_of_ten_a_second_lets_ten_of_a_burst_in(door: Door) -> None:
    token, keyring = door.new_token(rate_limit=10), door.keyring()
    assert throttled(keyring, token, 30, 5.0) == 20
    assert throttled(keyring, token, 1, 5.0625) == 1
    assert throttled(keyring, token, 2, 5.125) == 1
    assert throttled(keyring, token, 30, 6.25) == 20


def test_a_key_without_a_limit_is_never_throttled(door: Door) -> None:
    token, keyring = door.new_token(), door.keyring()
    assert throttled(keyring, token, 500, 5.0) == 0


def test_a_limit_is_of_one_key_alone(door: Door) -> None:
    one, other = door.new_token(rate_limit=1), door.new_token(rate_limit=1)
    keyring = door.keyring()
    assert throttled(keyring, one, 5, 5.0) == 4
    assert throttled(keyring, other, 1, 5.0) == 0


def test_the_bucket_of_the_key_used_longest_ago_is_the_one_forgotten(door: Door) -> None:
    keyring = door.keyring(cached_max=3)
    busy, *others = (door.new_token(rate_limit=1) for _ in range(5))
    assert throttled(keyring, busy, 2, 5.0) == 1
    for other in others:
        assert throttled(keyring, other, 1, 5.0) == 0
        assert throttled(keyring, busy, 1, 5.0) == 1
    assert throttled(keyring, others[-1], 1, 5.0) == 1
    assert throttled(keyring, others[0], 1, 5.0) == 0


def test_the_answer_429_is_the_documented_one_to_the_letter(platform: Served) -> None:
    token = platform.new_token(rate_limit=10)
    headers = {"Authorization": f"Token {token}"}
    replies = platform.caller.together([Request("GET", ABOUT, headers)] * 100)
    refused = [reply for reply in replies if reply.status != 200]
    assert refused
    for reply in refused:
        assert reply.status == 429
        wanted = b'{"detail":"Request was throttled. Expected available in 1 second."}'
        assert reply.raw == wanted
        assert ("retry-after", "1") in reply.header_list
