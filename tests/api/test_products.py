"""Products are changed, deleted and listed under both ids, and what is done with them is kept."""

import json
from typing import Any

import pytest

from asgi import Reply
from served import Served

PUBLIC = "/api/public"
V1 = {"Accept": "*/*"}
BOTH = ["products/1", "products-by-id/P"]
BOUGHT = {"user_custom_id": "A", "event_type": "purchase"}


@pytest.fixture
def shop(platform: Served, token: str) -> Served:
    call(platform, token, "POST", "users/update_or_create/", {"custom_id": "A"})
    lamp = {"custom_id": "P", "name": "Lamp", "price": 19.9, "category_name": "Light"}
    assert call(platform, token, "POST", "products/", {**lamp, "colour": "red"}).status == 201
    return platform


def call(shop: Served, token: str, method: str, path: str, body: Any = None, **more: Any) -> Reply:
    return shop.call(token, method, f"{PUBLIC}/{path}", body, **more)


@pytest.mark.parametrize("one", BOTH)
@pytest.mark.parametrize("headers", [{}, V1])
def test_a_product_is_read_and_changed_in_part_under_either_id(
    shop: Served, token: str, one: str, headers: dict[str, str]
) -> None:
    body = {"price": 25, "size": "L", "custom_id": "P"}
    reply = call(shop, token, "PUT", f"{one}/", body, headers=headers)
    assert reply.status == 200
    for path in (f"{one}/", f"{one}/details/"):
        told = call(shop, token, "GET", path, headers=headers).json
        assert (told["id"], told["name"], told["price"], told["size"]) == (1, "Lamp", 25, "L")
        assert (told["colour"], told["event_counts"]) == ("red", {})


def test_a_product_keeps_its_custom_id(shop: Served, token: str) -> None:
    reply = call(shop, token, "PUT", "products/1/", {"custom_id": "Q", "price": 1})
    assert (reply.status, list(reply.json["errors"])) == (400, ["custom_id"])
    assert call(shop, token, "GET", "products/1/").json["price"] == 19.9


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize("one", ["products/9", "products/P", "products-by-id/none"])
def test_a_product_that_is_not_there_is_not_found(
    shop: Served, token: str, method: str, one: str
) -> None:
    assert call(shop, token, method, f"{one}/", {"price": 1}).status == 404
    assert shop.counts()["products"] == 1


@pytest.mark.parametrize("one", BOTH)
def test_a_product_without_history_is_deleted(shop: Served, token: str, one: str) -> None:
    reply = call(shop, token, "DELETE", f"{one}/")
    assert (reply.status, reply.json) == (200, {"id": 1, "deleted": True})
    assert call(shop, token, "DELETE", f"{one}/").status == 404
    assert call(shop, token, "GET", "products/").json["results"] == []
    assert shop.rows("journal")[-1][3:5] == ["product", 1]
    assert call(shop, token, "POST", "products/", {"custom_id": "P"}).json["id"] == 2


@pytest.mark.parametrize(
    ("path", "body", "used"),
    [
        ("deals/", {"name": "D", "order_products": [{"product_id": 1}]}, "1 order and in 0 events"),
        ("deals/", {"name": "D", "products": [1]}, "1 order and in 0 events"),
        ("products/1/product_event/", BOUGHT, "0 orders and in 1 event,"),
    ],
)
def test_a_product_with_history_stays_and_says_what_it_is_on(
    shop: Served, token: str, path: str, body: dict[str, Any], used: str
) -> None:
    assert call(shop, token, "POST", path, body).status == 201
    reply = call(shop, token, "DELETE", "products-by-id/P/")
    assert reply.status == 409
    assert used in reply.json["detail"]
    assert call(shop, token, "GET", "products/1/").status == 200


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("", [2, 1]),
        ("?name=Lamp", [1]),
        ("?name__icontains=CHA", [2]),
        ("?custom_id=Q", [2]),
        ("?category_name=Light", [1]),
        ("?price__gte=20", [2]),
        ("?colour=red", [1]),
        ("?created_at__lt=2020-01-01", []),
    ],
)
def test_products_are_found_by_what_they_are_like(
    shop: Served, token: str, query: str, ids: list[int]
) -> None:
    call(shop, token, "POST", "products/", {"custom_id": "Q", "name": "Chair", "price": 20.5})
    told = call(shop, token, "GET", f"products/{query}").json
    assert ([each["id"] for each in told["results"]], told["count"]) == (ids, len(ids))


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("products/1/product_event/", {}),
        ("products-by-id/P/product_event/", {}),
        ("products/product_event/", {"id": 1}),
        ("products/product_event/", {"id": "P"}),
        ("products/product_event/", {"product_id": "P"}),
        ("products/product_event/", {"custom_id": "P", "id": 77}),
        (
            "products/1/product_event/",
            {
                "id": 9,
                "custom_id": "x",
                "name": None,
                "user_key": None,
                "client": "",
                "user_id": None,
            },
        ),
    ],
)
def test_an_event_of_a_product_is_recorded_however_the_product_is_named(
    shop: Served, token: str, path: str, body: dict[str, Any]
) -> None:
    reply = call(shop, token, "POST", path, {**BOUGHT, **body})
    assert reply.status == 201, reply.text
    assert call(shop, token, "GET", "products/1/").json["event_counts"] == {"purchase": 1}
    assert shop.counts()["products"] == 1


@pytest.mark.parametrize("headers", [{}, V1])
def test_an_event_of_a_product_names_its_contact_by_the_key_of_the_browser(
    shop: Served, token: str, headers: dict[str, str]
) -> None:
    key = call(shop, token, "GET", "users/1/").json["user_key"]
    body = {"user_key": key, "user_id": None, "event_type": "view"}
    reply = call(shop, token, "POST", "products/1/product_event/", body, headers=headers)
    assert reply.status == 201
    assert call(shop, token, "GET", "users/1/product_events/").json["count"] == 1


def test_an_unknown_product_is_made_under_the_id_of_the_shop_alone(
    shop: Served, token: str
) -> None:
    for path, body in (
        ("products/77/product_event/", {}),
        ("products/product_event/", {"id": 77}),
    ):
        assert call(shop, token, "POST", path, {**BOUGHT, **body}).status == 404
    assert shop.counts()["products"] == 1
    for path, body in (
        ("products-by-id/new/product_event/", {}),
        ("products/product_event/", {"id": "m2ee_7"}),
    ):
        assert call(shop, token, "POST", path, {**BOUGHT, **body}).status == 201
    assert shop.counts()["products"] == 3
    nameless = call(shop, token, "POST", "products/product_event/", BOUGHT)
    assert (nameless.status, list(nameless.json["errors"])) == (400, ["custom_id"])


def test_a_key_holds_whichever_id_names_the_product(shop: Served, token: str) -> None:
    headers = {"Idempotency-Key": "one"}
    ids = [
        call(shop, token, "POST", f"{one}/product_event/", BOUGHT, headers=headers).json["id"]
        for one in BOTH
    ]
    assert ids[0] == ids[1]


def test_one_product_deleted_under_both_ids_in_one_batch_is_deleted_once(
    shop: Served, token: str
) -> None:
    operations = [{"method": "DELETE", "path": f"{PUBLIC}/{one}/", "body": None} for one in BOTH]
    target = "/api/ordertrail/v1/batch/"
    told = shop.call(token, "POST", target, {"operations": operations}).json["results"]
    assert [each["status"] for each in told] == [200, 404]


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ({"price": "12.50"}, 12.5),
        ({"price": "1e3"}, 1000),
        ({"price": None}, None),
        ({"name": 5}, "5"),
        ({"name": ""}, ""),
        ({"description": "x" * 2048}, "x" * 2048),
        ({"Image URL": "https://shop.test/p.png"}, "https://shop.test/p.png"),
    ],
)
def test_the_standard_fields_of_a_product_are_kept_as_what_they_are(
    shop: Served, token: str, said: dict[str, Any], kept: Any
) -> None:
    assert call(shop, token, "PUT", "products/1/", said).status == 200
    [name] = (each.lower().replace(" ", "_") for each in said)
    assert call(shop, token, "GET", "products/1/").json[name] == kept


WRONG = {
    "price": ["cheap", "", True, [1], "nan", "1e12", "1e-400", "0e999999"],
    "name": [True, 1.5, ["Lamp"], {"en": "Lamp"}],
    "description": ["x" * 2049],
}
EACH_WRONG = [(name, value) for name, values in WRONG.items() for value in values]


@pytest.mark.parametrize(("name", "value"), EACH_WRONG, ids=lambda said: str(said)[:9])
def test_a_field_of_a_product_that_is_none_of_its_kind_is_refused_by_name_and_dropped_from_events(
    shop: Served, token: str, name: str, value: Any
) -> None:
    said = {"custom_id": "P", name: value, "size": "L"}
    for method, path in (("POST", "products/"), ("PUT", "products/1/")):
        refused = call(shop, token, method, path, said)
        assert (refused.status, list(refused.json["errors"])) == (400, [name])
    before = call(shop, token, "GET", "products/1/").json
    for path in ("products/1/product_event/", "products/product_event/"):
        event = {**BOUGHT, "custom_id": "P", "data": {name: value, "size": "L"}}
        recorded = call(shop, token, "POST", path, event)
        assert recorded.status == 201
        [warning] = json.loads(recorded.headers["x-ordertrail-warnings"])
        assert warning.startswith(f"{name}: left out: ")
    after = call(shop, token, "GET", "products/1/").json
    assert (after[name], after["size"]) == (before[name], "L")


def test_all_that_is_wrong_with_a_product_is_told_at_once(shop: Served, token: str) -> None:
    said = {"custom_id": [], "price": "cheap", "name": True}
    refused = call(shop, token, "POST", "products/", said)
    assert refused.json["errors"].keys() == said.keys()
