"""Filters of the lists of contacts, companies, deals and products, as requests send them."""

import json
from typing import Any

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
