"""What was planned and not yet sent follows the newest snapshot."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_orders import CANCELLED, FULFILLED, HEADPHONES, JOHN, PARTLY_RETURNED, PLACED
from order_histories import made_orders

from ordertrail.client.calls import Call
from ordertrail.domain.order import Order
from ordertrail.kit import json
from ordertrail.sync.flow import desired
from ordertrail.sync.operations import Kind
from ordertrail.sync.plan import Plan, Planned, plan
from ordertrail.sync.rules import Flow
from ordertrail.sync.unsent import Unsent

FLOW = Flow()


class Box:
    """A tiny outbox of one order: a list of calls, those behind `sent` not sent yet."""

    def __init__(self) -> None:
        self.planned = Planned()
        self.calls: list[tuple[str, Kind, Call]] = []
        self.sent = 0
        self.taken_back: set[int] = set()

    def takes(self, order: Order, *, are_fresh: bool = True) -> Plan:
        wanted = desired(order, FLOW)
        assert wanted is not None
        made = plan("shop", order.id, wanted, self.planned, list(self.unsent(are_fresh)))
        for each in made.rewritten:
            self.calls[each.id] = each.key, self.calls[each.id][1], each.call
        self.taken_back |= set(made.withdrawn)
        self.calls += [(each.key, each.kind, each.call) for each in made.operations]
        self.planned = made.planned
        return made

    def unsent(self, are_fresh: bool = True) -> Iterable[Unsent]:
        for number, (key, kind, call) in enumerate(self.calls):
            if number >= self.sent and number not in self.taken_back:
                body = json.loads(json.dumps(call.body))
                yield Unsent(number, key, kind, call.method, call.path, body, are_fresh)

    def left(self) -> list[tuple[str, Kind, Call]]:
        return [each for n, each in enumerate(self.calls) if n not in self.taken_back]

    def bodies(self, kind: Kind) -> list[dict[str, Any]]:
        return [json.loads(json.dumps(call.body)) for _, k, call in self.left() if k is kind]


def kinds(box: Box) -> list[Kind]:
    return [kind for _, kind, _ in box.left()]


def test_a_deal_that_waits_says_the_newest_in_its_old_place() -> None:
    box = Box()
    box.takes(PLACED)
    made = box.takes(CANCELLED)
    assert made.operations == []
    assert [each.key for each in made.rewritten] == ["shop:ORD-78523:deal:2"]
    assert kinds(box) == [Kind.CONTACT, Kind.DEAL, Kind.PRODUCT_EVENT, Kind.PRODUCT_EVENT]
    (deal,) = box.bodies(Kind.DEAL)
    assert (deal["stage"], deal["status"], deal["name"]) == (3, 3, "Order #ORD-78523")


def test_what_was_sent_is_changed_by_a_call_of_its_own() -> None:
    box = Box()
    box.takes(PLACED)
    box.sent = 2
    made = box.takes(FULFILLED)
    assert (made.rewritten, made.withdrawn) == ([], [])
    assert made.operations[0].kind is Kind.DEAL


def test_several_deals_that_wait_become_the_first_of_them() -> None:
    box = Box()
    box.takes(PLACED)
    box.sent = 2
    box.takes(FULFILLED)
    box.sent = 0
    made = box.takes(PARTLY_RETURNED)
    (deal,) = box.bodies(Kind.DEAL)
    assert len(made.withdrawn) == 1
    assert (deal["stage"], str(deal["value"]), deal["name"]) == (2, "129.90", "Order #ORD-78523")


def test_events_that_nobody_wants_any_more_are_taken_back_and_can_come_again() -> None:
    box = Box()
    box.takes(FULFILLED)
    made = box.takes(PLACED)
    assert len(made.withdrawn) == 3
    assert Kind.CONVERSION not in kinds(box)
    again = box.takes(FULFILLED)
    assert [each.kind for each in again.operations] == [
        Kind.PRODUCT_EVENT, Kind.PRODUCT_EVENT, Kind.CONVERSION,
    ]  # fmt: skip


def test_an_event_that_may_have_been_carried_out_is_left_as_it_is() -> None:
    box = Box()
    box.takes(FULFILLED)
    dearer = replace(HEADPHONES, quantity=2)
    made = box.takes(replace(FULFILLED, lines=(dearer, *FULFILLED.lines[1:])), are_fresh=False)
    assert {box.calls[each.id][1] for each in made.rewritten} == {Kind.DEAL}
    assert box.takes(PLACED, are_fresh=False).withdrawn == []


def test_an_event_that_waits_tells_the_order_as_it_is_now() -> None:
    box = Box()
    box.takes(FULFILLED)
    box.takes(replace(FULFILLED, lines=(replace(HEADPHONES, quantity=3), *FULFILLED.lines[1:])))
    quantities = [e["data"]["custom_data"]["quantity"] for e in box.bodies(Kind.PRODUCT_EVENT)]
    assert quantities == [3, 1, 3, 1]
    assert box.bodies(Kind.CONVERSION)[0]["data"]["items_count"] == 4


def test_a_contact_that_waits_says_what_is_new_of_it() -> None:
    box = Box()
    box.takes(PLACED)
    box.takes(replace(PLACED, customer=replace(JOHN, last_name="Dow", country="Poland")))
    (contact,) = box.bodies(Kind.CONTACT)
    assert (contact["first_name"], contact["last_name"], contact["country"]) == (
        "John", "Dow", "Poland",
    )  # fmt: skip


@pytest.mark.parametrize("name", ["ann@example.com", None])
def test_an_order_whose_contact_is_another_says_both(name: str | None) -> None:
    box = Box()
    box.takes(PLACED)
    box.takes(replace(PLACED, customer=replace(JOHN, email=name, shop_id=None)))
    assert len(box.bodies(Kind.CONTACT)) == 2
    assert {e["user_custom_id"] for e in box.bodies(Kind.PRODUCT_EVENT)} == {
        box.bodies(Kind.DEAL)[0]["user_custom_id"]
    }


STEPS = st.lists(st.tuples(made_orders(), st.integers(0, 4), st.booleans()), min_size=1, max_size=5)


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_whatever_was_sent_when_the_calls_add_up_to_the_latest_snapshot(
    steps: list[tuple[Order, int, bool]],
) -> None:
    box = Box()
    for order, sent, _ in steps:
        box.takes(order)
        box.sent = min(box.sent + sent, len(box.calls))
    held: dict[str, Any] = {}
    for body in box.bodies(Kind.DEAL):
        held |= body
    wanted = desired(steps[-1][0], FLOW)
    assert wanted is not None
    fresh = plan("shop", steps[-1][0].id, wanted, Planned())
    whole = next(e.call.body for e in fresh.operations if e.kind is Kind.DEAL)
    for field, value in json.loads(json.dumps(whole)).items():
        if field != "user_custom_id":
            assert held.get(field) == value
    keys = [key for key, _, _ in box.left()]
    assert len(keys) == len(set(keys))
    events = {key for key, kind, _ in box.left() if kind.is_event}
    assert {each.key for each in fresh.operations if each.kind.is_event} <= events
