"""Tags and lists over the API: made, renamed, removed, and what is in each; segments."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import pytest

import asgi
from ordertrail.domain.journal import Subject
from ordertrail.store import lists, tags
from served import Served

PUBLIC = "/api/public"
BATCH = "/api/ordertrail/v1/batch/"
V1 = {"Accept": "*/*"}
KINDS = ("tags", "lists")


class Shop:
    """A workspace and a key to it."""

    def __init__(self, platform: Served, token: str) -> None:
        self.platform, self.token = platform, token

    def call(self, method: str, path: str, body: Any = None, **more: Any) -> asgi.Reply:
        return self.platform.call(self.token, method, f"{PUBLIC}/{path}", body, **more)

    def made(self, kind: str, name: str = "vip") -> int:
        return int(self.call("POST", f"{kind}/", {"name": name}).json["id"])

    def people(self, count: int) -> list[int]:
        path = f"{PUBLIC}/users/update_or_create/"
        sent = [{"path": path, "body": {"custom_id": f"c{number}"}} for number in range(count)]
        body = {"operations": sent}
        reply = self.platform.call(self.token, "POST", BATCH, body)
        return [each["body"]["id"] for each in reply.json["results"]]

    def tag(self, subject: Subject, tag_id: int, ids: Sequence[int]) -> None:
        pairs = [(each, tag_id) for each in ids]
        self.platform.database.write(lambda tx: tags.attach(tx, 1, subject, pairs))

    def put_on(self, list_id: int, ids: Sequence[int]) -> None:
        pairs = [(list_id, each) for each in ids]
        self.platform.database.write(lambda tx: lists.add_members(tx, 1, pairs))

    def put_in(self, kind: str, group_id: int, ids: Sequence[int]) -> None:
        if kind == "tags":
            self.tag(Subject.CONTACT, group_id, ids)
        else:
            self.put_on(group_id, ids)

    def every(self, path: str) -> tuple[int, list[Any]]:
        """The count of a list, and what is on all of its pages."""
        page = self.call("GET", path).json
        found = list(page["results"])
        while page["next"] is not None:
            page = self.call("GET", f"{path}?{urlsplit(page['next']).query}").json
            found += page["results"]
        return page["count"], found


@pytest.fixture
def shop(platform: Served, token: str) -> Shop:
    return Shop(platform, token)


@pytest.mark.parametrize("kind", KINDS)
def test_a_group_is_made_once_by_its_name(shop: Shop, kind: str) -> None:
    made = shop.call("POST", f"{kind}/", {"name": " vip "})
    assert (made.status, made.json) == (201, {"id": 1, "name": "vip"})
    again = shop.call("POST", f"{kind}/", {"name": "vip"})
    assert (again.status, again.json) == (200, made.json)
    other = shop.call("POST", f"{kind}/", {"name": "VIP"})
    assert (other.status, other.json) == (201, {"id": 2, "name": "VIP"})
    assert shop.call("GET", f"{kind}/1/").json == made.json
    assert shop.every(f"{kind}/") == (2, [other.json, made.json])


@pytest.mark.parametrize("kind", KINDS)
def test_a_name_twice_in_a_batch_is_one_group(shop: Shop, kind: str) -> None:
    sent = [{"path": f"{PUBLIC}/{kind}/", "body": {"name": name}} for name in ("a", "b", "a")]
    body = {"operations": sent}
    told = shop.platform.call(shop.token, "POST", BATCH, body).json["results"]
    assert [(each["status"], each["body"]["id"]) for each in told] == [(201, 1), (201, 2), (200, 1)]


@pytest.mark.parametrize("kind", KINDS)
def test_a_group_is_renamed_unless_another_has_the_name(shop: Shop, kind: str) -> None:
    first, second = shop.made(kind, "first"), shop.made(kind, "second")
    assert shop.call("PUT", f"{kind}/{first}/", {"name": "1st"}).json["name"] == "1st"
    assert shop.call("PUT", f"{kind}/{first}/", {"name": "1st"}).status == 200
    refused = shop.call("PUT", f"{kind}/{second}/", {"name": "1st"})
    assert refused.status == 400
    assert refused.json["errors"].keys() == {"name"}
    assert shop.call("PUT", f"{kind}/{second}/", {"name": "first"}).status == 200
    assert [each["name"] for each in shop.every(f"{kind}/")[1]] == ["first", "1st"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "body", [{}, {"name": None}, {"name": " "}, {"name": 7}, {"name": "x" * 256}]
)
def test_a_name_that_is_none_is_refused(shop: Shop, kind: str, body: dict[str, Any]) -> None:
    number = shop.made(kind)
    for method, path in (("POST", f"{kind}/"), ("PUT", f"{kind}/{number}/")):
        reply = shop.call(method, path, body)
        assert reply.status == 400
        assert reply.json["errors"].keys() == {"name"}


@pytest.mark.parametrize("kind", KINDS)
def test_a_name_that_is_given_up_in_a_batch_is_free_in_it(shop: Shop, kind: str) -> None:
    for name in ("first", "second"):
        shop.made(kind, name)
    names = ((2, "first"), (1, "1st"), (2, "first"))
    sent = [
        {"method": "PUT", "path": f"{PUBLIC}/{kind}/{number}/", "body": {"name": name}}
        for number, name in names
    ]
    body = {"operations": sent}
    told = shop.platform.call(shop.token, "POST", BATCH, body).json["results"]
    assert [each["status"] for each in told] == [400, 200, 200]


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_not_there_is_not_found(shop: Shop, kind: str) -> None:
    for method, body in (("GET", None), ("PUT", {"name": "x"}), ("DELETE", None)):
        assert shop.call(method, f"{kind}/9/", body).status == 404
    assert shop.call("GET", f"{kind}/9/users/").status == 404
    assert shop.call("GET", f"{kind}/x/").status == 404


@pytest.mark.parametrize("kind", KINDS)
def test_groups_are_listed_page_by_page(shop: Shop, kind: str) -> None:
    names = [f"n{number:03}" for number in range(130)]
    for name in names:
        shop.made(kind, name)
    count, found = shop.every(f"{kind}/")
    assert count == 130
    assert [each["name"] for each in found] == names[::-1]


@pytest.mark.parametrize("kind", KINDS)
def test_who_is_in_a_group_is_told_page_by_page_in_full(shop: Shop, kind: str) -> None:
    number, other = shop.made(kind), shop.made(kind, "other")
    people = shop.people(150)
    shop.put_in(kind, number, people[:120])
    shop.put_in(kind, other, people[100:])
    count, found = shop.every(f"{kind}/{number}/users/")
    assert count == 120
    assert [each["id"] for each in found] == people[:120][::-1]
    assert found[0] == shop.call("GET", f"users/{people[119]}/").json
    older = shop.call("GET", f"{kind}/{number}/users/", headers=V1).json["results"][0]
    assert older == shop.call("GET", f"users/{people[119]}/", headers=V1).json
    assert "user_id" in older


def test_a_tag_tells_the_deals_and_products_that_bear_it_in_the_names_of_the_version(
    shop: Shop,
) -> None:
    tag = shop.made("tags")
    lines = [{"product_custom_id": "lamp", "value": 5}]
    for custom_id in ("a", "b"):
        body = {"custom_id": custom_id, "name": "x", "order_products": lines}
        shop.call("POST", "deals/update_or_create/", body)
    shop.tag(Subject.DEAL, tag, [1])
    shop.tag(Subject.PRODUCT, tag, [1])
    for headers in ({}, V1):
        [deal] = shop.call("GET", f"tags/{tag}/deals/", headers=headers).json["results"]
        assert deal == shop.call("GET", "deals-by-id/a/", headers=headers).json
        [product] = shop.call("GET", f"tags/{tag}/products/", headers=headers).json["results"]
        one = shop.call("GET", "products-by-id/lamp/", headers=headers).json
        assert product == {name: one[name] for name in product}
        assert product["tags"] == [{"id": tag, "name": "vip"}]
    assert shop.every(f"tags/{tag}/users/") == (0, [])


@pytest.mark.parametrize("kind", KINDS)
def test_a_group_that_is_removed_leaves_what_was_in_it(shop: Shop, kind: str) -> None:
    number, kept = shop.made(kind), shop.made(kind, "kept")
    people = shop.people(2)
    for group in (number, kept):
        shop.put_in(kind, group, people)
    gone = shop.call("DELETE", f"{kind}/{number}/")
    assert gone.json == {"id": number, "deleted": True}
    assert shop.call("GET", f"{kind}/{number}/").status == 404
    told = shop.call("GET", f"users/{people[0]}/").json[kind]
    assert [each["id"] for each in told] == [kept]
    assert shop.every(f"{kind}/{kept}/users/")[0] == 2
    assert shop.made(kind) > kept


@pytest.mark.parametrize("kind", KINDS)
def test_groups_are_removed_in_a_batch(shop: Shop, kind: str) -> None:
    number, other = shop.made(kind), shop.made(kind, "other")
    for group in (number, other):
        shop.put_in(kind, group, shop.people(3))
    sent = [
        {"method": "DELETE", "path": f"{PUBLIC}/{kind}/{each}/"} for each in (number, 99, number)
    ]
    reply = shop.platform.call(shop.token, "POST", BATCH, {"operations": sent})
    assert [each["status"] for each in reply.json["results"]] == [200, 404, 404]
    assert reply.json["results"][0]["body"] == {"id": number, "deleted": True}
    assert shop.every(f"{kind}/{other}/users/")[0] == 3


@pytest.mark.parametrize("kind", KINDS)
def test_the_removal_of_a_group_is_answered_again_under_its_key(shop: Shop, kind: str) -> None:
    number = shop.made(kind)
    path, headers = f"{kind}/{number}/", {"Idempotency-Key": "one"}
    said = [shop.call("DELETE", path, headers=headers).json for _ in range(2)]
    assert said == [{"id": number, "deleted": True}] * 2
    assert shop.call("DELETE", path).status == 404


def test_there_are_no_segments(shop: Shop) -> None:
    assert shop.call("GET", "segments/").json == {
        "count": 0,
        "next": None,
        "previous": None,
        "results": [],
    }
    for path in ("segments/1/", "segments/1/users/", "segments/x/"):
        assert shop.call("GET", path).status == 404
