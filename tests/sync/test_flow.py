import hashlib
from dataclasses import replace
from datetime import timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from made_orders import (
    CANCELLED,
    CASE,
    CASE_BACK,
    FULFILLED,
    HEADPHONES,
    JOHN,
    PARTLY_RETURNED,
    PLACED,
    RETURNED,
)
from order_histories import made_orders

from ordertrail.client import calls
from ordertrail.domain import order as orders
from ordertrail.domain.errors import Invalid
from ordertrail.domain.identity import Strategy
from ordertrail.domain.order import Customer, Line, Order, Refund, RefundLine
from ordertrail.sync.flow import desired
from ordertrail.sync.rules import CONSENTS, Flow, Stages
from ordertrail.wire import body

FLOW = Flow(Stages(placed=13, fulfilled=12, cancelled=14))
USER = hashlib.sha256(b"john@example.com").hexdigest()

GUIDES_DEAL: dict[str, Any] = {
    "custom_id": "ORD-78523",
    "user_custom_id": USER,
    "name": "Order #ORD-78523",
    "stage": 13,
    "status": 1,
    "value": Decimal("149.90"),
    "currency": "USD",
    "products_custom_id": ["SKU-HEADPHONES-BLK", "SKU-CASE-001"],
    "order_products": [
        {
            "product_custom_id": "SKU-HEADPHONES-BLK",
            "value": Decimal("129.90"),
            "currency": "USD",
            "quantity": 1,
        },
        {
            "product_custom_id": "SKU-CASE-001",
            "value": Decimal("20.00"),
            "currency": "USD",
            "quantity": 1,
        },
    ],
}
CASE_REFUNDED = {
    "id": "R1",
    "at": "2026-03-04T10:00:00.000000Z",
    "value": Decimal("20.00"),
    "lines": [{"product_custom_id": "SKU-CASE-001", "quantity": 1}],
}
REST_REFUNDED = {
    "id": "R2",
    "at": "2026-03-04T11:00:00.000000Z",
    "value": Decimal("129.90"),
    "lines": [{"product_custom_id": "SKU-HEADPHONES-BLK", "quantity": 1}],
}
BESIDES = {"order_placed_at": "2026-03-01T10:00:00.000000Z", "gross_value": Decimal("149.90")}
HALF_BACK = replace(CASE_BACK, lines=(RefundLine("SKU-CASE-001", Decimal("0.5")),))  # type: ignore[arg-type]
NOTHING_BACK = replace(CASE_BACK, lines=(RefundLine(CASE.sku or "", 0),))
FEW = settings(max_examples=40, deadline=None)


def deal(order: Order, flow: Flow = FLOW) -> dict[str, Any]:
    said = sent(calls.upsert_deal(desired(order, flow).deal).body)
    return {name: value for name, value in said.items() if value is not None}


def sent(said: dict[str, Any]) -> dict[str, Any]:
    return body.decode_object(body.encode(said))


def test_the_contact_is_the_guides() -> None:
    assert sent(calls.upsert_contact(desired(PLACED, FLOW).contact).body) == {
        "custom_id": USER,
        "email": "john@example.com",
        "first_name": "John",
        "last_name": "Doe",
        "phone": "+1234567890",
    }


def test_the_deal_of_a_placed_order_is_the_guides() -> None:
    assert deal(PLACED) == GUIDES_DEAL | BESIDES


def test_the_deal_of_a_fulfilled_order_is_won() -> None:
    assert deal(FULFILLED) == GUIDES_DEAL | BESIDES | {
        "stage": 12,
        "status": 2,
        "order_fulfilled_at": "2026-03-02T10:00:00.000000Z",
    }


def test_the_deal_of_a_cancelled_order_is_lost_and_keeps_its_value() -> None:
    assert deal(CANCELLED) == GUIDES_DEAL | BESIDES | {
        "stage": 14,
        "status": 3,
        "order_cancelled_at": "2026-03-03T10:00:00.000000Z",
    }


def test_a_partial_return_lowers_the_value_and_keeps_stage_and_status() -> None:
    assert deal(PARTLY_RETURNED) == deal(FULFILLED) | {
        "value": Decimal("129.90"),
        "refunds": [CASE_REFUNDED],
    }


def test_a_full_return_is_lost_with_value_zero_since_its_last_refund() -> None:
    assert deal(RETURNED) == deal(FULFILLED) | {
        "stage": 14,
        "status": 3,
        "value": 0,
        "order_cancelled_at": "2026-03-04T11:00:00.000000Z",
        "refunds": [CASE_REFUNDED, REST_REFUNDED],
    }


def test_a_full_return_is_worth_nothing_even_when_its_delivery_was_not_given_back() -> None:
    order = replace(RETURNED, delivery=Decimal("9.99"), cancelled_at=CANCELLED.cancelled_at)
    assert deal(order)["value"] == 0
    assert deal(order)["gross_value"] == Decimal("159.89")
    assert deal(order)["order_cancelled_at"] == "2026-03-03T10:00:00.000000Z"


def test_a_free_refund_of_a_cancelled_order_lowers_what_it_keeps() -> None:
    goodwill = Refund("R9", CASE_BACK.at, Decimal("5.00"))
    assert deal(replace(CANCELLED, refunds=(goodwill,)))["value"] == Decimal("144.90")


def test_amounts_besides_the_lines_are_told_only_when_there_are_any() -> None:
    assert not {"delivery_cost", "fees", "discount_amount", "refunds"} & deal(PLACED).keys()
    order = replace(
        PLACED, delivery=Decimal("9.99"), fees=Decimal("1.005"), discount=Decimal("15.00")
    )
    told = deal(order)
    assert told["delivery_cost"] == Decimal("9.99")
    assert told["fees"] == Decimal("1.00")
    assert told["discount_amount"] == Decimal("15.00")
    assert told["value"] == told["gross_value"] == Decimal("145.89")


def test_times_are_told_in_utc_whatever_the_shops_zone() -> None:
    tokyo = PLACED.placed_at.astimezone(timezone(timedelta(hours=9)))
    assert deal(replace(PLACED, placed_at=tokyo)) == deal(PLACED)


def test_a_placed_order_wants_an_order_event_for_each_sku_and_no_conversion() -> None:
    wanted = desired(PLACED, FLOW)
    first, second = wanted.product_events
    call = calls.create_product_event(first.sku, first.event)
    assert call.path == "/api/public/products-by-id/SKU-HEADPHONES-BLK/product_event/"
    assert sent(call.body) == {
        "user_custom_id": USER,
        "event_type": "order",
        "timestamp": int(PLACED.placed_at.timestamp()),
        "data": {
            "name": "Headphones",
            "price": Decimal("129.90"),
            "custom_data": {
                "order_id": "ORD-78523",
                "product_custom_id": "SKU-HEADPHONES-BLK",
                "quantity": 1,
            },
        },
    }
    assert (second.sku, second.event.event_type) == ("SKU-CASE-001", "order")
    assert wanted.conversion is None


def test_a_fulfilled_order_wants_purchases_and_the_guides_conversion() -> None:
    wanted = desired(FULFILLED, FLOW)
    assert [(each.event.event_type, each.sku, each.event.at) for each in wanted.product_events] == [
        ("order", "SKU-HEADPHONES-BLK", FULFILLED.placed_at),
        ("order", "SKU-CASE-001", FULFILLED.placed_at),
        ("purchase", "SKU-HEADPHONES-BLK", FULFILLED.fulfilled_at),
        ("purchase", "SKU-CASE-001", FULFILLED.fulfilled_at),
    ]
    assert wanted.conversion
    assert sent(calls.create_event(USER, wanted.conversion).body) == {
        "name": "purchase_completed",
        "timestamp": int(FULFILLED.placed_at.timestamp()) + 86_400,
        "data": {
            "order_id": "ORD-78523",
            "value": Decimal("149.90"),
            "currency": "USD",
            "items_count": 2,
        },
    }


def test_the_conversion_does_not_follow_refunds() -> None:
    assert desired(RETURNED, FLOW).conversion == desired(FULFILLED, FLOW).conversion


def test_several_lines_of_one_sku_stay_lines_and_are_one_product_event() -> None:
    more = Line("SKU-CASE-001", 3, Decimal("18.00"), "Case, red")
    wanted = desired(replace(FULFILLED, lines=(HEADPHONES, CASE, more)), FLOW)
    assert wanted.deal.products_custom_id == ("SKU-HEADPHONES-BLK", "SKU-CASE-001")
    assert len(wanted.deal.lines or ()) == 3
    assert len(wanted.product_events) == 4
    assert wanted.product_events[1].event.details == {"name": "Case", "price": Decimal("20.00")}
    assert wanted.conversion
    assert wanted.conversion.data["items_count"] == 5


def test_a_line_without_a_sku_is_money_and_no_product() -> None:
    wanted = desired(replace(FULFILLED, lines=(CASE, Line(None, 2, Decimal("0.50")))), FLOW)
    assert wanted.deal.value == Decimal("21.00")
    assert len(wanted.deal.lines or ()) == 1
    assert wanted.conversion
    assert wanted.conversion.data["items_count"] == 1


def test_an_order_of_no_products_can_be_delivered_and_is_never_returned() -> None:
    wanted = desired(replace(FULFILLED, lines=(Line(None, 1, Decimal("5.00")),)), FLOW)
    assert (wanted.deal.stage, wanted.deal.products_custom_id, wanted.deal.lines) == (12, (), ())


def test_what_the_shop_does_not_know_of_a_customer_is_not_sent() -> None:
    guest = replace(PLACED, customer=Customer(None, None, None, "", None, "Poland"))
    assert sent(calls.upsert_contact(desired(guest, FLOW).contact).body) == {
        "custom_id": "guest:ORD-78523",
        "country": "Poland",
    }


def test_what_the_api_keeps_no_room_for_is_cut_and_the_order_is_sent() -> None:
    person = Customer("ann@example.com", None, "A" * 99, "Ü" * 99, "1" * 99, "P" * 99)
    said = sent(calls.upsert_contact(desired(replace(PLACED, customer=person), FLOW).contact).body)
    assert said.pop("custom_id")
    assert said == {
        "email": "ann@example.com",
        "first_name": "A" * 40,
        "last_name": "Ü" * 40,
        "phone": "1" * 64,
        "country": "P" * 64,
    }


@pytest.mark.parametrize(
    ("strategy", "custom_id"),
    [
        (Strategy.EMAIL_SHA256, USER),
        (Strategy.EMAIL, "john@example.com"),
        (Strategy.SHOP_ID, "17"),
    ],
)
def test_the_identity_strategy_names_the_contact_everywhere(
    strategy: Strategy, custom_id: str
) -> None:
    spelt = replace(PLACED, customer=replace(JOHN, email=" John@Example.com "))
    wanted = desired(spelt, Flow(identity=strategy))
    assert wanted.contact.custom_id == custom_id
    assert wanted.deal.user_custom_id == custom_id
    assert {each.event.user_custom_id for each in wanted.product_events} == {custom_id}
    assert wanted.contact.email == "John@Example.com"


def test_attributes_of_the_shop_are_sent_as_they_are() -> None:
    attributes = {"payment_method": "card", "gift": True, "boxes": [1, {"size": "L"}], "tip": None}
    order = replace(PLACED, attributes=attributes)
    said = sent(calls.upsert_deal(desired(order, FLOW).deal).body)
    assert said == said | GUIDES_DEAL | BESIDES | attributes


@pytest.mark.parametrize(
    "name", ["email_consent", "sms_consent", "Email Consent", "SMS-consent ", " email  consent"]
)
def test_a_consent_is_refused_however_it_is_spelt(name: str) -> None:
    with pytest.raises(Invalid, match="consent") as refusal:
        desired(replace(PLACED, attributes={"tip": 1, name: True}), FLOW)
    assert list(refusal.value.fields) == [name]


@pytest.mark.parametrize("name", ["stage", "Value", "custom_id", "gross value", "order_products"])
def test_an_attribute_cannot_pass_for_a_field_of_the_deal(name: str) -> None:
    with pytest.raises(Invalid, match="a field of the deal"):
        desired(replace(PLACED, attributes={name: 1}), FLOW)


@pytest.mark.parametrize("value", [object(), Decimal("NaN"), {1, 2}])
def test_an_attribute_that_json_cannot_say_is_refused(value: object) -> None:
    with pytest.raises(Invalid, match="tip"):
        desired(replace(PLACED, attributes={"tip": value}), FLOW)


@pytest.mark.parametrize(
    ("order", "field"),
    [
        (replace(PLACED, id="x" * 256), "id"),
        (replace(PLACED, id="a\0b"), "id"),
        (replace(PLACED, lines=(CASE, replace(CASE, sku=" "))), r"lines\[1\].sku"),
        (replace(PLACED, currency="ABC"), "currency"),
        (replace(PLACED, lines=(replace(CASE, quantity=0),)), r"lines\[0\].quantity"),
        (replace(PLACED, lines=(replace(CASE, unit_price=Decimal("NaN")),)), "unit_price"),
        (replace(PLACED, refunds=(replace(CASE_BACK, value=Decimal("Infinity")),)), "refunds"),
        (replace(PLACED, fees=Decimal("-Infinity")), "fees"),
        (replace(PLACED, refunds=(replace(CASE_BACK, value=Decimal(150)),)), "refunds"),
        (replace(PLACED, customer=replace(JOHN, email="john")), "email"),
        (replace(PLACED, customer=replace(JOHN, shop_id="1\0")), "customer.shop_id"),
        (replace(PLACED, total=Decimal("NaN")), "total"),
        (replace(PLACED, lines=(replace(CASE, unit_price=Decimal("-0.01")),)), "unit_price"),
        (replace(PLACED, delivery=Decimal(-1)), "delivery"),
        (replace(PLACED, fees=Decimal(-1)), "fees"),
        (replace(PLACED, discount=Decimal(-1)), "discount"),
        (replace(PLACED, refunds=(replace(CASE_BACK, value=Decimal(-1)),)), "refunds"),
        (replace(PLACED, refunds=(NOTHING_BACK,)), "refunds"),
        (replace(PLACED, lines=(CASE, replace(CASE, quantity=1.5))), "lines.1.*not a float"),
        (replace(PLACED, lines=(replace(CASE, quantity="2"),)), "quantity: .*not a str"),
        (replace(PLACED, lines=(replace(CASE, quantity=True),)), "quantity: .*not a bool"),
        (replace(PLACED, refunds=(HALF_BACK,)), "refunds.0..lines.0..quantity: .*not a Decimal"),
    ],
)
def test_an_order_that_cannot_be_true_is_refused_by_field(order: Order, field: str) -> None:
    with pytest.raises(Invalid, match=field):
        desired(order, FLOW)


@FEW
@given(made_orders())
def test_no_consent_is_ever_sent(order: Order) -> None:
    wanted = desired(order, FLOW)
    said = [calls.upsert_contact(wanted.contact).body, calls.upsert_deal(wanted.deal).body]
    assert not CONSENTS & {name for each in said for name in each}


@FEW
@given(made_orders())
def test_the_deal_is_worth_what_was_not_given_back(order: Order) -> None:
    told = deal(order)
    refunded = sum(each["value"] for each in told.get("refunds", []))
    is_lost = told["status"] == 3
    assert told["value"] == (0 if orders.is_returned(order) else told["gross_value"] - refunded)
    assert is_lost == bool(order.cancelled_at or orders.is_returned(order))
    assert is_lost == ("order_cancelled_at" in told)


@FEW
@given(made_orders())
def test_every_sku_has_each_of_its_events_once(order: Order) -> None:
    wanted = desired(order, FLOW)
    found = [(each.event.event_type, each.sku) for each in wanted.product_events]
    types = ["order", "purchase"] if order.fulfilled_at else ["order"]
    assert sorted(found) == sorted(
        (kind, sku) for kind in types for sku in orders.ordered_quantities(order)
    )
    assert (wanted.conversion is None) == (order.fulfilled_at is None)


@pytest.mark.parametrize(("money_back", "is_all"), [("10.00", False), ("1010.00", True)])
def test_a_product_without_a_sku_is_back_when_its_money_is(money_back: str, is_all: bool) -> None:
    engraved = Line(None, 1, Decimal("1000.00"), "Made to measure")
    named = Line("A", 1, Decimal("10.00"), "Case")
    back = replace(CASE_BACK, value=Decimal(money_back), lines=(RefundLine("A", 1),))
    order = replace(PLACED, lines=(named, engraved), refunds=(back,))
    assert orders.is_returned(order) is is_all
