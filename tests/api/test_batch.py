"""A batch is what its operations would be by themselves, in the order given."""

from typing import Any

import pytest

from ordertrail.api.batch import BYTES_MAX, OPERATIONS_MAX
from served import Served

BATCH = "/api/ordertrail/v1/batch/"
USERS = "/api/public/users/update_or_create/"
DEALS = "/api/public/deals/update_or_create/"
PRODUCTS = "/api/public/products/"
EVENTS = "/api/public/users-by-id/ada/events/"
PRODUCT_EVENTS = "/api/public/products-by-id/A%2FB/product_event/"


def post(path: str, body: Any, key: str | None = None) -> dict[str, Any]:
    said = {"method": "POST", "path": path, "body": body}
    return said if key is None else {**said, "key": key}


ADA = post(USERS, {"custom_id": "ada", "email": "ada@example.com"})
DEAL = post(DEALS, {"custom_id": "O1", "user_custom_id": "ada", "value": 5, "stage": 1})
BOUGHT = post(PRODUCT_EVENTS, {"user_custom_id": "ada", "event_type": "purchase"}, "k1")
SEEN = post(EVENTS, {"name": "seen", "data": {"n": 1}}, "k2")


def batch(platform: Served, token: str, *operations: Any, **more: Any) -> list[dict[str, Any]]:
    reply = platform.call(token, "POST", BATCH, {"operations": list(operations)}, **more)
    assert reply.status == 200, reply.text
    return list(reply.json["results"])


def test_what_stands_on_one_another_is_carried_out_in_order(platform: Served, token: str) -> None:
    results = batch(platform, token, ADA, DEAL, BOUGHT, SEEN)
    assert [each["status"] for each in results] == [200, 200, 201, 201]
    assert results[0]["body"] == {"created": True, "id": 1}
    assert results[1]["body"]["value"] == "5.00"
    assert results[3]["body"]["created"] is True
    product = platform.call(token, "GET", "/api/public/products-by-id/A%2FB/details/").json
    assert product["event_counts"] == {"purchase": 1}


def test_each_is_answered_as_it_would_be_by_itself(platform: Served, token: str) -> None:
    other = platform.new_token()
    operations = [ADA, DEAL, post(DEALS, {"custom_id": "O2", "user_custom_id": "nobody"}), SEEN]
    together = batch(platform, token, *operations)
    for said, told in zip(operations, together, strict=True):
        alone = platform.call(other, "POST", said["path"], said["body"])
        assert alone.status == told["status"]
        assert alone.json.keys() == told["body"].keys()


def test_a_refused_operation_leaves_the_others_alone(platform: Served, token: str) -> None:
    bad = [
        post(DEALS, {"custom_id": "O9", "stage": 99}),
        post(EVENTS, {}),
        post(DEALS, {"value": "a lot"}),
        post("/api/public/nowhere/", {}),
        post(BATCH, {"operations": []}),
        {"method": "GET", "path": USERS, "body": {}},
        post(USERS, []),
        {"path": USERS},
        7,
    ]
    results = batch(platform, token, ADA, *bad, DEAL)
    assert [each["status"] for each in results] == [200, *[400] * 3, 404, 404, *[400] * 4, 200]
    assert all("detail" in each["body"] for each in results[1:-1])


def test_repeated_it_changes_nothing(platform: Served, token: str) -> None:
    first = batch(platform, token, ADA, DEAL, BOUGHT, SEEN)
    before = platform.counts(but=("requests", "sequences"))
    again = batch(platform, token, ADA, DEAL, BOUGHT, SEEN)
    assert platform.counts(but=("requests", "sequences")) == before
    assert [each["body"]["id"] for each in again] == [each["body"]["id"] for each in first]


def test_one_key_twice_in_a_batch_is_one_event(platform: Served, token: str) -> None:
    results = batch(platform, token, ADA, SEEN, SEEN)
    assert results[1]["body"]["id"] == results[2]["body"]["id"]
    assert platform.call(token, "GET", EVENTS).json["count"] == 1


def test_its_origin_is_that_of_all_its_operations(platform: Served, token: str) -> None:
    batch(platform, token, ADA, SEEN, headers={"X-Ordertrail-Origin": "backfill"})
    assert "backfill" in str(platform.rows("journal")[0])
    wrong = platform.call(
        token, "POST", BATCH, {"operations": [ADA]}, headers={"X-Ordertrail-Origin": "dream"}
    )
    assert wrong.json["results"][0]["status"] == 400


@pytest.mark.parametrize("said", [{}, {"operations": {}}, {"operations": None}, []])
def test_what_is_no_list_of_operations_is_refused(platform: Served, token: str, said: Any) -> None:
    assert platform.call(token, "POST", BATCH, said).status == 400


def test_it_takes_so_many_operations_and_no_more(platform: Served, token: str) -> None:
    many = [post(USERS, {"custom_id": f"u{n}"}) for n in range(OPERATIONS_MAX)]
    assert {each["status"] for each in batch(platform, token, *many)} == {200}
    reply = platform.call(token, "POST", BATCH, {"operations": [*many, ADA]})
    assert (reply.status, "at most 1000" in reply.text) == (400, True)


def test_it_may_be_larger_than_a_single_call_and_has_an_end(platform: Served, token: str) -> None:
    names = "x" * 2_000
    large = [post(USERS, {"custom_id": f"u{n}", "note": names}) for n in range(900)]
    assert len(batch(platform, token, *large)) == 900
    reply = platform.call(token, "POST", BATCH, body=b"x" * (BYTES_MAX + 1))
    assert reply.status == 413


def test_a_product_is_created_and_then_changed(platform: Served, token: str) -> None:
    lamp = {"custom_id": 7, "name": "Lamp", "price": 12.5, "brand": "Lux", "user_key": None}
    first = platform.call(token, "POST", PRODUCTS, lamp)
    assert first.status == 201
    assert (first.json["custom_id"], first.json["name"], first.json["brand"]) == (
        "7",
        "Lamp",
        "Lux",
    )
    second = platform.call(token, "POST", PRODUCTS, {"custom_id": "7", "name": "Lamp, red"})
    assert (second.status, second.json["id"]) == (200, first.json["id"])
    assert (second.json["name"], second.json["price"]) == ("Lamp, red", 12.5)
    assert platform.call(token, "POST", PRODUCTS, {"name": "Lamp"}).status == 400


def test_about_tells_what_there_is_besides(platform: Served, token: str) -> None:
    told = platform.call(token, "GET", "/api/ordertrail/v1/about/").json
    assert told["features"] == ["batch", "idempotency"]
