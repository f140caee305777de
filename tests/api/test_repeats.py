"""What is sent again, or side by side, or while others write, is counted once and read once."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import served
from asgi import Request
from served import HandClock, Served

USERS = "/api/public/users/update_or_create/"
DEALS = "/api/public/deals/update_or_create/"
EVENTS = "/api/public/users-by-id/A/events/"
EVENTS_OF_B = "/api/public/users-by-id/B/events/"
PRODUCT_EVENTS = "/api/public/products-by-id/P/product_event/"
SEEN: dict[str, Any] = {
    "name": "seen",
    "timestamp": 1_767_225_600,
    "data": {"page": 1, "more": [{"a": True}]},
}
ORDERED = {"user_custom_id": "A", "event_type": "order"}


@pytest.fixture
def shop(platform: Served, token: str) -> Served:
    assert platform.call(token, "POST", USERS, {"custom_id": "A"}).status == 200
    return platform


@pytest.mark.parametrize(
    ("target", "body", "table"),
    [(EVENTS, {"name": "seen"}, "events"), (PRODUCT_EVENTS, ORDERED, "product_events")],
)
def test_an_idempotency_key_sent_again_stores_one_row(
    shop: Served, token: str, target: str, body: dict[str, str], table: str
) -> None:
    headers = {"Idempotency-Key": "ORD-1:order:P"}
    first = shop.call(token, "POST", target, body, headers=headers)
    second = shop.call(token, "POST", target, body, headers=headers)
    assert (first.status, second.status) == (201, 201)
    assert first.json["id"] == second.json["id"]
    assert shop.counts()[table] == 1
    other = shop.call(token, "POST", target, body, headers={"Idempotency-Key": "another"})
    assert other.json["id"] != first.json["id"]
    assert shop.call(token, "POST", target, body).json["id"] != first.json["id"]
    assert shop.counts()[table] == 3


@pytest.mark.parametrize(
    ("target", "body", "table"),
    [(EVENTS, {"name": "seen"}, "events"), (PRODUCT_EVENTS, ORDERED, "product_events")],
)
def test_an_idempotency_key_sent_thirty_times_at_once_stores_one_row(
    shop: Served, token: str, target: str, body: dict[str, str], table: str
) -> None:
    headers = {"Authorization": f"Token {token}", "Idempotency-Key": "one"}
    replies = shop.caller.together([Request("POST", target, headers, json=body)] * 30)
    assert {reply.status for reply in replies} == {201}
    assert len({reply.json["id"] for reply in replies}) == 1
    assert shop.counts()[table] == 1


@pytest.mark.parametrize(
    ("target", "body", "others"),
    [
        (
            EVENTS,
            SEEN,
            [
                (EVENTS, {**SEEN, "name": "sold"}),
                (EVENTS_OF_B, SEEN),
                (EVENTS, {**SEEN, "timestamp": 1_767_225_601}),
                (EVENTS, {"name": "seen", "data": SEEN["data"]}),
                (EVENTS, {"name": "seen", "timestamp": SEEN["timestamp"]}),
                (EVENTS, {**SEEN, "data": {"page": 1, "more": [{"a": 1}]}}),
            ],
        ),
        (EVENTS, {"name": "seen"}, [(EVENTS, {"name": "seen", "timestamp": 1_767_225_600})]),
        (
            PRODUCT_EVENTS,
            ORDERED,
            [
                (PRODUCT_EVENTS, {**ORDERED, "event_type": "purchase"}),
                (PRODUCT_EVENTS, {**ORDERED, "user_custom_id": "B"}),
                (PRODUCT_EVENTS.replace("P/", "Q/"), ORDERED),
                (PRODUCT_EVENTS, {**ORDERED, "timestamp": 1_767_225_600}),
                (PRODUCT_EVENTS, {**ORDERED, "data": {"custom_data": {"quantity": 1}}}),
            ],
        ),
    ],
)
def test_an_idempotency_key_belongs_to_one_event(
    shop: Served, token: str, target: str, body: dict[str, str], others: list[tuple[str, Any]]
) -> None:
    shop.call(token, "POST", USERS, {"custom_id": "B"})
    headers = {"Authorization": f"Token {token}", "Idempotency-Key": "one"}
    ask = [Request("POST", where, headers, json=said) for where, said in [(target, body), *others]]
    kept = None
    for replies in (shop.caller.together(ask), [shop.caller.together([one])[0] for one in ask]):
        assert [reply.status for reply in replies] == [201] + [422] * len(others)
        assert "Idempotency-Key was used" in replies[1].json["detail"]
        before, kept = kept, shop.counts()
        assert before in (None, kept)


def test_an_event_is_known_again_however_its_numbers_and_times_are_written(
    shop: Served, token: str
) -> None:
    headers = {"Idempotency-Key": "one"}
    first = {"name": "sold", "timestamp": 1_767_225_600, "data": {"total": 19.90, "of": {"n": 2}}}
    same = {"name": "sold", "timestamp": "2026-01-01T01:00:00+01:00"}
    ids = [
        shop.call(token, "POST", EVENTS, body, headers=headers).json["id"]
        for body in (first, {**same, "data": {"of": {"n": 2.0}, "total": 19.9}})
    ]
    assert ids[0] == ids[1]


def test_created_of_a_key_sent_again_is_what_the_first_was_told(shop: Served, token: str) -> None:
    for name, key, created in (
        ("seen", "one", True),
        ("seen", "two", False),
        ("seen", "one", True),
        ("seen", "two", False),
    ):
        headers = {"Idempotency-Key": key}
        reply = shop.call(token, "POST", EVENTS, {"name": name}, headers=headers)
        assert reply.json["created"] is created, key


def test_a_key_is_of_no_help_to_an_unknown_contact(shop: Served, token: str) -> None:
    headers = {"Idempotency-Key": "one"}
    unknown = {"user_custom_id": "B", "event_type": "order"}
    for known, other, body in (
        (EVENTS, EVENTS_OF_B, {"name": "seen"}),
        (PRODUCT_EVENTS, PRODUCT_EVENTS, unknown),
    ):
        said = body if known != other else ORDERED
        assert shop.call(token, "POST", known, said, headers=headers).status == 201
        assert shop.call(token, "POST", other, body, headers=headers).status == 404


def test_a_refused_event_does_not_use_up_its_key(shop: Served, token: str) -> None:
    headers = {"Idempotency-Key": "one"}
    unknown = {"user_custom_id": "B", "event_type": "order"}
    assert shop.call(token, "POST", PRODUCT_EVENTS, unknown, headers=headers).status == 404
    assert shop.call(token, "POST", PRODUCT_EVENTS, ORDERED, headers=headers).status == 201
    assert shop.counts()["product_events"] == 1


def test_one_contact_and_one_deal_sent_at_once_thirty_times_are_one(
    shop: Served, token: str
) -> None:
    headers = {"Authorization": f"Token {token}"}
    contacts = [
        Request("POST", USERS, headers, json={"custom_id": "B", f"field_{n}": n}) for n in range(30)
    ]
    assert {reply.json["id"] for reply in shop.caller.together(contacts)} == {2}
    told = shop.call(token, "GET", "/api/public/users-by-id/B/").json
    assert [told[f"field_{n}"] for n in range(30)] == list(range(30))
    lines = {"order_products": [{"product_custom_id": "P"}, {"product_custom_id": "Q"}]}
    deals = [
        Request("POST", DEALS, headers, json={"custom_id": "D", f"field_{n}": n, **lines})
        for n in range(30)
    ]
    replies = shop.caller.together(deals)
    assert [reply.json["created"] for reply in replies].count(True) == 1
    told = shop.call(token, "GET", "/api/public/deals-by-id/D/").json
    assert [told[f"field_{n}"] for n in range(30)] == list(range(30))
    assert len(told["order_products"]) == 2
    assert shop.counts()["order_products"] == 2


def test_a_bad_neighbour_spoils_nothing(shop: Served, token: str) -> None:
    headers = {"Authorization": f"Token {token}"}
    good = [Request("POST", DEALS, headers, json={"custom_id": f"D{n}"}) for n in range(20)]
    bad = [
        Request("POST", DEALS, headers, json={"custom_id": "bad", "stage": 99}),
        Request("POST", DEALS, headers, json={"custom_id": "bad", "user_custom_id": "nobody"}),
        Request("POST", DEALS, headers, json={"custom_id": "bad", "products": [77]}),
    ]
    replies = shop.caller.together([*good[:7], bad[0], *good[7:15], bad[1], bad[2], *good[15:]])
    assert [reply.status for reply in replies].count(200) == 20
    assert sorted(reply.status for reply in replies if reply.status != 200) == [400, 400, 404]
    assert shop.counts()["deals"] == 20


@pytest.mark.parametrize("listing", ["events", "product_events", "timeline"])
def test_the_pages_give_each_of_250_once_while_others_are_written(
    shop: Served, token: str, listing: str
) -> None:
    def write(first: int, last: int) -> list[int]:
        headers = {"Authorization": f"Token {token}"}
        body = {"name": "seen"} if listing != "product_events" else ORDERED
        target = EVENTS if listing != "product_events" else PRODUCT_EVENTS
        asked = [Request("POST", target, headers, json=body) for _ in range(first, last)]
        return [reply.json["id"] for reply in shop.caller.together(asked)]

    known = write(0, 250)
    contact_entry = 1 if listing == "timeline" else 0
    seen: list[int] = []
    pages = 0
    target = f"/api/public/users-by-id/A/{listing}/"
    while target:
        told = shop.call(token, "GET", target.removeprefix("http://shop.test")).json
        assert len(told["results"]) <= 100
        assert told["previous"] is None
        seen += [each["id"] for each in told["results"]]
        pages += 1
        write(0, 3)
        assert told["count"] == 250 + contact_entry + 3 * (pages - 1)
        target = told["next"]
        assert target is None or target.startswith(
            f"http://shop.test/api/public/users-by-id/A/{listing}/?cursor="
        )
    assert pages == 3
    assert len(seen) == len(set(seen)) == 250 + contact_entry
    assert set(known) <= set(seen)
    assert seen == sorted(seen, reverse=True)


def test_the_next_link_of_an_odd_id_leads_on(platform: Served, token: str) -> None:
    platform.call(token, "POST", USERS, {"custom_id": "ü ?#%/&"})
    target = "/api/public/users-by-id/%C3%BC%20%3F%23%25%2F%26/events/"
    headers = {"Authorization": f"Token {token}"}
    asked = [Request("POST", target, headers, json={"name": "x"}) for _ in range(101)]
    assert {reply.status for reply in platform.caller.together(asked)} == {201}
    first = platform.call(token, "GET", target).json
    last = platform.call(token, "GET", first["next"].removeprefix("http://shop.test")).json
    assert (len(first["results"]), len(last["results"]), last["next"]) == (100, 1, None)


def test_a_full_last_page_has_no_next(shop: Served, token: str) -> None:
    headers = {"Authorization": f"Token {token}"}
    shop.caller.together([Request("POST", EVENTS, headers, json={"name": "x"})] * 100)
    told = shop.call(token, "GET", EVENTS).json
    assert (len(told["results"]), told["next"]) == (100, None)


def test_events_at_one_moment_are_paged_without_loss(tmp_path: Path) -> None:
    with served.serve(tmp_path, HandClock(datetime(2026, 1, 1, tzinfo=UTC))) as shop:
        token = shop.new_token()
        shop.call(token, "POST", USERS, {"custom_id": "A"})
        headers = {"Authorization": f"Token {token}"}
        asked = [Request("POST", EVENTS, headers, json={"name": "x"})] * 120
        known = {reply.json["id"] for reply in shop.caller.together(asked)}
        first = shop.call(token, "GET", EVENTS).json
        last = shop.call(token, "GET", first["next"].removeprefix("http://shop.test")).json
        seen = [each["id"] for each in first["results"] + last["results"]]
        assert (len(seen), set(seen)) == (120, known)
