"""Bad input is refused with a 4xx that names the field, and nothing of it is stored."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

import served
from ordertrail.settings import Settings
from served import Served

USERS = "/api/public/users/update_or_create/"
DEALS = "/api/public/deals/update_or_create/"
EVENT = "/api/public/users-by-id/A/events/"
PRODUCT_EVENT = "/api/public/products-by-id/P/product_event/"
ALL = (USERS, DEALS, EVENT, PRODUCT_EVENT)
DEAL = {"custom_id": "D", "user_custom_id": "A"}
LINE = {"product_custom_id": "P", "quantity": 1, "value": 1}
ORDERED = {"user_custom_id": "A", "event_type": "order"}
MANY = {f"field_{n}": n for n in range(501)}
SKUS = [f"S{n}" for n in range(5000)]
WRONG_PROFILE = [
    *(("gender", wrong) for wrong in (0, 4, "man", True, 1.5, ["male"])),
    *(("status", wrong) for wrong in (0, 3, "male", True)),
    *(("score", wrong) for wrong in ("x", 1.5, True, -1)),
    *(("assigned_to", wrong) for wrong in ("Ann", [1])),
    *(("unsubscribed", wrong) for wrong in ("yes", 2, "", [True])),
    ("notifications", {}),
    *((name, "soon") for name in ("first_seen", "last_seen", "last_contacted")),
    ("first_seen", True),
]
WRONG_DETAILS = [
    *(("expected_close_date", wrong) for wrong in ("soon", "2026-02-30", 20260331, True)),
    *((name, "x") for name in ("loss_reason", "assigned_to", "company_id")),
    *(("loss_reason_description", wrong) for wrong in (5, "x" * 256)),
    ("company_custom_id", []),
    *(("participants", wrong) for wrong in (5, "7", [1] * 5001)),
]


@pytest.fixture(scope="module")
def shop_and_token(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, str]]:
    """A platform with one of everything; shared, because every test proves that it stays so."""
    with served.serve(tmp_path_factory.mktemp("shop")) as platform:
        token = platform.new_token()
        for target, body in (
            (USERS, {"custom_id": "A", "email": "a@shop.test"}),
            (DEALS, {**DEAL, "order_products": [LINE]}),
            (EVENT, {"name": "seen"}),
            (PRODUCT_EVENT, ORDERED),
        ):
            assert platform.call(token, "POST", target, body).status in (200, 201)
        yield platform, token


@pytest.fixture
def shop(shop_and_token: tuple[Served, str]) -> Served:
    return shop_and_token[0]


@pytest.fixture
def key(shop_and_token: tuple[Served, str]) -> str:
    return shop_and_token[1]


def kept(shop: Served) -> dict[str, Any]:
    """All rows but the last numbers, which may be given out in vain."""
    return {name: rows for name, rows in shop.everything().items() if name != "sequences"}


def refused(shop: Served, token: str, target: str, body: bytes | Any) -> dict[str, list[str]]:
    """Send what is to be refused and return the errors by field; nothing may have changed."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    before = kept(shop)
    reply = shop.call(token, "POST", target, body=raw)
    assert reply.status == 400, (reply.status, reply.text[:300])
    assert reply.json["detail"]
    assert kept(shop) == before
    return reply.json["errors"]


WRONG_BODIES = {
    "empty": b"",
    "blank": b"   ",
    "cut short": b'{"custom_id": "A", "na',
    "two objects": b"{}{}",
    "an array": b"[]",
    "an array of objects": b'[{"custom_id": "A"}]',
    "text": b'"A"',
    "null": b"null",
    "a number": b"7",
    "no JSON": b"custom_id=A",
    "1,000 levels of arrays": b'{"a":' + b"[" * 1000 + b"]" * 1000 + b"}",
    "1,000 levels of objects": b'{"a":' * 1000 + b"1" + b"}" * 1000,
    "100,000 open brackets": b"[" * 100_000,
    "half a character": b'{"name": "\xff"}',
    "NaN": b'{"name": NaN}',
    "Infinity": b'{"name": -Infinity}',
    "a lone surrogate": b'{"name": "\\ud83d"}',
    "a bare NUL": b'{"name": "a\x00b"}',
}


@pytest.mark.parametrize("target", ALL)
@pytest.mark.parametrize("body", WRONG_BODIES.values(), ids=WRONG_BODIES.keys())
def test_a_body_that_is_no_json_object_is_refused(
    shop: Served, key: str, target: str, body: bytes
) -> None:
    assert refused(shop, key, target, body).keys() <= {"body", "a"}


@pytest.mark.parametrize("target", ALL)
@pytest.mark.parametrize(
    "value",
    [
        b'"a\\u0000b"',
        b"1e9999999",
        b"1e99999999999999999999",
        b"1" + b"0" * 400,
        b"1" * 5000,
        b"1e-400",
    ],
)
def test_what_no_database_should_keep_is_refused_wherever_it_stands(
    shop: Served, key: str, target: str, value: bytes
) -> None:
    for place, field in (
        (b'{"extra": %b}', "extra"),
        (b'{"data": {"deep": [[%b]]}}', "deep"),
        (b'{"order_products": [{"value": %b}]}', "value"),
    ):
        assert refused(shop, key, target, place % value).keys() <= {field, "body"}
    nul_in_name = refused(shop, key, target, b'{"a\\u0000b": 1}')
    assert nul_in_name


@pytest.mark.parametrize(
    ("target", "body", "field"),
    [
        (USERS, {}, "custom_id"),
        (USERS, {"custom_id": ""}, "custom_id"),
        (USERS, {"custom_id": " "}, "custom_id"),
        (USERS, {"custom_id": []}, "custom_id"),
        (USERS, {"custom_id": 1.5}, "custom_id"),
        (USERS, {"custom_id": True}, "custom_id"),
        (USERS, {"custom_id": "x" * 256}, "custom_id"),
        (USERS, {"custom_id": "A", "email": "nobody"}, "email"),
        (USERS, {"custom_id": "A", "email": 5}, "email"),
        (USERS, {"custom_id": "A", "email": "a@" + "b" * 260}, "email"),
        (USERS, {"custom_id": "A", "first_name": "x" * 41}, "first_name"),
        (USERS, {"custom_id": "A", "first_name": ["x"]}, "first_name"),
        (USERS, {"custom_id": "A", "last_name": True}, "last_name"),
        (USERS, {"custom_id": "A", "phone": {"a": 1}}, "phone"),
        (USERS, {"custom_id": "A", "phone": "1" * 65}, "phone_number"),
        (USERS, {"custom_id": "A", "assigned_to": "x" * 3000}, "assigned_to"),
        *((USERS, {"custom_id": "A", name: value}, name) for name, value in WRONG_PROFILE),
        *((DEALS, {**DEAL, name: value}, name) for name, value in WRONG_DETAILS),
        (DEALS, {**DEAL, "participants": [1, "x"]}, "participants[1]"),
        (USERS, {"custom_id": "A", "x" * 65: 1}, "x" * 64),
        (USERS, {"custom_id": "A", "x" * 129: 1}, "x" * 64),
        (USERS, {"custom_id": "A", **MANY}, "attributes"),
        (DEALS, {**DEAL, **MANY}, "attributes"),
        (PRODUCT_EVENT, {**ORDERED, "data": MANY}, "attributes"),
        (DEALS, {**DEAL, "products": [1] * 5001}, "products"),
        (DEALS, {**DEAL, "products_custom_id": ["P"] * 5001}, "products_custom_id"),
        (DEALS, {**DEAL, "value": "1_000"}, "value"),
        (DEALS, {**DEAL, "value": "\u0661\u0662"}, "value"),
        (DEALS, {**DEAL, "stage": "\u0661"}, "stage"),
        (USERS, {"custom_id": "A", "": 1}, "body"),
        (DEALS, {"name": "no id"}, "custom_id"),
        (DEALS, {**DEAL, "stage": 99}, "stage"),
        (DEALS, {**DEAL, "stage": "nine"}, "stage"),
        (DEALS, {**DEAL, "stage": "9" * 5000}, "stage"),
        (DEALS, {**DEAL, "stage": -1}, "stage"),
        (DEALS, {**DEAL, "stage": 1.5}, "stage"),
        (DEALS, {**DEAL, "stage": True}, "stage"),
        (DEALS, {**DEAL, "Stage": "nine"}, "stage"),
        (DEALS, {**DEAL, "pipeline": 99}, "pipeline"),
        (DEALS, {**DEAL, "pipeline": 99, "stage": 1}, "stage"),
        (DEALS, {**DEAL, "status": 5}, "status"),
        (DEALS, {**DEAL, "status": "won"}, "status"),
        (DEALS, {**DEAL, "value": "twelve"}, "value"),
        (DEALS, {**DEAL, "value": "1e9999999"}, "value"),
        (DEALS, {**DEAL, "value": "NaN"}, "value"),
        (DEALS, {**DEAL, "value": 10**12}, "value"),
        (DEALS, {**DEAL, "value": True}, "value"),
        (DEALS, {**DEAL, "value": [1]}, "value"),
        (DEALS, {**DEAL, "currency": "DOLLAR"}, "currency"),
        (DEALS, {**DEAL, "currency": 840}, "currency"),
        (DEALS, {**DEAL, "name": ""}, "name"),
        (DEALS, {**DEAL, "name": "x" * 256}, "name"),
        (DEALS, {**DEAL, "name": 5}, "name"),
        (DEALS, {**DEAL, "won_at": "yesterday"}, "won_at"),
        (DEALS, {**DEAL, "won_at": 1_700_000_000_000}, "won_at"),
        (DEALS, {**DEAL, "lost_at": []}, "lost_at"),
        (DEALS, {**DEAL, "user_custom_id": {}}, "user_custom_id"),
        (DEALS, {**DEAL, "user_id": "x"}, "user_id"),
        (DEALS, {**DEAL, "products": [77]}, "products"),
        (DEALS, {**DEAL, "products": {"a": 1}}, "products"),
        (DEALS, {**DEAL, "products_custom_id": "P"}, "products_custom_id"),
        (DEALS, {**DEAL, "products_custom_id": ["P", None]}, "products_custom_id[1]"),
        (DEALS, {**DEAL, "order_products": "P"}, "order_products"),
        (DEALS, {**DEAL, "order_products": ["P"]}, "order_products[0]"),
        (DEALS, {**DEAL, "order_products": [{"quantity": 1}]}, "order_products[0]"),
        (DEALS, {**DEAL, "order_products": [{"product_id": 77}]}, "order_products[0]"),
        (DEALS, {**DEAL, "order_products": [LINE] * 5001}, "order_products"),
        (
            DEALS,
            {**DEAL, "order_products": [LINE, {**LINE, "quantity": 0}]},
            "order_products[1].quantity",
        ),
        (
            DEALS,
            {**DEAL, "order_products": [{**LINE, "quantity": 1.5}]},
            "order_products[0].quantity",
        ),
        (
            DEALS,
            {**DEAL, "order_products": [{**LINE, "value": "x"}]},
            "order_products[0].value",
        ),
        (
            DEALS,
            {**DEAL, "order_products": [{**LINE, "currency": "XX"}]},
            "order_products[0].currency",
        ),
        (EVENT, {}, "name"),
        (EVENT, {"name": None}, "name"),
        (EVENT, {"name": 5}, "name"),
        (EVENT, {"name": "x" * 256}, "name"),
        (EVENT, {"name": "seen", "data": []}, "data"),
        (EVENT, {"name": "seen", "timestamp": "soon"}, "timestamp"),
        (EVENT, {"name": "seen", "timestamp": 32_503_680_000}, "timestamp"),
        (EVENT, {"name": "seen", "timestamp": True}, "timestamp"),
        (PRODUCT_EVENT, {"user_custom_id": "A"}, "event_type"),
        (PRODUCT_EVENT, {**ORDERED, "event_type": "bought"}, "event_type"),
        (PRODUCT_EVENT, {**ORDERED, "event_type": 5}, "event_type"),
        (PRODUCT_EVENT, {"event_type": "order"}, "user_custom_id"),
        (PRODUCT_EVENT, {**ORDERED, "data": "x"}, "data"),
        (PRODUCT_EVENT, {**ORDERED, "data": {"custom_data": "x"}}, "data.custom_data"),
        (PRODUCT_EVENT, {**ORDERED, "timestamp": 32_503_680_000}, "timestamp"),
    ],
)
def test_a_wrong_field_is_named_and_nothing_is_stored(
    shop: Served, key: str, target: str, body: Any, field: str
) -> None:
    assert list(refused(shop, key, target, body)) == [field]


def test_what_was_wrong_is_not_said_again(shop: Served, key: str) -> None:
    line = {**LINE, "value": "secret", "currency": "secret"}
    wrong = {"value": "secret", "currency": "secret", "order_products": [line]}
    number, currency = ["is not a number"], ["is not an ISO 4217 currency code"]
    told = refused(shop, key, DEALS, {**DEAL, **wrong, "order_products": []})
    assert told == {"value": number, "currency": currency}
    assert "secret" not in str(refused(shop, key, DEALS, {**DEAL, "order_products": [line]}))


def test_a_thing_has_as_many_attributes_as_it_may_and_no_more(platform: Served, token: str) -> None:
    half = {f"first_{n}": n for n in range(250)}
    rest = {f"second_{n}": n for n in range(250)}
    for target, said in (
        (USERS, lambda sent: {"custom_id": "A", **sent}),
        (DEALS, lambda sent: {"custom_id": "D", **sent}),
        (PRODUCT_EVENT, lambda sent: {**ORDERED, "data": sent}),
    ):
        for sent in (half, rest, {"first_0": "again"}):
            assert platform.call(token, "POST", target, said(sent)).status in (200, 201)
        reply = platform.call(token, "POST", target, said({"one_more": 1}))
        assert (reply.status, list(reply.json["errors"])) == (400, ["attributes"])


def test_a_list_is_as_long_as_it_may_be(platform: Served, token: str) -> None:
    body = {"custom_id": "D", "order_products": [LINE] * 5000, "products_custom_id": SKUS}
    reply = platform.call(token, "POST", DEALS, body)
    assert (reply.status, len(reply.json["products"])) == (200, 5001)
    too_many = {"custom_id": "E", "products_custom_id": [*SKUS], "products": reply.json["products"]}
    for products in (too_many["products"][:1], too_many["products"][:5000]):
        reply = platform.call(token, "POST", DEALS, {**too_many, "products": products})
        assert (reply.status, list(reply.json["errors"])) == (400, ["products"])


def test_every_wrong_field_is_named_at_once(shop: Served, key: str) -> None:
    body = {**DEAL, "stage": "x", "value": "y", "currency": "z", "won_at": "w"}
    assert refused(shop, key, DEALS, body).keys() == {"stage", "value", "currency", "won_at"}


@pytest.mark.parametrize("chunks", [[b"x" * (10 << 20)], [b"{" + b" " * (1 << 19)] * 20])
@pytest.mark.parametrize("target", ALL)
def test_ten_megabytes_are_413_and_not_stored(
    shop: Served, key: str, target: str, chunks: Sequence[bytes]
) -> None:
    before = kept(shop)
    reply = shop.call(key, "POST", target, body=chunks)
    assert (reply.status, list(reply.json["errors"])) == (413, ["body"])
    assert "bytes" in reply.json["detail"]
    assert kept(shop) == before


def test_the_largest_body_is_taken_and_one_byte_more_is_not(platform: Served, token: str) -> None:
    bytes_max = Settings().body_bytes_max
    for size, status in ((bytes_max, 200), (bytes_max + 1, 413)):
        body = b'{"custom_id": "A"}'.ljust(size)
        assert platform.call(token, "POST", USERS, body=body).status == status
        halves = [body[:1000], body[1000:]]
        assert platform.call(token, "POST", USERS, body=halves).status == status


def test_a_false_content_length_does_not_widen_the_limit(tmp_path: Path) -> None:
    with served.serve(tmp_path, body_bytes_max=1024) as platform:
        token = platform.new_token()
        body = b'{"custom_id": "A"}'.ljust(2000)
        for length in ("5", "", "x", "-1", "9" * 18):
            headers = {"content-length": length}
            reply = platform.call(token, "POST", USERS, body=body, headers=headers)
            assert reply.status == 413, length


@pytest.mark.parametrize("target", ALL)
def test_a_body_that_stops_half_way_stores_nothing(shop: Served, key: str, target: str) -> None:
    before = kept(shop)
    whole = {USERS: {"custom_id": "Z"}, DEALS: {**DEAL, "name": "new"}, EVENT: {"name": "x"}}
    body = json.dumps(whole.get(target, ORDERED)).encode()
    for chunks in ([body], [body[:5], body[5:]], [body[:5]], []):
        reply = shop.call(key, "POST", target, body=chunks, breaks_off=True)
        assert reply.status == 400, chunks
        assert kept(shop) == before


def test_a_body_of_twenty_thousand_fields_is_taken_or_refused_in_good_time(
    platform: Served, token: str
) -> None:
    body = {"custom_id": "A", **{f"field_{n}": n for n in range(20_000)}}
    assert platform.call(token, "POST", USERS, body).status in (200, 400)
    assert platform.call(token, "GET", "/api/public/stages/").status == 200


def test_of_a_key_sent_twice_the_last_counts(platform: Served, token: str) -> None:
    raw = b'{"custom_id": "A", "city": "York", "city": "Hull"}'
    assert platform.call(token, "POST", USERS, body=raw).status == 200
    assert platform.call(token, "GET", "/api/public/users-by-id/A/").json["city"] == "Hull"


@pytest.mark.parametrize("number", ["x", "-1", "1.5", "9" * 30, "9" * 5000, "%00", "%E2%82%AC"])
def test_a_wrong_number_in_the_path_is_404(platform: Served, token: str, number: str) -> None:
    for kind in ("users", "deals"):
        reply = platform.call(token, "GET", f"/api/public/{kind}/{number}/")
        assert reply.status == 404
        assert "whole number" in reply.json["detail"]


def test_a_wrong_id_in_the_path_is_400(platform: Served, token: str) -> None:
    for custom_id in ("a%00b", "x" * 256, "%20"):
        reply = platform.call(token, "GET", f"/api/public/users-by-id/{custom_id}/")
        assert (reply.status, list(reply.json["errors"])) == (400, ["custom_id"])


@pytest.mark.parametrize(
    "cursor", ["x", "!!!", "MQ", "a.b", "%C3%A9", "9" * 9000, "LTEuLTE", "_" * 7]
)
def test_a_cursor_that_nobody_gave_out_is_400(shop: Served, key: str, cursor: str) -> None:
    for listing in ("events", "product_events", "timeline"):
        target = f"/api/public/users-by-id/A/{listing}/?cursor={cursor}"
        reply = shop.call(key, "GET", target)
        if cursor == "LTEuLTE":  # -1.-1: a place before everything
            assert (reply.status, reply.json["results"]) == (200, [])
        else:
            assert (reply.status, list(reply.json["errors"])) == (400, ["cursor"])


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("Idempotency-Key", ""),
        ("Idempotency-Key", "x" * 256),
        ("Idempotency-Key", "ü"),
        ("X-Ordertrail-Origin", "yesterday"),
        ("X-Ordertrail-Origin", ""),
        ("X-Ordertrail-Origin", "ü"),
    ],
)
def test_a_wrong_header_is_named(shop: Served, key: str, header: str, value: str) -> None:
    before = kept(shop)
    reply = shop.call(key, "POST", EVENT, {"name": "seen"}, headers={header: value})
    assert (reply.status, list(reply.json["errors"])) == (400, [header])
    assert kept(shop) == before
