"""Filters of the lists of contacts, companies, deals and products, as requests send them."""

import json
from typing import Any
from urllib.parse import quote

import pytest

from asgi import Reply
from served import Served

PUBLIC = "/api/public"
MADE = {
    "users": {"custom_id": "A", "email": "a@b.c", "plan": "pro"},
    "companies": {"custom_id": "C", "name": "Acme", "plan": "pro"},
    "products": {"custom_id": "P", "name": "Lamp", "plan": "pro"},
    "deals": {"custom_id": "D", "user_custom_id": "A", "products": [1], "plan": "pro"},
}
NOUNS = {"users": "contact", "companies": "company", "products": "product", "deals": "deal"}


@pytest.fixture
def call(platform: Served, token: str) -> Any:
    def made(method: str, path: str, body: Any = None, **more: Any) -> Reply:
        return platform.call(token, method, f"{PUBLIC}/{path}", body, **more)

    for kind, body in MADE.items():
        assert made("POST", f"{kind}/", body).status == 201
    return made


def warned(reply: Reply) -> list[str]:
    return list(json.loads(reply.headers.get("x-ordertrail-warnings", "[]")))


@pytest.mark.parametrize("kind", MADE)
def test_a_filter_by_what_nothing_has_finds_nothing_and_says_so(call: Any, kind: str) -> None:
    reply = call("GET", f"{kind}/?nonsense=1&page=2&plan=pro")
    assert (reply.status, reply.json["count"]) == (200, 0)
    assert warned(reply) == [
        "page: ignored: pages follow `next`",
        f"nonsense: no {NOUNS[kind]} has such a field",
    ]
    reply = call("GET", f"{kind}/?plan=pro&custom_id={MADE[kind]['custom_id']}")
    assert (reply.json["count"], warned(reply)) == (1, [])


def test_a_value_whose_attribute_is_no_longer_defined_is_found_without_a_warning(
    call: Any,
) -> None:
    [plan] = [
        each
        for each in call("GET", "attributes/?content_type=clientuser").json["results"]
        if each["name_std"] == "plan"
    ]
    assert call("DELETE", f"attributes/{plan['id']}/").status == 200
    reply = call("GET", "users/?plan=pro")
    assert (reply.json["count"], warned(reply)) == (1, [])


def test_a_deal_is_found_by_a_participant_that_was_merged(call: Any) -> None:
    for name in "BC":
        assert call("POST", "users/", {"custom_id": name}).status == 201
    assert call("PUT", "deals/1/", {"participants": [2]}).status == 200
    assert call("POST", "users/merge/", {"parent": 3, "users_list": [2]}).status == 200
    for participant, count in ((2, 1), (3, 1), (1, 0)):
        assert call("GET", f"deals/?participants={participant}").json["count"] == count
    assert call("GET", "deals/?participants__gt=2").json["count"] == 1


def test_a_deal_tells_of_its_company_what_it_is_today_and_is_found_so(call: Any) -> None:
    def told() -> tuple[Any, ...]:
        deal = call("GET", "deals/1/").json
        [listed] = call("GET", "deals/").json["results"]
        assert listed == deal
        found = [
            value
            for value in ("company_id=1", "company_custom_id=C", "company_custom_id=New")
            if call("GET", f"deals/?{value}").json["count"]
        ]
        return deal["company_id"], deal["company_custom_id"], *found

    changed = call("PUT", "deals/1/", {"company_custom_id": "C"}).json
    assert (changed["company_id"], changed["company_custom_id"]) == (1, "C")
    assert told() == (1, "C", "company_id=1", "company_custom_id=C")
    call("PUT", "companies/1/", {"custom_id": "New"})
    assert told() == (1, "New", "company_id=1", "company_custom_id=New")
    call("DELETE", "companies/1/")
    assert told() == (None, None)
    assert call("PUT", "deals/1/", {"note": "x"}).json["company_id"] is None


def test_a_filter_by_lines_says_what_to_filter_by(call: Any) -> None:
    reply = call("GET", "deals/?order_products=P")
    assert reply.json["count"] == 0
    assert warned(reply) == ["order_products: no filter; use products or products_custom_id"]


SHOWN = [
    ("users", "page_views", "0", "1"),
    ("users", "page_views__lt", "1", "0"),
    ("users", "web_push_subscription", "false", "true"),
    ("users", "gender", "2", "3"),
    ("users", "gender", "male", "female"),
    ("users", "status", "2", "1"),
    ("users", "tags", "vip", "VIP"),
    ("users", "tags__istartswith", "VI", "ip"),
    ("users", "lists", "1", "2"),
    ("users", "companies", "1", "2"),
    ("users", "company_custom_id", "C", "c"),
    ("companies", "tags", "vip", "late"),
    ("companies", "employees", "1", "2"),
    ("companies", "phone_numbers", "+44 2", "+44"),
    ("companies", "phone_numbers__startswith", "+44", "+48"),
    ("products", "tags", "vip", "late"),
    ("deals", "participants", "1", "2"),
    ("deals", "products", "2", "3"),
    ("deals", "products_custom_id", "P", "D"),
    ("deals", "products_custom_id", "Q", "D"),
    ("deals", "tags", "vip", "late"),
]


@pytest.fixture
def bearing(call: Any, platform: Served) -> Any:
    tags = "INSERT INTO taggings (workspace_id, subject, subject_id, tag_id) VALUES (1, :of, 1, 1)"
    call("POST", "products/", {"custom_id": "Q"})
    for path, body in (
        ("users", {"gender": 2, "tags": ["vip"], "company_custom_id": "C"}),
        ("companies", {"phone_numbers": ["+44 1", "+44 2"]}),
        ("deals", {"participants": [1], "order_products": [{"product_id": 2}]}),
    ):
        assert call("PUT", f"{path}/1/", body).status == 200
    call("POST", "lists/", {"name": "Buyers"})
    call("POST", "users/1/add_to_list/", {"list": 1})
    for subject in ("company", "product", "deal"):
        platform.database.write(lambda tx, of=subject: tx.run(tags, of=of))
    return call


@pytest.mark.parametrize(("kind", "field", "has", "has_not"), SHOWN)
def test_what_a_list_shows_can_be_filtered_by(
    bearing: Any, kind: str, field: str, has: str, has_not: str
) -> None:
    for value, count in ((has, 1), (has_not, 0)):
        reply = bearing(
            "GET", f"{kind}/?custom_id={MADE[kind]['custom_id']}&{field}={quote(value)}"
        )
        assert (reply.json["count"], warned(reply)) == (count, []), value


@pytest.mark.parametrize(
    "query", ["users/?lists=Buyers", "deals/?products=P", "users/?companies=C"]
)
def test_what_is_filtered_by_its_number_takes_no_name(bearing: Any, query: str) -> None:
    assert bearing("GET", query).status == 400
