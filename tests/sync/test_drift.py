"""Drift as properties: what was delivered has none, and each change of it is found, alone."""

import copy
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_orders import CASE, FULFILLED, PLACED, RETURNED
from order_histories import made_orders

from ordertrail.domain.order import Order
from ordertrail.kit import json
from ordertrail.sync.drift import Drift, Holding, compare, is_same, wanted_as_said, wanted_of
from ordertrail.sync.flow import desired
from ordertrail.sync.operations import Kind, Operation
from ordertrail.sync.plan import Planned, plan
from ordertrail.sync.rules import Flow

FLOW = Flow(returns=("return", "refund"))
NUMBER = 7


def delivered(*snapshots: Order, flow: Flow = FLOW) -> tuple[Holding, Planned]:
    """What a destination holds once everything is made that the snapshots cause, in turn."""
    planned = Planned()
    contact: dict[str, Any] = {"id": NUMBER}
    deal: dict[str, Any] = {"user_id": NUMBER}
    events: list[dict[str, Any]] = []
    product_events: list[dict[str, Any]] = []
    for order in snapshots:
        found = desired(order, flow)
        assert found is not None
        made = plan("shop", order.id, found, planned)
        planned = made.planned
        for each in made.operations:
            said = _said(each)
            match each.kind:
                case Kind.CONTACT:
                    contact.update(said)
                case Kind.DEAL:
                    deal.update(said)
                case Kind.CONVERSION:
                    events.append({"name": said["name"], "data": said["data"]})
                case _:
                    data = said["data"]["custom_data"]
                    product_events.append({"event_type": said["event_type"], "custom_data": data})
    return Holding(contact, deal, events, product_events), planned


def _said(operation: Operation) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(json.dumps(operation.call.body))
    return said


def wanted(order: Order) -> Any:
    found = desired(order, FLOW)
    assert found is not None
    return wanted_of(found)


@given(made_orders())
def test_what_was_delivered_does_not_drift(order: Order) -> None:
    held, planned = delivered(order)
    assert compare(wanted(order), held) == []
    assert compare(wanted_as_said(planned.order), held) == []


@given(made_orders(), st.integers(1, 3))
def test_nor_does_what_followed_an_order_through_its_stages(order: Order, days: int) -> None:
    placed = replace(order, fulfilled_at=None, cancelled_at=None, refunds=())
    shipped = replace(placed, fulfilled_at=order.placed_at + timedelta(days=days))
    held, _ = delivered(placed, shipped, replace(shipped, refunds=order.refunds))
    assert compare(wanted(replace(shipped, refunds=order.refunds)), held) == []


@given(st.data(), made_orders().filter(lambda order: order.lines))
def test_each_change_of_what_is_held_is_found_and_nothing_else(
    data: st.DataObject, order: Order
) -> None:
    held, _ = delivered(order)
    drift, what, changed = data.draw(st.sampled_from(list(changes(held))))
    [found] = compare(wanted(order), changed)
    assert (found.drift, found.what if what is not None else None) == (drift, what)
    assert str(found).startswith(f"{drift}: ")


@pytest.mark.parametrize("order", [PLACED, FULFILLED, RETURNED])
def test_each_change_of_an_order_of_the_guide_is_found(order: Order) -> None:
    held, _ = delivered(order)
    kinds = set()
    for drift, _, changed in changes(held):
        assert [each.drift for each in compare(wanted(order), changed)] == [drift]
        kinds.add(drift)
    assert kinds == set(Drift) - (
        {Drift.EVENT_MISSING, Drift.EVENT_TWICE} if order is PLACED else set[Drift]()
    )


def changes(held: Holding) -> Iterator[tuple[Drift, str | None, Holding]]:
    """Every way in which one thing can be otherwise: which drift, of what, and what is held."""
    assert held.deal is not None
    yield Drift.CONTACT_MISSING, None, replace(held, contact=None)
    yield Drift.DEAL_MISSING, held.deal["custom_id"], replace(held, deal=None)
    for name, value in held.deal.items():
        if name in ("order_products", "products_custom_id", "user_custom_id", "user_id"):
            continue
        yield Drift.FIELD_DIFFERS, name, replace(held, deal={**held.deal, name: other(value)})
        if value not in (None, [], {}):
            without = {each: said for each, said in held.deal.items() if each != name}
            yield Drift.FIELD_DIFFERS, name, replace(held, deal=without)
    moved = {**held.deal, "user_id": NUMBER + 1}
    yield Drift.FIELD_DIFFERS, "user_custom_id", replace(held, deal=moved)
    yield from _changes_of_lines(held, held.deal)
    for place, event in enumerate(held.product_events):
        without_it = _without(held.product_events, place)
        yield Drift.PRODUCT_EVENT_MISSING, None, replace(held, product_events=without_it)
        twice = [*held.product_events, event]
        yield Drift.PRODUCT_EVENT_TWICE, None, replace(held, product_events=twice)
    for place, event in enumerate(held.events):
        name = event["name"]
        yield Drift.EVENT_MISSING, name, replace(held, events=_without(held.events, place))
        yield Drift.EVENT_TWICE, name, replace(held, events=[*held.events, event])


def _changes_of_lines(held: Holding, deal: Any) -> Iterator[tuple[Drift, str | None, Holding]]:
    lines = deal.get("order_products") or []
    for place, line in enumerate(lines):
        for name in ("quantity", "value", "product_custom_id"):
            changed = copy.deepcopy(lines)
            changed[place][name] = other(line[name])
            yield Drift.LINES_DIFFER, None, replace(held, deal={**deal, "order_products": changed})
        fewer, more = _without(lines, place), [*lines, line]
        yield Drift.LINES_DIFFER, None, replace(held, deal={**deal, "order_products": fewer})
        yield Drift.LINES_DIFFER, None, replace(held, deal={**deal, "order_products": more})
    links = deal.get("products_custom_id") or []
    for place, sku in enumerate(links):
        linked = {**deal, "products_custom_id": _without(links, place)}
        yield Drift.LINK_MISSING, sku, replace(held, deal=linked)


def _without(items: Any, place: int) -> list[Any]:
    return [*items[:place], *items[place + 1 :]]


def other(value: Any) -> Any:
    """Something that does not mean the same."""
    if isinstance(value, bool) or value in (None, [], {}):
        return "something else"
    if isinstance(value, int | float | Decimal):
        return value + 1
    if isinstance(value, str):
        return f"{value}x"
    return [*value, *value] if isinstance(value, list) else {**value, "more": 1}


# ---- what is no drift ----


def test_events_of_other_orders_and_of_earlier_snapshots_do_not_matter() -> None:
    held, _ = delivered(FULFILLED)
    others, _ = delivered(replace(FULFILLED, id="OTHER"))
    both = replace(
        held,
        events=[*others.events, *held.events],
        product_events=[*others.product_events, *held.product_events],
    )
    assert compare(wanted(FULFILLED), both) == []
    assert compare(wanted(PLACED), replace(held, deal=delivered(PLACED)[0].deal)) == []


def test_the_order_of_lines_and_links_does_not_matter_nor_does_another_link() -> None:
    held, _ = delivered(FULFILLED)
    assert held.deal is not None
    turned = {
        **held.deal,
        "order_products": held.deal["order_products"][::-1],
        "products_custom_id": [*held.deal["products_custom_id"][::-1], "GIFT"],
    }
    assert compare(wanted(FULFILLED), replace(held, deal=turned)) == []


def test_a_line_as_another_endpoint_writes_it_is_the_same_line() -> None:
    order = replace(FULFILLED, lines=(CASE,))
    held, _ = delivered(order)
    assert held.deal is not None
    for quantity in (1, "1", 1.0, "1.0"):
        line = {"product_custom_id": CASE.sku, "quantity": quantity, "value": "20"}
        deal = {**held.deal, "order_products": [line]}
        assert compare(wanted(order), replace(held, deal=deal)) == []


@pytest.mark.parametrize(
    "lines", [None, "two", 2, {}, [None], [{}], [{"product_custom_id": "A", "quantity": "many"}]]
)
def test_lines_that_make_no_sense_differ_and_break_nothing(lines: Any) -> None:
    held, _ = delivered(FULFILLED)
    assert held.deal is not None
    changed = replace(held, deal={**held.deal, "order_products": lines})
    assert [each.drift for each in compare(wanted(FULFILLED), changed)] == [Drift.LINES_DIFFER]


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (None, []),
        ([], None),
        ({}, None),
        ("20.00", 20),
        (Decimal("20.00"), "20"),
        (20, 20.0),
        (1, True),
        ("2026-03-01T10:00:00Z", "2026-03-01T11:00:00.000000+01:00"),
        ("2026-03-01T10:00:00Z", "2026-03-01T10:00:00"),
        ([{"value": 1, "at": None}], [{"value": "1.0"}]),
    ],
)
def test_what_means_the_same_is_the_same(value: Any, found: Any) -> None:
    assert is_same(value, found)
    assert is_same(found, value)


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (None, 0),
        (None, ""),
        (None, False),
        ("1.0", "1"),
        (20, "20 EUR"),
        ("2026-03-01T10:00:00Z", "2026-03-01T10:00:00+01:00"),
        ([1, 2], [2, 1]),
        ([1], [1, 1]),
        ({"a": 1}, {"a": 1, "b": 2}),
        ("nan", "NaN"),
    ],
)
def test_what_does_not_is_not(value: Any, found: Any) -> None:
    assert not is_same(value, found)
    assert not is_same(found, value)
