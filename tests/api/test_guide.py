"""Every call of the guide, in the guide's order, answered as it says and read back."""

import json
from pathlib import Path
from typing import Any

import pytest

from asgi import Reply
from ordertrail.domain.journal import Subject
from ordertrail.domain.pipeline import Board, Pipeline, Stage
from ordertrail.store import journal, pipelines
from served import Served

GUIDE = json.loads((Path(__file__).parent.parent / "golden" / "guide.json").read_text("utf-8"))
CALLS = {call["name"]: call for call in GUIDE["calls"]}
CONTACT = CALLS["contact"]["body"]["custom_id"]
ORDER = "ORD-78523"


@pytest.fixture
def shop(platform: Served) -> Served:
    """A platform whose pipeline has the stage ids of the guide."""
    pipeline = Pipeline(9, "Orders of the guide", 1)
    stages = (
        Stage(13, 9, "New order", "", 0),
        Stage(12, 9, "Order fulfilled", "", 1),
        Stage(14, 9, "Order cancelled/returned", "", 2),
    )
    board = Board((pipeline,), stages)
    platform.database.write(lambda tx: pipelines.save(tx, 1, Board((), ()), board))
    return platform


def make(shop: Served, token: str, name: str) -> Reply:
    call = CALLS[name]
    headers = {**GUIDE["headers"], "Authorization": f"Token {token}"}
    return shop.caller.call(call["method"], call["path"], headers=headers, json=call["body"])


def read(shop: Served, token: str, path: str) -> Any:
    reply = shop.call(token, "GET", f"/api/public/{path}")
    assert reply.status == 200, reply.text
    return reply.json


def deal(shop: Served, token: str) -> Any:
    return read(shop, token, f"deals-by-id/{ORDER}/")


def test_every_call_of_the_guide_answers_as_it_says(shop: Served, token: str) -> None:
    contact = make(shop, token, "contact")
    assert (contact.status, contact.json) == (200, {"created": True, "id": 1})
    kept = read(shop, token, f"users-by-id/{CONTACT}/")
    assert kept["email"] == "john@example.com"
    assert (kept["first_name"], kept["last_name"], kept["name"]) == ("John", "Doe", "John Doe")
    assert kept["phone_number"] == kept["phone"] == "+1234567890"
    assert kept["user_key"]

    placed = make(shop, token, "deal_placed")
    assert (placed.status, placed.json["id"], placed.json["created"]) == (200, 1, True)
    told = deal(shop, token)
    assert {**told, "created": True} == placed.json
    assert (told["pipeline"], told["stage"], told["status"]) == (9, 13, 1)
    assert (told["value"], told["currency"], told["user_id"]) == ("149.90", "USD", 1)
    assert told["name"] == "Order #78523"
    assert told["products_custom_id"] == ["SKU-HEADPHONES-BLK", "SKU-CASE-001"]
    assert [
        (line["product_custom_id"], line["quantity"], line["value"], line["currency"])
        for line in told["order_products"]
    ] == [("SKU-HEADPHONES-BLK", 1, 129.90, "USD"), ("SKU-CASE-001", 1, 20.00, "USD")]
    assert told["won_at"] is told["lost_at"] is None

    ordered = make(shop, token, "product_event_order")
    assert ordered.status == 201
    assert isinstance(ordered.json["id"], int)

    conversion = make(shop, token, "conversion")
    assert (conversion.status, conversion.json["created"]) == (201, True)
    [event] = read(shop, token, f"users-by-id/{CONTACT}/events/")["results"]
    assert event["id"] == conversion.json["id"]
    assert event["name"] == "purchase_completed"
    assert event["data"] == CALLS["conversion"]["body"]["data"]

    assert make(shop, token, "deal_fulfilled").status == 200
    won = deal(shop, token)
    assert (won["stage"], won["status"], won["value"]) == (12, 2, "149.90")
    assert won["won_at"].endswith("Z")
    assert won["order_products"] == told["order_products"]

    purchased = make(shop, token, "product_event_purchase")
    assert purchased.status == 201
    product = read(shop, token, "products-by-id/SKU-HEADPHONES-BLK/details/")
    assert product["event_counts"] == {"order": 1, "purchase": 1}
    seen = read(shop, token, f"users-by-id/{CONTACT}/product_events/")
    assert [(each["id"], each["event_type"]) for each in seen["results"]] == [
        (purchased.json["id"], "purchase"),
        (ordered.json["id"], "order"),
    ]

    assert make(shop, token, "deal_cancelled").status == 200
    lost = deal(shop, token)
    assert (lost["stage"], lost["status"], lost["value"]) == (14, 3, "149.90")
    assert lost["lost_at"] is not None

    assert make(shop, token, "deal_partial_return").status == 200
    partial = deal(shop, token)
    assert (partial["value"], partial["stage"], partial["status"]) == ("129.90", 14, 3)

    returned = make(shop, token, "deal_full_return")
    assert (returned.status, returned.json["created"]) == (200, False)
    whole = deal(shop, token)
    assert (whole["value"], whole["stage"], whole["status"]) == ("0.00", 14, 3)
    assert whole["order_products"] == told["order_products"]

    timeline = read(shop, token, f"users-by-id/{CONTACT}/timeline/")
    assert [each["type"] for each in timeline["results"]] == [
        "deal_changed",
        "deal_changed",
        "deal_changed",
        "product_event",
        "deal_changed",
        "event",
        "product_event",
        "deal_created",
        "contact_created",
    ]
    assert timeline["count"] == 9


def test_a_partial_return_keeps_the_stage_of_a_fulfilled_order(shop: Served, token: str) -> None:
    for name in ("contact", "deal_placed", "deal_fulfilled", "deal_partial_return"):
        assert make(shop, token, name).status == 200
    told = deal(shop, token)
    assert (told["value"], told["stage"], told["status"]) == ("129.90", 12, 2)


def test_the_guides_optional_attributes_are_kept_and_typed(shop: Served, token: str) -> None:
    make(shop, token, "contact")
    body = GUIDE["deal_with_optional_attributes"]
    assert shop.call(token, "POST", "/api/public/deals/update_or_create/", body).status == 200
    told = deal(shop, token)
    for name in ("delivery_cost", "discount_amount", "discount_code", "payment_method"):
        assert told[name] == body[name]
    types = {row[3]: row[4] for row in shop.rows("attributes")}
    assert types == {
        "delivery_cost": "float",
        "discount_amount": "float",
        "discount_code": "string",
        "payment_method": "string",
        "shipping_method": "string",
    }


def test_a_repeated_call_changes_and_tells_nothing(shop: Served, token: str) -> None:
    for _ in range(3):
        make(shop, token, "contact")
        make(shop, token, "deal_placed")
    assert shop.counts()["journal"] == 4  # contact, deal, and its two products
    assert deal(shop, token)["created_at"] == deal(shop, token)["updated_at"]


def test_a_product_that_a_deal_makes_known_is_told_once(platform: Served, token: str) -> None:
    for custom_id in ("D", "E"):
        body = {"custom_id": custom_id, "products_custom_id": ["P"]}
        platform.call(token, "POST", "/api/public/deals/update_or_create/", body)
    [product] = platform.rows("products")
    told = platform.database.read(
        lambda reader: journal.of_subject(reader, 1, Subject.PRODUCT, product[1], 10)
    )
    assert [(entry.is_new, entry.changes, entry.author.name) for entry in told] == [
        (True, {}, "key:1")
    ]


def test_details_sent_again_are_no_change(platform: Served, token: str) -> None:
    details = {
        "expected_close_date": "2026-03-31",
        "loss_reason": 2,
        "loss_reason_description": "too dear",
        "assigned_to": 7,
        "participants": [1, 2],
        "company_id": 1,
    }
    platform.call(token, "POST", "/api/public/companies/", {"name": "Acme"})
    for custom_id in ("A", "B"):
        body = {"custom_id": custom_id}
        platform.call(token, "POST", "/api/public/users/update_or_create/", body)
    for _ in range(2):
        body = {"custom_id": "D", **details}
        platform.call(token, "POST", "/api/public/deals/update_or_create/", body)
    told = read(platform, token, "deals-by-id/D/")
    assert {name: told[name] for name in details} == details
    assert platform.counts()["journal"] == 4


def test_a_fresh_workspace_has_the_stages_that_clients_rely_on(
    platform: Served, token: str
) -> None:
    [pipeline] = read(platform, token, "pipelines/")["results"]
    assert pipeline == {"id": 1, "name": "Orders"}
    stages = read(platform, token, "stages/")["results"]
    assert [(stage["id"], stage["name"], stage["pipeline"]) for stage in stages] == [
        (1, "New order", 1),
        (2, "Order fulfilled", 1),
        (3, "Order cancelled/returned", 1),
    ]
    assert set(stages[0]) == {"id", "name", "description", "pipeline", "order"}
