from collections import Counter
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_orders import (
    CANCELLED,
    CASE,
    FULFILLED,
    JOHN,
    PARTLY_RETURNED,
    PLACED,
    RETURNED,
)
from order_histories import histories, made_orders

from ordertrail.client import calls
from ordertrail.domain.order import Customer, Order
from ordertrail.kit import json
from ordertrail.sync.flow import desired
from ordertrail.sync.operations import Kind, Operation
from ordertrail.sync.plan import Planned, PlannedOrder, key_of
from ordertrail.sync.plan import plan as whole_plan
from ordertrail.sync.rules import CONSENTS, Flow, Stages

FLOW = Flow(Stages(placed=13, fulfilled=12, cancelled=14))
FEW = settings(max_examples=40, deadline=None)


def plan(*arguments: Any) -> tuple[list[Operation], Planned]:
    """Plan while nothing that was planned before can still be changed."""
    found = whole_plan(*arguments)
    assert not found.rewritten
    assert not found.withdrawn
    return found.operations, found.planned


def plan_all(*snapshots: Order) -> tuple[list[list[Operation]], Planned]:
    """Plan one snapshot after the other, each contact with what is known of that one."""
    planned = Planned()
    contacts: dict[str | None, Any] = {}
    steps = []
    for order in snapshots:
        wanted = desired(order, FLOW)
        known = contacts.get(wanted.contact.custom_id, Planned().contact)
        operations, planned = plan("shop", order.id, wanted, replace(planned, contact=known))
        contacts[wanted.contact.custom_id] = planned.contact
        steps.append(operations)
    return steps, planned


def bodies(operations: list[Operation], kind: Kind) -> list[dict[str, Any]]:
    return [each.call.body for each in operations if each.kind is kind]


def test_a_placed_order_is_a_contact_a_deal_and_its_order_events() -> None:
    (operations,), _ = plan_all(PLACED)
    user = desired(PLACED, FLOW).contact.custom_id
    assert [(each.key, each.kind, each.step) for each in operations] == [
        (f"shop::contact:{user}:1", "contact", 1),
        ("shop:ORD-78523:deal:1", "deal", 2),
        ("shop:ORD-78523:order:SKU-HEADPHONES-BLK", "product_event", 3),
        ("shop:ORD-78523:order:SKU-CASE-001", "product_event", 3),
    ]
    assert {each.lane for each in operations} == {user}
    assert {each.order_id for each in operations} == {"ORD-78523"}


def test_fulfilment_sends_stage_and_status_then_purchases_then_the_conversion() -> None:
    (_, operations), _ = plan_all(PLACED, FULFILLED)
    assert [(each.key, each.step) for each in operations] == [
        ("shop:ORD-78523:deal:2", 4),
        ("shop:ORD-78523:purchase:SKU-HEADPHONES-BLK", 5),
        ("shop:ORD-78523:purchase:SKU-CASE-001", 5),
        ("shop:ORD-78523:purchase_completed", 6),
    ]
    assert bodies(operations, Kind.DEAL) == [
        {
            "custom_id": "ORD-78523",
            "stage": 12,
            "status": 2,
            "order_fulfilled_at": "2026-03-02T10:00:00.000000Z",
        }
    ]


def test_cancelling_sends_stage_and_status() -> None:
    (_, operations), _ = plan_all(PLACED, CANCELLED)
    assert [each.call.body for each in operations] == [
        {
            "custom_id": "ORD-78523",
            "stage": 14,
            "status": 3,
            "order_cancelled_at": "2026-03-03T10:00:00.000000Z",
        }
    ]


def test_a_partial_return_sends_the_value_alone() -> None:
    (_, operations), _ = plan_all(FULFILLED, PARTLY_RETURNED)
    (only,) = operations
    assert only.call.body.keys() == {"custom_id", "value", "refunds"}
    assert only.call.body["value"] == Decimal("129.90")


def test_a_full_return_sends_stage_status_and_no_value() -> None:
    (_, _, operations), _ = plan_all(FULFILLED, PARTLY_RETURNED, RETURNED)
    (only,) = operations
    assert only.call.body.keys() == {
        "custom_id", "stage", "status", "value", "refunds", "order_cancelled_at",
    }  # fmt: skip
    assert (only.call.body["stage"], only.call.body["status"]) == (14, 3)
    assert only.call.body["value"] == 0


def test_a_refund_that_the_shop_deleted_is_sent_as_null_once() -> None:
    (_, operations, again), _ = plan_all(PARTLY_RETURNED, FULFILLED, FULFILLED)
    assert [each.call.body for each in operations] == [
        {"custom_id": "ORD-78523", "value": Decimal("149.90"), "refunds": None}
    ]
    assert again == []


def test_a_contact_is_said_again_only_when_something_is_new() -> None:
    other = replace(PLACED, id="ORD-2")
    known = plan_all(PLACED)[1].contact
    less = replace(other, customer=replace(JOHN, phone=None))
    more = replace(other, customer=replace(JOHN, country="Poland"))
    for order, kinds in ((other, []), (less, []), (more, [Kind.CONTACT])):
        operations, _ = plan("shop", order.id, desired(order, FLOW), Planned(contact=known))
        assert [each.kind for each in operations if each.kind is Kind.CONTACT] == kinds


def test_a_contact_is_not_said_again_for_what_was_left_out_in_between() -> None:
    customers = [replace(JOHN, country="Poland"), replace(JOHN, last_name="Dow"), JOHN]
    orders = [replace(PLACED, id=f"O{n}", customer=each) for n, each in enumerate(customers)]
    known = Planned().contact
    said = []
    for order in [*orders, replace(orders[0], id="O9")]:
        operations, after = plan("shop", order.id, desired(order, FLOW), Planned(contact=known))
        known = after.contact
        said.append(bool(bodies(operations, Kind.CONTACT)))
    assert said == [True, True, True, False]


def said_of_contact(*orders: Order) -> list[dict[str, Any]]:
    """What is said of the one contact of these orders, one after the other."""
    known, said = Planned().contact, []
    for order in orders:
        operations, after = plan("shop", order.id, desired(order, FLOW), Planned(contact=known))
        known = after.contact
        said += bodies(operations, Kind.CONTACT)
    return said


def order_of_john(day: int, **fields: str | None) -> Order:
    return replace(
        PLACED,
        id=f"O{day}",
        placed_at=PLACED.placed_at + timedelta(days=day),
        customer=replace(JOHN, **fields),
    )


def test_an_earlier_placed_order_tells_of_its_contact_only_what_a_later_one_did_not() -> None:
    later = order_of_john(2, last_name="Dow", phone=None)
    earlier = order_of_john(1, country="Poland")
    first, second = said_of_contact(later, earlier, later)
    assert "country" not in first
    assert (second["last_name"], second["country"]) == ("Dow", "Poland")
    assert second["phone"] == JOHN.phone


@FEW
@given(st.permutations([(1, "1"), (2, "2"), (3, None), (4, None)]))
def test_a_field_is_what_the_latest_order_that_has_it_says(
    phones: list[tuple[int, str | None]],
) -> None:
    held: dict[str, Any] = {}
    for said in said_of_contact(*(order_of_john(day, phone=phone) for day, phone in phones)):
        held |= said
    assert held["phone"] == "2"


def test_a_later_order_that_says_the_same_is_the_one_to_go_by_from_then_on() -> None:
    between = order_of_john(2, last_name="Dow")
    assert len(said_of_contact(order_of_john(1), order_of_john(3), between)) == 1


@FEW
@given(st.permutations([1, 2, 3, 4]))
def test_in_whatever_order_they_are_read_the_latest_order_knows_the_contact_best(
    days: list[int],
) -> None:
    held: dict[str, Any] = {}
    for said in said_of_contact(*(order_of_john(day, last_name=f"Doe {day}") for day in days)):
        held |= said
    assert held["last_name"] == "Doe 4"


def test_no_order_is_called_such_that_its_keys_are_those_of_a_contact() -> None:
    user = desired(PLACED, FLOW).contact.custom_id
    (operations,), _ = plan_all(replace(PLACED, id="contact"))
    assert [each.key.split(":")[:3] for each in operations[:2]] == [
        ["shop", "", "contact"], ["shop", "contact", "deal"],
    ]  # fmt: skip
    assert operations[0].key == f"shop::contact:{user}:1"


def test_an_order_that_changes_hands_stays_in_its_lane_and_says_its_new_contact_there() -> None:
    ann = Customer("ann@example.com")
    anns = plan_all(replace(PLACED, id="ORD-2", customer=ann))[1].contact
    _, planned = plan_all(PLACED)
    moved = replace(PLACED, customer=ann)
    operations, after = plan(
        "shop", "ORD-78523", desired(moved, FLOW), Planned(anns, planned.order)
    )
    assert [each.kind for each in operations] == [Kind.CONTACT, Kind.DEAL]
    assert {each.lane for each in operations} == {planned.order.lane}
    assert operations[0].key.endswith(":2")
    assert plan("shop", "ORD-78523", desired(moved, FLOW), after)[0] == []
    said_in_her_own_lane = replace(after, contact=anns)
    assert plan("shop", "ORD-78523", desired(moved, FLOW), said_in_her_own_lane)[0] == []


def test_a_new_line_gets_its_event_and_the_others_get_none_again() -> None:
    lamp = replace(CASE, sku="LAMP")
    (_, operations), _ = plan_all(PLACED, replace(PLACED, lines=(*PLACED.lines, lamp)))
    assert [each.key.split(":", 2)[2] for each in operations] == ["deal:2", "order:LAMP"]


@pytest.mark.parametrize(
    ("left", "right"),
    [(("a:b", "c"), ("a", "b:c")), (("a%3Ab",), ("a:b",)), (("a", ""), ("a",))],
)
def test_different_parts_never_make_the_same_key(
    left: tuple[str, ...], right: tuple[str, ...]
) -> None:
    assert key_of(*left) != key_of(*right)


@FEW
@given(histories())
def test_however_often_snapshots_come_each_key_is_planned_once(snapshots: list[Order]) -> None:
    keys = Counter(each.key for step in plan_all(*snapshots)[0] for each in step)
    assert set(keys.values()) <= {1}


@FEW
@given(histories())
def test_the_planned_deal_changes_add_up_to_the_latest_snapshot(snapshots: list[Order]) -> None:
    steps, _ = plan_all(*snapshots)
    held: dict[str, Any] = {}
    for change in (body for step in steps for body in bodies(step, Kind.DEAL)):
        held |= change
    wanted = calls.upsert_deal(desired(snapshots[-1], FLOW).deal).body
    given_back = json.loads(json.dumps(wanted))
    assert {name: held.get(name) for name in given_back} == given_back


@FEW
@given(histories())
def test_every_event_that_was_ever_wanted_is_planned(snapshots: list[Order]) -> None:
    steps, _ = plan_all(*snapshots)
    planned = [each for step in steps for each in step if each.kind is Kind.PRODUCT_EVENT]
    wanted = {
        (each.event.event_type, each.sku)
        for order in snapshots
        for each in desired(order, FLOW).product_events
    }
    assert len(planned) == len(wanted)
    conversions = [each for step in steps for each in step if each.kind is Kind.CONVERSION]
    assert len(conversions) == any(order.fulfilled_at for order in snapshots)


@FEW
@given(histories())
def test_the_same_snapshot_again_plans_nothing(snapshots: list[Order]) -> None:
    assert plan_all(*snapshots, snapshots[-1])[0][-1] == []


@FEW
@given(histories())
def test_what_was_planned_survives_being_kept_as_json(snapshots: list[Order]) -> None:
    _, planned = plan_all(*snapshots)
    order = planned.order
    kept = replace(planned, order=replace(order, deal=json.loads(json.dumps(order.deal))))
    assert plan("shop", snapshots[-1].id, desired(snapshots[-1], FLOW), kept)[0] == []


@FEW
@given(histories())
def test_a_contact_is_said_before_its_deal_and_a_deal_before_its_events(
    snapshots: list[Order],
) -> None:
    rank = [Kind.CONTACT, Kind.MERGE, Kind.DEAL, Kind.PRODUCT_EVENT, Kind.CONVERSION]
    steps, _ = plan_all(*snapshots)
    for operations in steps:
        assert [each.kind for each in operations] == sorted(
            (each.kind for each in operations), key=rank.index
        )
    numbers = [(each.step, each.kind) for step in steps for each in step]
    assert numbers == sorted(numbers, key=lambda pair: pair[0])
    assert len({step for step, _ in numbers}) == len(set(numbers))


@FEW
@given(histories())
def test_only_product_events_share_a_step_and_all_stay_in_one_lane(snapshots: list[Order]) -> None:
    steps, _ = plan_all(*snapshots)
    operations = [each for step in steps for each in step]
    assert len({each.lane for each in operations}) == 1
    counts = Counter(each.step for each in operations if each.kind is not Kind.PRODUCT_EVENT)
    assert set(counts.values()) <= {1}


@FEW
@given(histories())
def test_no_consent_is_ever_planned(snapshots: list[Order]) -> None:
    steps, _ = plan_all(*snapshots)
    assert not CONSENTS & {name for step in steps for each in step for name in each.call.body}


@FEW
@given(made_orders(), st.sampled_from(["shop", "other"]))
def test_keys_tell_sources_apart(order: Order, source: str) -> None:
    operations, _ = plan(source, order.id, desired(order, FLOW), Planned(order=PlannedOrder()))
    assert all(each.key.startswith(f"{source}:") for each in operations)
