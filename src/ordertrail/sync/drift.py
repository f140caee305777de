"""Drift: how what a destination holds for an order differs from what it should hold.

Decided without a network. Amounts are compared as numbers, times as moments, and what is missing
as null; only what the flow says is compared.
"""

import enum
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from ordertrail.client import calls
from ordertrail.kit import json
from ordertrail.sync.flow import Desired

_LINES = ("order_products", "products_custom_id")
_IDENTIFYING = ("order_id", "product_custom_id", "refund_id")


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
class Held:
    """What a destination holds for an order, as its API told it; None is not there.

    `events` and `product_events` are all those of the contact.
    """

    contact: Mapping[str, Any] | None
    deal: Mapping[str, Any] | None
    events: Sequence[Mapping[str, Any]] = ()
    product_events: Sequence[Mapping[str, Any]] = ()


def compare(desired: Desired, held: Held) -> list[Difference]:
    """Return every difference between what an order wants and what is held."""
    found = list(_of_deal(desired, held.deal))
    if held.contact is None:
        return [Difference(Drift.CONTACT_MISSING, desired.person), *found]
    found += _of_product_events(desired, held.product_events)
    found += _of_conversion(desired, held.events)
    return found


def _of_deal(desired: Desired, held: Mapping[str, Any] | None) -> Iterable[Difference]:
    wanted = json.loads(json.dumps(calls.upsert_deal(desired.deal).body))
    if held is None:
        yield Difference(Drift.DEAL_MISSING, wanted["custom_id"])
        return
    for name, value in wanted.items():
        if name in _LINES or name == "user_custom_id":
            continue
        if not is_same(value, held.get(name)):
            yield Difference(Drift.FIELD_DIFFERS, name, _shown(value), _shown(held.get(name)))
    should, are = _lines(wanted.get("order_products")), _lines(held.get("order_products"))
    if should != are:
        yield Difference(
            Drift.LINES_DIFFER, wanted["custom_id"], _told_lines(should), _told_lines(are)
        )
    links = {str(each) for each in held.get("products_custom_id") or ()}
    for sku in wanted.get("products_custom_id") or ():
        if links and sku not in links:
            yield Difference(Drift.LINK_MISSING, sku)


def _of_product_events(desired: Desired, held: Sequence[Mapping[str, Any]]) -> Iterable[Difference]:
    counts = Counter(
        (str(each.get("event_type")), *_identity(each.get("custom_data"))) for each in held
    )
    for wanted in desired.product_events:
        event = wanted.event
        name = f"{event.event_type} of {wanted.sku}"
        count = counts[(event.event_type, *_identity(event.custom_data))]
        if not count:
            yield Difference(Drift.PRODUCT_EVENT_MISSING, name)
        elif count > 1:
            yield Difference(Drift.PRODUCT_EVENT_TWICE, name, "1", str(count))


def _of_conversion(desired: Desired, held: Sequence[Mapping[str, Any]]) -> Iterable[Difference]:
    event = desired.conversion
    if event is None:
        return
    wanted = _identity(event.data)
    count = sum(
        each.get("name") == event.name and _identity(each.get("data")) == wanted for each in held
    )
    if not count:
        yield Difference(Drift.EVENT_MISSING, event.name)
    elif count > 1:
        yield Difference(Drift.EVENT_TWICE, event.name, "1", str(count))


def is_same(wanted: Any, found: Any) -> bool:
    """Tell whether two values of JSON mean the same."""
    if wanted == found or (_is_empty(wanted) and _is_empty(found)):
        return True
    numbers = _number(wanted), _number(found)
    if None not in numbers:
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
    if not isinstance(value, str):
        return None
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        return None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at


def _lines(lines: Any) -> Counter[tuple[str, int, Decimal | None]]:
    """Lines as they count: which product, how many, at what price; their order does not matter."""
    return Counter(
        (str(each.get("product_custom_id")), int(each.get("quantity") or 0), _number(each["value"]))
        for each in lines or ()
        if isinstance(each, Mapping) and "value" in each
    )


def _told_lines(lines: Counter[tuple[str, int, Decimal | None]]) -> str:
    ordered = sorted(lines.elements(), key=str)
    return ", ".join(f"{quantity} x {sku} at {value}" for sku, quantity, value in ordered) or "none"


def _identity(data: Any) -> tuple[str | None, ...]:
    said = data if isinstance(data, Mapping) else {}
    return tuple(None if said.get(n) is None else str(said[n]) for n in _IDENTIFYING)


def _shown(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
