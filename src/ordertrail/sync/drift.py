"""Drift: how what a destination holds for an order differs from what it should hold.

Decided without a network. Amounts are compared as numbers, times as moments, and what is missing
as null; only what the flow says is compared.
"""

import enum
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from ordertrail.client import answers, calls
from ordertrail.kit import json
from ordertrail.sync.flow import Desired
from ordertrail.sync.happened import Happened
from ordertrail.sync.plan import PlannedOrder, parts_of

_APART = ("order_products", "products_custom_id", "user_custom_id")

_Line = tuple[str, Decimal | None, Decimal | None]


class Drift(enum.StrEnum):
    """What can differ."""

    CONTACT_MISSING = "contact missing"
    DEAL_MISSING = "deal missing"
    FIELD_DIFFERS = "field differs"
    LINES_DIFFER = "lines differ"
    LINK_MISSING = "product link missing"
    EVENT_MISSING = "event missing"
    EVENT_TWICE = "event twice"
    PRODUCT_EVENT_MISSING = "product event missing"
    PRODUCT_EVENT_TWICE = "product event twice"


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference: what it is about, what should be there, and what is."""

    drift: Drift
    what: str
    wanted: str = ""
    found: str = ""

    def __str__(self) -> str:
        if not self.wanted and not self.found:
            return f"{self.drift}: {self.what}"
        return f"{self.drift}: {self.what} should be {self.wanted}, is {self.found}"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a destination should hold for an order; `deal` is JSON, as a call says it."""

    person: str
    deal: Mapping[str, Any]
    product_events: tuple[Happened, ...] = ()
    conversion: Happened | None = None


@dataclass(frozen=True, slots=True)
class Holding:
    """What a destination holds for an order, as its API told it; None is not there.

    `events` and `product_events` are all those of the contact.
    """

    contact: Mapping[str, Any] | None
    deal: Mapping[str, Any] | None
    events: Sequence[Mapping[str, Any]] = ()
    product_events: Sequence[Mapping[str, Any]] = ()


def wanted_of(desired: Desired) -> Wanted:
    """Return what a destination should hold, by what an order says now."""
    deal = json.read_back(calls.upsert_deal(desired.deal).body)
    product_events = tuple(
        Happened.of(each.event.event_type, each.event.custom_data)
        for each in desired.product_events
    )
    event = desired.conversion
    conversion = None if event is None else Happened.of(event.name, event.data)
    return Wanted(desired.person, deal, product_events, conversion)


def wanted_as_said(planned: PlannedOrder) -> Wanted:
    """Return what a destination should hold, by what it was once told of an order."""
    order_id = str(planned.deal["custom_id"])
    names = sorted(map(parts_of, planned.events))
    product_events = [
        Happened(event_type, order_id, sku, *refund_id)
        for event_type, sku, *refund_id in (each for each in names if len(each) > 1)
    ]
    conversions = [Happened(each[0], order_id) for each in names if len(each) == 1]
    person = str(planned.deal["user_custom_id"])
    return Wanted(
        person, planned.deal, tuple(product_events), conversions[0] if conversions else None
    )


def compare(wanted: Wanted, held: Holding) -> list[Difference]:
    """Return every difference between what should be held for an order and what is."""
    found = list(_of_deal(wanted, held))
    if held.contact is None:
        return [Difference(Drift.CONTACT_MISSING, wanted.person), *found]
    found += _of_product_events(wanted, held.product_events)
    found += _of_conversion(wanted, held.events)
    return found


def _of_deal(wanted: Wanted, held: Holding) -> Iterable[Difference]:
    should, found = wanted.deal, held.deal
    if found is None:
        yield Difference(Drift.DEAL_MISSING, str(should["custom_id"]))
        return
    for name, value in should.items():
        if name not in _APART and not is_same(value, found.get(name)):
            yield Difference(Drift.FIELD_DIFFERS, name, _shown(value), _shown(found.get(name)))
    numbers = found.get("user_id"), (held.contact or {}).get("id")
    if None not in numbers and numbers[0] != numbers[1]:
        yield Difference(
            Drift.FIELD_DIFFERS, "user_custom_id", wanted.person, f"contact number {numbers[0]}"
        )
    yield from _of_lines(should, found)


def _of_lines(should: Mapping[str, Any], found: Mapping[str, Any]) -> Iterable[Difference]:
    wanted, lines = _lines(should.get("order_products")), _lines(found.get("order_products"))
    if wanted != lines:
        told = _told_lines(wanted), _told_lines(lines)
        yield Difference(Drift.LINES_DIFFER, str(should["custom_id"]), *told)
    links = found.get("products_custom_id")
    if not isinstance(links, list):
        return
    linked = {str(each) for each in links}
    for sku in should.get("products_custom_id") or ():
        if sku not in linked:
            yield Difference(Drift.LINK_MISSING, sku)


def _of_product_events(wanted: Wanted, held: Sequence[Mapping[str, Any]]) -> Iterable[Difference]:
    counts = Counter(map(Happened.product_event, held))
    for event in wanted.product_events:
        if not counts[event]:
            yield Difference(Drift.PRODUCT_EVENT_MISSING, str(event))
        elif counts[event] > 1:
            yield Difference(Drift.PRODUCT_EVENT_TWICE, str(event), "1", str(counts[event]))


def _of_conversion(wanted: Wanted, held: Sequence[Mapping[str, Any]]) -> Iterable[Difference]:
    event = wanted.conversion
    if event is None:
        return
    count = sum(event == Happened.event(each) for each in held)
    if not count:
        yield Difference(Drift.EVENT_MISSING, event.name)
    elif count > 1:
        yield Difference(Drift.EVENT_TWICE, event.name, "1", str(count))


def is_same(wanted: Any, found: Any) -> bool:
    """Tell whether two values of JSON mean the same."""
    if wanted == found or (_is_empty(wanted) and _is_empty(found)):
        return True
    numbers = _number(wanted), _number(found)
    if None not in numbers and not (isinstance(wanted, str) and isinstance(found, str)):
        return numbers[0] == numbers[1]
    moments = _moment(wanted), _moment(found)
    if None not in moments:
        return moments[0] == moments[1]
    if isinstance(wanted, Mapping) and isinstance(found, Mapping):
        return all(is_same(wanted.get(name), found.get(name)) for name in {*wanted, *found})
    if isinstance(wanted, list) and isinstance(found, list):
        pairs = zip(wanted, found, strict=False)
        return len(wanted) == len(found) and all(is_same(*pair) for pair in pairs)
    return False


def _is_empty(value: Any) -> bool:
    return value is None or value in ([], {})


def _number(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _moment(value: Any) -> datetime | None:
    """The moment that a text means; digits alone are a number or an id."""
    is_time = isinstance(value, str) and not value.isdigit()
    return answers.moment(value) if is_time else None


def _lines(lines: Any) -> Counter[_Line]:
    """Lines as they count: which product, how many, at what price; their order does not matter."""
    return Counter(
        (str(each.get("product_custom_id")), _number(each.get("quantity")), _number(each["value"]))
        for each in (lines if isinstance(lines, list) else ())
        if isinstance(each, Mapping) and "value" in each
    )


def _told_lines(lines: Counter[_Line]) -> str:
    ordered = sorted(lines.elements(), key=str)
    return ", ".join(f"{quantity} x {sku} at {value}" for sku, quantity, value in ordered) or "none"


def _shown(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
