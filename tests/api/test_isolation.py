"""A key sees and changes what is its workspace's, on every address, and nothing else."""

from typing import Any

import pytest

from ordertrail.api.routes import ROUTES
from served import Served

SECRET = "only-of-a"
ADDRESSES = [(method, path) for method, path, _ in ROUTES]
BODIES: dict[str, dict[str, Any]] = {
    "deals": {"custom_id": SECRET, "user_custom_id": SECRET, "stage": 2},
    "products-by-id": {"user_custom_id": SECRET, "event_type": "order"},
    "users": {"custom_id": SECRET, "city": "York"},
    "users-by-id": {"name": "seen"},
    "products": {"custom_id": SECRET, "name": "Lamp"},
}
BODIES["batch"] = {
    "operations": [
        {"method": "POST", "path": "/api/public/deals/update_or_create/", "body": BODIES["deals"]},
        {
            "method": "POST",
            "path": f"/api/public/users-by-id/{SECRET}/events/",
            "body": BODIES["users-by-id"],
        },
    ]
}


@pytest.fixture
def tokens(platform: Served) -> tuple[str, str]:
    """A key to workspace 1, where there is one of everything, and a key to an empty one."""
    platform.new_workspace(2)
    owner, stranger = platform.new_token(), platform.new_token(workspace_id=2)
    for target, body in (
        ("users/update_or_create/", {"custom_id": SECRET, "email": f"{SECRET}@shop.test"}),
        (
            "deals/update_or_create/",
            {**BODIES["deals"], "order_products": [{"product_custom_id": SECRET}]},
        ),
        (f"products-by-id/{SECRET}/product_event/", BODIES["products-by-id"]),
        (f"users-by-id/{SECRET}/events/", {"name": SECRET}),
    ):
        assert platform.call(owner, "POST", f"/api/public/{target}", body).status in (200, 201)
    return owner, stranger


def target_of(path: str) -> str:
    return path.replace("{custom_id}", SECRET).replace("{id}", "1")


def body_of(path: str) -> dict[str, object]:
    known = path.removeprefix("/api/public/").removeprefix("/api/ordertrail/v1/")
    return BODIES[known.split("/")[0]]


def others_rows(platform: Served) -> dict[str, list[list[object]]]:
    tables = platform.counts(but=("requests", "migrations", "sequences", "workspaces"))
    return {name: [row for row in platform.rows(name) if row[0] == 1] for name in tables}


@pytest.mark.parametrize(("method", "path"), ADDRESSES, ids=str)
def test_no_address_shows_or_changes_what_is_another_workspaces(
    platform: Served, tokens: tuple[str, str], method: str, path: str
) -> None:
    owner, stranger = tokens
    body = body_of(path) if method == "POST" else None
    before = others_rows(platform)
    reply = platform.call(stranger, method, target_of(path), body)
    assert others_rows(platform) == before
    assert reply.status in (200, 201, 404), reply.text
    if path.endswith("/batch/"):
        assert {each["status"] for each in reply.json["results"]} == {404}
    if "{" in path:
        assert reply.status == 404
    if method == "GET":
        assert SECRET not in reply.text
    mine = platform.call(owner, method, target_of(path), body)
    assert mine.status in (200, 201), mine.text


@pytest.mark.parametrize(("method", "path"), ADDRESSES, ids=str)
def test_every_address_wants_a_token_and_its_scope(
    platform: Served, tokens: tuple[str, str], method: str, path: str
) -> None:
    body = body_of(path) if method == "POST" else None
    assert platform.caller.call(method, target_of(path), json=body).status == 401
    wrong = platform.new_token("read" if method == "POST" else "write")
    status = platform.call(wrong, method, target_of(path), body).status
    assert status == (200 if path.endswith("/about/") else 403)


def test_the_same_custom_ids_in_two_workspaces_are_two_things(
    platform: Served, tokens: tuple[str, str]
) -> None:
    owner, stranger = tokens
    users, deals = "/api/public/users/update_or_create/", "/api/public/deals/update_or_create/"
    assert platform.call(stranger, "POST", users, {"custom_id": SECRET, "city": "Hull"}).json == {
        "created": True,
        "id": 1,
    }
    body = {**BODIES["deals"], "order_products": [{"product_custom_id": SECRET, "quantity": 9}]}
    assert platform.call(stranger, "POST", deals, body).json["created"] is True
    mine = platform.call(owner, "GET", f"/api/public/deals-by-id/{SECRET}/").json
    assert mine["order_products"][0]["quantity"] == 1
    assert platform.call(owner, "GET", f"/api/public/users-by-id/{SECRET}/").json["city"] is None


def test_an_idempotency_key_is_the_workspaces_own(
    platform: Served, tokens: tuple[str, str]
) -> None:
    owner, stranger = tokens
    users = "/api/public/users/update_or_create/"
    platform.call(stranger, "POST", users, {"custom_id": SECRET})
    events = f"/api/public/users-by-id/{SECRET}/events/"
    key = {"Idempotency-Key": "same"}
    for token in tokens:
        assert platform.call(token, "POST", events, {"name": "x"}, headers=key).status == 201
    for token in (owner, stranger):
        told = platform.call(token, "GET", events).json["results"]
        assert [event["name"] for event in told].count("x") == 1


def test_what_one_workspace_reads_does_not_depend_on_another(
    platform: Served, tokens: tuple[str, str]
) -> None:
    """Both use the same custom ids and get the same numbers."""
    owner, stranger = tokens
    writes = [(path, body_of(path)) for method, path in ADDRESSES if method == "POST"]
    reads = [path for method, path in ADDRESSES if method == "GET"]
    in_order = sorted(writes, key=lambda each: "_or_create" not in each[0])
    for path, body in sorted(in_order, key=lambda each: "users/" not in each[0]):
        reply = platform.call(stranger, "POST", target_of(path), body)
        assert reply.status in (200, 201), reply.text
    before = {path: platform.call(stranger, "GET", target_of(path)).json for path in reads}
    for path, body in writes * 3:
        assert platform.call(owner, "POST", target_of(path), body).status in (200, 201)
    changed = {
        **BODIES["deals"],
        "value": 7,
        "size": "L",
        "order_products": [{"product_id": 1, "quantity": 5}],
        "products_custom_id": ["another"],
    }
    reply = platform.call(owner, "POST", "/api/public/deals/update_or_create/", changed)
    assert reply.status == 200
    after = {path: platform.call(stranger, "GET", target_of(path)).json for path in reads}
    assert after == before
