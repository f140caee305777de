"""Whatever is sent to whichever address: an answer in JSON, never a fault, never a hang."""

import json
import random
from typing import Any

import pytest
from samples import BODIES, QUERIES, SECRET, sent

from ordertrail.api.route import Route
from ordertrail.api.routes import EVERY
from served import Served

DEEP = b"[" * 5_000 + b"]" * 5_000
HOSTILE: tuple[Any, ...] = (
    None,
    True,
    -1,
    0,
    2**63,
    10**30,
    1.5,
    "",
    " ",
    "\0",
    "\ud800",
    "x" * 70_000,
    "'; DROP TABLE deals; --",
    "<script>alert(1)</script>",
    "2026-13-45",
    [],
    {},
    [[]],
    [None],
    {"a": {"b": {}}},
    ["x"] * 2_000,
)
RAW = (
    b"",
    b"null",
    b"[]",
    b'"text"',
    b"{",
    b"{}",
    DEEP,
    b'{"a":' * 200 + b"1" + b"}" * 200,
    b'{"custom_id": NaN, "value": Infinity}',
    b'{"name": "\xff\xfe"}',
    b'{"name": "\\ud800", "custom_id": "\\u0000"}',
    b'{"custom_id": 1e400, "value": 1e-400, "id": 99999999999999999999999}',
    b'{"custom_id": "a", "custom_id": "b", "custom_id": null}',
    b"custom_id=a&name=b&email=%00&first_name=%ff",
    b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\nb\r\n--x--",
    b"\x1f\x8b\x08\x00broken",
)
TYPES = (
    "application/json",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "text/plain; charset=utf-16",
    "application/x-ndjson",
    "\x80",
)
WRITES = [route for route in EVERY if route.method != "GET"]
EACH_ONCE = list({id(route.does): route for route in WRITES}.values())
"""One route for each kind of write: what stands at several addresses is one."""


def named(route: Route) -> str:
    return f"{route.method} {route.path}"


@pytest.fixture
def shop(platform: Served, token: str) -> Served:
    """A platform with one of everything that the bodies of the samples name."""
    for target, body in (
        ("users/update_or_create/", {"custom_id": SECRET, "email": "a@shop.test"}),
        ("deals/update_or_create/", {"custom_id": SECRET, "products_custom_id": [SECRET]}),
    ):
        assert platform.call(token, "POST", f"/api/public/{target}", body).status == 200
    return platform


def hold(shop: Served, token: str, method: str, target: str, **more: Any) -> None:
    """Make a call, and see that its answer is one of ours."""
    reply = shop.call(token, method, target, **more)
    assert reply.status < 500, (method, target, reply.text[:300])
    assert reply.headers["content-type"].startswith(("application/", "text/csv"))
    if reply.status >= 400:
        assert isinstance(reply.json["detail"], str)


@pytest.mark.parametrize("route", EACH_ONCE, ids=named)
def test_no_value_in_any_field_is_a_fault(shop: Served, token: str, route: Route) -> None:
    target = route.path.replace("{custom_id}", SECRET).replace("{id}", "1")
    sample = BODIES.get((route.method, route.path), {})
    names = [*getattr(route.takes, "__annotations__", {}), *sample, "any attribute"]
    for name in dict.fromkeys(names):
        for value in HOSTILE:
            raw = json.dumps({**sample, name: value}).encode()
            hold(shop, token, route.method, target, body=raw)


@pytest.mark.parametrize("route", EACH_ONCE, ids=named)
def test_no_body_of_any_type_is_a_fault(shop: Served, token: str, route: Route) -> None:
    target = route.path.replace("{custom_id}", SECRET).replace("{id}", "1")
    for raw in RAW:
        for content_type in TYPES:
            hold(
                shop, token, route.method, target, body=raw, headers={"Content-Type": content_type}
            )


@pytest.mark.parametrize("route", EVERY, ids=named)
def test_no_path_and_no_query_is_a_fault(shop: Served, token: str, route: Route) -> None:
    body = sent(route.method, route.path)
    bad = (
        "%00",
        "%ff%fe",
        "9" * 400,
        "-1",
        "%F0%9F%92%A9",
        "a%2Fb",
        "a/b/c",
        "..%2f..",
        "%",
        "%zz",
    )
    if "{" in route.path:
        for name in bad:
            target = route.path.replace("{custom_id}", name).replace("{id}", name)
            hold(shop, token, route.method, target, **body)
    target = route.path.replace("{custom_id}", SECRET).replace("{id}", "1")
    queries = ["a=1&a=2", "=", "&&&", "%", "x" * 9_000, "cursor=%00", "cursor=MTIz", "cursor="]
    queries += [f"{name}={value}" for name in route.queries for value in (*bad, "", "a=b&c", "'")]
    queries += ["a__gt=1", "email__bogus=1", "__=1", "a__contains=%25_%5C", "'__contains='"]
    known = QUERIES.get((route.method, route.path), "")
    for query in queries:
        hold(shop, token, route.method, f"{target}{known or '?'}&{query}", **body)


@pytest.mark.parametrize("seed", range(6))
def test_random_bodies_are_no_fault(shop: Served, token: str, seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(150):
        route = chance.choice(WRITES)
        target = route.path.replace("{custom_id}", SECRET).replace("{id}", "1")
        fields = [*getattr(route.takes, "__annotations__", {"name": 0}), "x", "attributes"]
        body = {name: value(chance, 3) for name in chance.sample(fields, min(4, len(fields)))}
        version = chance.choice(["*/*", "*/*; version=2"])
        raw = json.dumps(body).encode()
        hold(shop, token, route.method, target, body=raw, headers={"Accept": version})


def value(chance: random.Random, depth: int) -> Any:
    """Any value that JSON can say, sensible ones among them."""
    if depth and chance.random() < 0.3:
        return [value(chance, depth - 1) for _ in range(chance.randrange(3))]
    if depth and chance.random() < 0.2:
        names = ("product_custom_id", "quantity", "value", "name", "id")
        return {chance.choice(names): value(chance, depth - 1) for _ in range(3)}
    return chance.choice((*HOSTILE, 1, 2, "1", SECRET, "purchase", "EUR", "2026-01-02"))


NASTY = (
    "'; DROP TABLE deals; --",
    '" OR ""="',
    "<script>alert('x')</script>",
    "{{ 7 * 7 }} ${x} %s \\ \u202e \N{ROCKET}",
    "=cmd|' /C calc'!A0",
)


@pytest.mark.parametrize("nasty", NASTY)
def test_text_comes_back_as_it_was_sent(shop: Served, token: str, nasty: str) -> None:
    contact = dict.fromkeys(("first_name", "last_name", "phone_number", "city", "note"), nasty)
    deal = dict.fromkeys(("name", "loss_reason_description", "note"), nasty)
    product = dict.fromkeys(("name", "product_url", "category_name", "note"), nasty)
    for write, read, said in (
        ("users/update_or_create/", f"users-by-id/{SECRET}/", contact),
        ("deals/update_or_create/", f"deals-by-id/{SECRET}/", deal),
        ("products/", f"products-by-id/{SECRET}/", product),
    ):
        reply = shop.call(token, "POST", f"/api/public/{write}", {"custom_id": SECRET, **said})
        assert reply.status in (200, 201), reply.text
        told = shop.call(token, "GET", f"/api/public/{read}").json
        assert {name: told[name] for name in said} == said
