"""The simple flow, the shop's own statuses, names, revenue, what came back, which e-mail."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from made_orders import (
    CANCELLED,
    CASE_BACK,
    FULFILLED,
    JOHN,
    PARTLY_RETURNED,
    PLACED,
    PLACED_AT,
    RETURNED,
    SNAPSHOTS,
)
from order_histories import histories

from ordertrail.client import calls
from ordertrail.domain.deal import Status
from ordertrail.domain.errors import Invalid
from ordertrail.domain.identity import Strategy
from ordertrail.domain.order import Customer, Order, Refund
from ordertrail.sync.flow import Desired, desired
from ordertrail.sync.plan import Planned, plan
from ordertrail.sync.rules import Flow, FlowName, Milestone, Names, Place, Revenue, Stages

STAGES = Stages(placed=13, fulfilled=12, cancelled=14)
SIMPLE = Flow(STAGES, name=FlowName.SIMPLE)
AT_FULFILMENT = replace(SIMPLE, sync_point=Milestone.FULFILLED)
STATUSES = Flow(
    STAGES,
    statuses={
        "pending": Place(20, counts_as_revenue=False),
        "processing": Place(21),
        "shipped": Place(22, Milestone.FULFILLED),
        "void": Place(23, Milestone.CANCELLED, Status.ABANDONED),
    },
)


def wanted(order: Order, flow: Flow) -> Desired:
    found = desired(order, flow)
    assert found is not None
    return found


def deal(order: Order, flow: Flow) -> dict[str, Any]:
    return calls.upsert_deal(wanted(order, flow).deal).body


def events(order: Order, flow: Flow) -> list[tuple[str, str]]:
    return [(each.event.event_type, each.sku) for each in wanted(order, flow).product_events]


# ---- the simple flow ----


def test_the_simple_flow_says_a_placed_order_as_the_guide_does() -> None:
    found = wanted(PLACED, SIMPLE)
    assert (found.deal.stage, found.deal.status) == (13, Status.IN_PROGRESS)
    assert found.deal.value == Decimal("149.90")
    assert events(PLACED, SIMPLE) == [
        ("purchase", "SKU-HEADPHONES-BLK"), ("purchase", "SKU-CASE-001"),
    ]  # fmt: skip
    assert found.conversion is not None
    assert (found.conversion.name, found.conversion.at) == ("purchase_completed", PLACED_AT)
    assert {each.event.at for each in found.product_events} == {PLACED_AT}


def test_an_order_that_is_fulfilled_by_the_time_it_is_seen_is_said_as_placed() -> None:
    assert deal(FULFILLED, SIMPLE)["stage"] == 13
    assert wanted(FULFILLED, SIMPLE).conversion == wanted(PLACED, SIMPLE).conversion


def test_with_fulfilment_as_sync_point_nothing_is_said_before_it() -> None:
    assert desired(PLACED, AT_FULFILMENT) is None
    found = wanted(FULFILLED, AT_FULFILMENT)
    assert (found.deal.stage, found.deal.status) == (12, Status.WON)
    assert found.conversion is not None
    assert found.conversion.at == FULFILLED.fulfilled_at


@pytest.mark.parametrize("order", [CANCELLED, RETURNED])
@pytest.mark.parametrize("flow", [SIMPLE, AT_FULFILMENT])
def test_what_brought_in_nothing_by_the_time_it_is_seen_is_never_said(
    order: Order, flow: Flow
) -> None:
    assert desired(order, flow) is None


@settings(max_examples=40, deadline=None)
@given(histories())
def test_later_changes_cause_nothing_in_the_simple_flow(snapshots: list[Order]) -> None:
    planned, planning = Planned(), []
    for order in snapshots:
        found = desired(order, SIMPLE)
        if found is not None:
            made = plan("shop", order.id, found, planned)
            planned = made.planned
            planning.append(made)
    assert all(made.is_empty for made in planning[1:])


def test_the_simple_flow_creates_no_event_for_what_came_back() -> None:
    flow = replace(SIMPLE, returns=("return",))
    assert {name for name, _ in events(PARTLY_RETURNED, flow)} == {"purchase"}


# ---- the shop's own statuses ----


@pytest.mark.parametrize(
    ("status", "stage", "deal_status"),
    [("pending", 20, 1), ("processing", 21, 1), ("shipped", 22, 2), ("void", 23, 0)],
)
def test_a_status_of_the_shop_has_its_own_stage(status: str, stage: int, deal_status: int) -> None:
    said = deal(replace(PLACED, status=status), STATUSES)
    assert (said["stage"], said["status"], said["order_status"]) == (stage, deal_status, status)


def test_an_order_that_does_not_count_is_a_deal_and_nothing_more() -> None:
    found = wanted(replace(FULFILLED, status="pending"), STATUSES)
    assert found.deal.stage == 20
    assert (found.product_events, found.conversion) == ((), None)
    assert (
        desired(replace(PLACED, status="pending"), replace(STATUSES, name=FlowName.SIMPLE)) is None
    )


def test_a_status_that_means_fulfilled_completes_the_purchase_when_the_order_was_updated() -> None:
    later = PLACED_AT + timedelta(hours=5)
    found = wanted(replace(PLACED, status="shipped", updated_at=later), STATUSES)
    assert found.conversion is not None
    assert found.conversion.at == later
    assert "purchase" in {each.event.event_type for each in found.product_events}


def test_a_full_return_wins_over_the_status_and_a_partial_one_does_not() -> None:
    assert deal(replace(RETURNED, status="shipped"), STATUSES)["stage"] == 14
    partly = deal(replace(PARTLY_RETURNED, status="shipped"), STATUSES)
    assert (partly["stage"], partly["status"], partly["value"]) == (22, 2, Decimal("129.90"))


def test_a_status_without_a_place_is_refused_and_says_which_there_are() -> None:
    with pytest.raises(Invalid, match="no stage; those that have: pending, processing"):
        desired(replace(PLACED, status="on-hold"), STATUSES)


def test_without_a_status_an_order_goes_by_its_times() -> None:
    assert deal(FULFILLED, STATUSES) == deal(FULFILLED, Flow(STAGES))


# ---- names, revenue, returns ----


def test_attributes_and_events_have_the_names_that_the_shop_gave_them() -> None:
    names = Names(
        "checkout",
        "order",
        "order_paid",
        {"delivery_cost": "shipping", "refunds": None, "coupon": "discount_code"},
    )
    order = replace(FULFILLED, delivery=Decimal("9.99"), attributes={"coupon": "SUMMER15"})
    said = deal(order, Flow(names=names))
    assert (said["shipping"], said["discount_code"]) == (Decimal("9.99"), "SUMMER15")
    assert not {"delivery_cost", "coupon", "refunds"} & said.keys()
    assert {name for name, _ in events(order, Flow(names=names))} == {"checkout", "order"}
    conversion = wanted(order, Flow(names=names)).conversion
    assert conversion is not None
    assert conversion.name == "order_paid"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (
            {"names": Names(attributes={"newsletter": "Email Consent"})},
            "names.attributes.newsletter",
        ),
        ({"names": Names(attributes={"sms_consent": "sms"})}, "names.attributes.sms_consent"),
        ({"names": Names(attributes={"a": "phone_consent"})}, "names.attributes.a"),
        ({"names": Names(attributes={"a": "stage"})}, "names.attributes.a"),
        ({"names": Names(attributes={"a": "x", "b": "x"})}, "names.attributes.b"),
        ({"names": Names(order="bought")}, "names.order"),
        ({"names": Names(order="purchase")}, "names.purchase"),
        ({"names": Names(conversion=" ")}, "names.conversion"),
        ({"returns": ("gone",)}, "returns"),
        ({"sync_point": Milestone.CANCELLED}, "sync_point"),
        ({"sync_point": "paid"}, "sync_point"),
        ({"name": "both"}, "name"),
        ({"identity": "phone"}, "identity"),
    ],
)
def test_settings_that_cannot_be_are_refused_at_the_start(
    change: dict[str, Any], field: str
) -> None:
    with pytest.raises(Invalid) as refusal:
        Flow(never_sent=("Phone consent",), **change)
    assert list(refusal.value.fields) == [field]


def test_a_flow_can_be_named_by_its_word() -> None:
    assert Flow(name="simple", identity="email") == Flow(  # type: ignore[arg-type]
        name=FlowName.SIMPLE, identity=Strategy.EMAIL
    )


def test_a_name_on_the_list_is_never_sent() -> None:
    with pytest.raises(Invalid, match="consent"):
        desired(
            replace(PLACED, attributes={"phone_consent": True}), Flow(never_sent=("phone_consent",))
        )


def test_revenue_is_what_the_shop_counts() -> None:
    order = replace(
        FULFILLED, delivery=Decimal("9.99"), fees=Decimal(2), tax=Decimal(5), discount=Decimal(10)
    )
    assert deal(order, Flow())["value"] == Decimal("156.89")
    goods = Flow(revenue=Revenue(delivery=False, fees=False, tax=False))
    assert deal(order, goods)["value"] == deal(order, goods)["gross_value"] == Decimal("139.90")
    conversion = wanted(order, goods).conversion
    assert conversion is not None
    assert conversion.data["value"] == Decimal("139.90")
    nothing_left = replace(order, refunds=(Refund("R", CASE_BACK.at, Decimal("150.00")),))
    assert deal(nothing_left, goods)["value"] == 0


def test_each_product_that_came_back_is_an_event_of_its_refund_when_asked_for() -> None:
    flow = Flow(returns=("return", "refund"))
    back = [each for each in wanted(RETURNED, flow).product_events if each.refund_id]
    assert [(e.event.event_type, e.sku, e.refund_id, e.event.at) for e in back] == [
        ("return", "SKU-CASE-001", "R1", CASE_BACK.at),
        ("return", "SKU-HEADPHONES-BLK", "R2", RETURNED.refunds[1].at),
        ("refund", "SKU-CASE-001", "R1", CASE_BACK.at),
        ("refund", "SKU-HEADPHONES-BLK", "R2", RETURNED.refunds[1].at),
    ]
    assert back[0].event.custom_data == {
        "order_id": "ORD-78523", "product_custom_id": "SKU-CASE-001", "quantity": 1,
        "refund_id": "R1",
    }  # fmt: skip
    assert "return" not in {name for name, _ in events(RETURNED, Flow())}


def test_two_refunds_of_one_product_are_two_events() -> None:
    two = replace(
        FULFILLED, refunds=tuple(replace(CASE_BACK, id=i, value=Decimal(5)) for i in "AB")
    )
    keys = {
        each.key
        for each in plan("shop", "O", wanted(two, Flow(returns=("return",))), Planned()).operations
    }
    assert {"shop:O:return:SKU-CASE-001:A", "shop:O:return:SKU-CASE-001:B"} < keys


# ---- totals ----


def test_the_shops_own_rounding_is_recorded() -> None:
    order = replace(PLACED, total=Decimal("149.92"))
    said = deal(order, Flow())
    assert (said["value"], said["rounding_adjustment"]) == (Decimal("149.92"), Decimal("0.02"))
    assert deal(replace(PLACED, total=Decimal("149.90")), Flow())["rounding_adjustment"] is None


@pytest.mark.parametrize("total", ["149.87", "149.93", "0", "1499.00"])
def test_a_total_that_does_not_add_up_is_refused(total: str) -> None:
    with pytest.raises(Invalid, match=r"total: is .* than the order's parts come to"):
        desired(replace(PLACED, total=Decimal(total)), Flow())


def test_all_of_the_money_back_without_products_is_a_full_return() -> None:
    order = replace(FULFILLED, refunds=(Refund("R", CASE_BACK.at, Decimal("149.90")),))
    said = deal(order, Flow(STAGES))
    assert (said["stage"], said["status"], said["value"]) == (14, 3, 0)
    some = replace(FULFILLED, refunds=(Refund("R", CASE_BACK.at, Decimal("149.89")),))
    assert deal(some, Flow(STAGES))["stage"] == 12


# ---- which e-mail ----


@pytest.mark.parametrize(
    ("prefers_account", "email", "other"),
    [
        (True, "me@work.example", {"billing_email": "john@example.com"}),
        (False, "john@example.com", {"account_email": "me@work.example"}),
    ],
)
def test_of_two_emails_both_are_kept_and_one_is_the_contacts(
    prefers_account: bool, email: str, other: dict[str, str]
) -> None:
    customer = replace(JOHN, account_email="me@work.example")
    flow = Flow(identity=Strategy.EMAIL, prefers_account=prefers_account)
    contact = wanted(replace(PLACED, customer=customer), flow).contact
    assert (contact.custom_id, contact.email, contact.attributes) == (email, email, other)


@pytest.mark.parametrize("customer", [JOHN, replace(JOHN, account_email=" JOHN@example.com")])
def test_one_email_is_no_other(customer: Customer) -> None:
    assert wanted(replace(PLACED, customer=customer), Flow()).contact.attributes == {}


@pytest.mark.parametrize("order", SNAPSHOTS)
def test_what_the_order_does_not_say_is_not_sent(order: Order) -> None:
    said = deal(order, Flow())
    assert (
        not {"delivery_cost", "fees", "tax_amount", "discount_amount", "order_status"} & said.keys()
    )
    assert deal(replace(order, delivery=Decimal(0)), Flow())["delivery_cost"] == 0
