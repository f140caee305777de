"""A key sees and changes what is its workspace's, on every address, and nothing else."""

import pytest
from samples import (
    BODIES,
    DEAL,
    IN_USE,
    MADE,
    NOBODY_HAS,
    NUMBERS,
    OPEN_TO_ALL,
    PUBLIC,
    QUERIES,
    SECRET,
    sent,
)

from ordertrail.api.routes import EVERY
from served import Served

ADDRESSES = [(route.method, route.path) for route in EVERY]
UPSERTS = [
    ("POST", f"{PUBLIC}/{path}")
    for path in (
        "users/update_or_create/",
        "users/{id}/events/",
        "users-by-id/{custom_id}/events/",
        "deals/update_or_create/",
        "products/",
        "products-by-id/{custom_id}/product_event/",
    )
]


@pytest.fixture
def tokens(platform: Served) -> tuple[str, str]:
    """A key to workspace 1, where there is one of everything, and a key to an empty one."""
    platform.new_workspace(2)
    owner, stranger = platform.new_token(), platform.new_token(workspace_id=2)
    for target, body in (
        ("users/update_or_create/", {"custom_id": SECRET, "email": f"{SECRET}@shop.test"}),
        (
            "deals/update_or_create/",
            {**DEAL, "order_products": [{"product_custom_id": SECRET}]},
        ),
        (
            f"products-by-id/{SECRET}/product_event/",
            BODIES["POST", f"{PUBLIC}/products-by-id/{{custom_id}}/product_event/"],
        ),
        (f"users-by-id/{SECRET}/events/", {"name": SECRET}),
        *MADE,
    ):
        assert platform.call(owner, "POST", f"/api/public/{target}", body).status in (200, 201)
    return owner, stranger


def target_of(method: str, path: str) -> str:
    number = next((n for kind, n in NUMBERS.items() if f"/{kind}/" in path), 1)
    named = path.replace("{custom_id}", SECRET).replace("{id}", str(number))
    named = named.replace("{name_std}", SECRET)
    return named + QUERIES.get((method, path), "")


def others_rows(platform: Served) -> dict[str, list[list[object]]]:
    tables = platform.counts(but=("requests", "migrations", "sequences", "workspaces"))
    return {name: [row for row in platform.rows(name) if row[0] == 1] for name in tables}


@pytest.mark.parametrize(("method", "path"), ADDRESSES, ids=str)
def test_no_address_shows_or_changes_what_is_another_workspaces(
    platform: Served, tokens: tuple[str, str], method: str, path: str
) -> None:
    owner, stranger = tokens
    body = sent(method, path)
    before = others_rows(platform)
    reply = platform.call(stranger, method, target_of(method, path), **body)
    assert others_rows(platform) == before
    assert reply.status in (200, 201, 404), reply.text
    if path.endswith("/batch/"):
        assert {each["status"] for each in reply.json["results"]} == {404}
    if path.endswith("/import/deals/"):
        assert {each["status"] for each in reply.json["results"]} == {"refused"}
    if "{" in path:
        assert reply.status == 404
    if method == "GET":
        assert SECRET not in reply.text
    mine = platform.call(owner, method, target_of(method, path), **body)
    wanted = (404,) if any(each in path for each in NOBODY_HAS) else (200, 201)
    wanted = (409,) if (method, path) in IN_USE else wanted
    assert mine.status in wanted, mine.text


@pytest.mark.parametrize(("method", "path"), ADDRESSES, ids=str)
def test_every_address_wants_a_token_and_its_scope(
    platform: Served, tokens: tuple[str, str], method: str, path: str
) -> None:
    body = sent(method, path)
    assert platform.caller.call(method, target_of(method, path), **body).status == 401
    wrong = platform.new_token("write" if method == "GET" else "read")
    status = platform.call(wrong, method, target_of(method, path), **body).status
    assert status == (200 if (method, path) in OPEN_TO_ALL else 403)


def test_the_same_custom_ids_in_two_workspaces_are_two_things(
    platform: Served, tokens: tuple[str, str]
) -> None:
    owner, stranger = tokens
    users, deals = "/api/public/users/update_or_create/", "/api/public/deals/update_or_create/"
    assert platform.call(stranger, "POST", users, {"custom_id": SECRET, "city": "Hull"}).json == {
        "created": True,
        "id": 1,
    }
    body = {**DEAL, "order_products": [{"product_custom_id": SECRET, "quantity": 9}]}
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
    writes = [(path, BODIES[method, path]) for method, path in UPSERTS]
    reads = [path for method, path in ADDRESSES if method == "GET"]
    in_order = sorted(writes, key=lambda each: "_or_create" not in each[0])
    for path, body in sorted(in_order, key=lambda each: "users/" not in each[0]):
        reply = platform.call(stranger, "POST", target_of("POST", path), body)
        assert reply.status in (200, 201), reply.text
    before = {path: platform.call(stranger, "GET", target_of("GET", path)).text for path in reads}
    for path, body in writes * 3:
        assert platform.call(owner, "POST", target_of("POST", path), body).status in (200, 201)
    changed = {
        **DEAL,
        "value": 7,
        "size": "L",
        "order_products": [{"product_id": 1, "quantity": 5}],
        "products_custom_id": ["another"],
    }
    reply = platform.call(owner, "POST", "/api/public/deals/update_or_create/", changed)
    assert reply.status == 200
    after = {path: platform.call(stranger, "GET", target_of("GET", path)).text for path in reads}
    assert after == before
