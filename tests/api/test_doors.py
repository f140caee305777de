"""Who comes in, how an address may be spelt, and what is said to those who may not."""

import logging
from urllib.parse import quote

import pytest

from asgi import Request
from ordertrail.actions import keys
from served import Served

ABOUT = "/api/ordertrail/v1/about/"
USERS = "/api/public/users/update_or_create/"
ONE = {"custom_id": "A"}


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Token",
        "Token ",
        "Bearer " + "a" * 64,
        "Token " + "a" * 64,
        "Token " + "a" * 63,
        "Token " + "a" * 65,
        "Token " + "é" * 64,
        "a" * 64,
    ],
)
def test_without_a_known_token_the_answer_is_401_and_says_what_to_send(
    platform: Served, authorization: str | None
) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    for method, target in (("GET", ABOUT), ("POST", USERS)):
        reply = platform.caller.call(method, target, headers=headers, json=ONE)
        assert reply.status == 401
        assert "Authorization: Token" in reply.json["detail"]
        assert reply.headers["www-authenticate"] == "Token"
    assert platform.counts()["contacts"] == 0


@pytest.mark.parametrize("scheme", ["Token", "token", "TOKEN", "Token  "])
def test_the_scheme_word_is_read_in_any_case(platform: Served, token: str, scheme: str) -> None:
    headers = {"authorization": f"{scheme} {token}"}
    assert platform.caller.call("GET", ABOUT, headers=headers).status == 200


def test_a_revoked_key_opens_nothing(platform: Served) -> None:
    token = platform.new_token()
    platform.database.write(lambda tx: keys.revoke(tx, 1, 1, platform.now()))
    assert platform.call(token, "GET", ABOUT).status == 401


def test_a_key_may_only_do_what_its_scope_says(platform: Served) -> None:
    reader, writer = platform.new_token("read"), platform.new_token("write")
    refused = platform.call(reader, "POST", USERS, ONE)
    assert refused.status == 403
    assert "write" in refused.json["detail"]
    assert platform.counts()["contacts"] == 0
    assert platform.call(writer, "POST", USERS, ONE).status == 200
    assert platform.call(writer, "GET", "/api/public/users-by-id/A/").status == 403
    assert platform.call(reader, "GET", "/api/public/users-by-id/A/").status == 200


@pytest.mark.parametrize("scope", ["read", "write", "both"])
def test_a_key_of_every_scope_learns_where_it_is(platform: Served, scope: str) -> None:
    assert platform.call(platform.new_token(scope), "GET", ABOUT).json["name"] == "ordertrail"


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("10.1.2.3", 200),
        ("192.168.0.7", 200),
        ("::ffff:10.1.2.3", 200),
        ("192.168.0.8", 403),
        ("2001:db8::1", 403),
        ("", 403),
        ("not an address", 403),
    ],
)
def test_a_key_works_from_its_addresses_only(platform: Served, address: str, status: int) -> None:
    token = platform.new_token(networks=["10.0.0.0/8", "192.168.0.7"])
    assert platform.call(token, "GET", ABOUT, client=(address, 1)).status == status
    assert platform.call(token, "GET", ABOUT, client=None).status == 403


@pytest.mark.parametrize("target", ["users-by-id/X/", "deals-by-id/X/", "products-by-id/X/"])
def test_what_is_not_there_is_404_in_json(platform: Served, token: str, target: str) -> None:
    reply = platform.call(token, "GET", f"/api/public/{target}")
    assert (reply.status, "detail" in reply.json) == (404, True)


def test_writing_about_an_unknown_contact_is_404(platform: Served, token: str) -> None:
    for target, body in (
        ("deals/update_or_create/", {"custom_id": "D", "user_custom_id": "X"}),
        ("deals/update_or_create/", {"custom_id": "D", "user_id": 77}),
        ("products-by-id/P/product_event/", {"user_custom_id": "X", "event_type": "order"}),
        ("products-by-id/P/product_event/", {"user_id": 77, "event_type": "order"}),
        ("users-by-id/X/events/", {"name": "seen"}),
    ):
        before = platform.counts()
        reply = platform.call(token, "POST", f"/api/public/{target}", body)
        assert (reply.status, "contact" in reply.json["detail"]) == (404, True), target
        assert platform.counts() == before


def test_another_method_is_405_and_says_which_to_send(platform: Served, token: str) -> None:
    for method, target, allowed in (
        ("GET", USERS, "POST"),
        ("DELETE", "/api/public/users-by-id/A/events/", "GET, POST"),
        ("PUT", "/api/public/stages/", "GET, POST"),
    ):
        reply = platform.call(token, method, target)
        assert (reply.status, reply.headers["allow"]) == (405, allowed)
        assert allowed in reply.json["detail"]


def test_an_unknown_address_is_404_in_json(platform: Served, token: str) -> None:
    for method, target in (
        ("GET", "nothing/here/"),
        ("GET", "users-by-id//"),
        ("GET", "users-by-id//events/"),
        ("POST", "users-by-id//events/"),
        ("POST", "products-by-id//product_event/"),
    ):
        reply = platform.call(token, method, f"/api/public/{target}", ONE)
        assert (reply.status, "No such address" in reply.json["detail"]) == (404, True), target


@pytest.mark.parametrize(
    "accept",
    [
        "*/*; version=2",
        " */*; version=2",
        "*/*;version=2",
        "application/json; version=2",
        f"*/*; version=2{'0' * 5_000}",
        "",
        "text/html",
        "*/*; version=1",
    ],
)
def test_the_version_is_read_in_every_spelling(platform: Served, token: str, accept: str) -> None:
    headers = {"Accept": accept, "Content-Type": "application/json"}
    reply = platform.call(token, "POST", USERS, ONE, headers=headers)
    assert (reply.status, reply.headers["content-type"]) == (200, "application/json")


def test_the_last_slash_of_a_path_may_be_missing(platform: Served, token: str) -> None:
    assert platform.call(token, "POST", USERS.rstrip("/"), ONE).status == 200
    assert platform.call(token, "GET", "/api/public/users-by-id/A").json["custom_id"] == "A"
    assert platform.call(token, "GET", "/api/public/stages").status == 200


@pytest.mark.parametrize(
    "custom_id",
    [
        "a@b.c",
        "a+b@c.de",
        "MTI=",
        "user@123",
        "ü ß",
        "a%2Fb",
        "50%",
        "a?b#c",
        "AB/12",
        "a/b/c",
        "events",
    ],
)
def test_an_id_is_found_however_its_characters_are_written(
    platform: Served, token: str, custom_id: str
) -> None:
    assert platform.call(token, "POST", USERS, {"custom_id": custom_id}).status == 200
    encoded = quote(custom_id, safe="")
    spellings = {encoded, quote(custom_id, safe="@=+")}
    for spelt in spellings:
        found = platform.call(token, "GET", f"/api/public/users-by-id/{spelt}/")
        assert (found.status, found.json.get("custom_id")) == (200, custom_id), spelt
        events = f"/api/public/users-by-id/{spelt}/events/"
        assert platform.call(token, "POST", events, {"name": "seen"}).status == 201
    told = platform.call(token, "GET", f"/api/public/users-by-id/{encoded}/events/").json
    assert told["count"] == len(spellings)
    product = f"/api/public/products-by-id/{encoded}"
    event = {"user_custom_id": custom_id, "event_type": "order"}
    assert platform.call(token, "POST", f"{product}/product_event/", event).status == 201
    assert platform.call(token, "GET", f"{product}/details/").json["custom_id"] == custom_id


def test_a_slash_after_the_query_is_not_part_of_it(platform: Served, token: str) -> None:
    platform.call(token, "POST", USERS, ONE)
    first = platform.call(token, "GET", "/api/public/users-by-id/A/timeline/?cursor=/")
    assert (first.status, first.json["count"]) == (200, 1)
    for behind, count in (("", 1), ("/", 1), ("//", 0)):
        found = platform.call(token, "GET", f"/api/public/users/?custom_id=A{behind}")
        assert found.json["count"] == count, behind


def test_ids_may_be_sent_as_numbers_or_as_text(platform: Served, token: str) -> None:
    """Those of the shop are told as text, ours as numbers."""
    for the_shops, ours, stage in ((7, "1", "2"), ("7", 1, 2)):
        platform.call(token, "POST", USERS, {"custom_id": the_shops})
        line = {"product_custom_id": the_shops, "quantity": 1, "value": 5}
        order = {"custom_id": the_shops, "user_id": ours, "stage": stage, "order_products": [line]}
        platform.call(token, "POST", "/api/public/deals/update_or_create/", order)
        told = platform.call(token, "GET", "/api/public/deals/1/").json
        assert (told["custom_id"], told["user_id"], told["stage"]) == ("7", 1, 2)
        assert told["order_products"][0]["product_custom_id"] == "7"
    assert [platform.counts()[table] for table in ("contacts", "deals", "products")] == [1, 1, 1]


def test_over_its_rate_a_key_is_told_when_to_come_back(platform: Served) -> None:
    token = platform.new_token(rate_limit=1)
    headers = {"Authorization": f"Token {token}"}
    replies = platform.caller.together([Request("GET", ABOUT, headers)] * 3)
    assert sorted(reply.status for reply in replies) == [200, 429, 429]
    [throttled, _] = [reply for reply in replies if reply.status == 429]
    assert throttled.json == {"detail": "Request was throttled. Expected available in 1 second."}
    assert throttled.headers["retry-after"] == "1"
    other = platform.new_token()
    assert platform.call(other, "GET", ABOUT).status == 200


def test_a_throttled_write_stores_nothing(platform: Served) -> None:
    token = platform.new_token(rate_limit=1)
    headers = {"Authorization": f"Token {token}"}
    asked = [Request("POST", USERS, headers, json={"custom_id": f"C{n}"}) for n in range(5)]
    statuses = [reply.status for reply in platform.caller.together(asked)]
    assert platform.counts()["contacts"] == statuses.count(200) == 1


def test_no_log_line_says_a_token_an_address_or_a_body(
    platform: Served, token: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        body = {"custom_id": "A", "email": "ann@shop.test", "first_name": "Wilhelmina"}
        assert platform.call(token, "POST", USERS, body).status == 200
        wrong = {**body, "email": "ann@shop.test" * 30}
        assert platform.call(token, "POST", USERS, wrong).status == 400
        platform.call("b" * 64, "POST", USERS, body)
        platform.call(token, "GET", "/api/public/users-by-id/ann@shop.test/")
    said = "\n".join(f"{each.getMessage()} {each.exc_text}" for each in caplog.records)
    for secret in (token, "b" * 64, "ann@shop.test", "Wilhelmina"):
        assert secret not in said


def test_json_is_taken_for_what_it_is_also_under_the_name_of_a_form(
    platform: Served, token: str
) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    said = {"json": {"custom_id": "A", "city": "York"}, "headers": form}
    assert platform.call(token, "POST", USERS, **said).status == 200
    assert platform.call(token, "GET", "/api/public/users-by-id/A/").json["city"] == "York"
