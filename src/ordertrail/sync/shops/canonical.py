"""The canonical order as plain data: the fields of `domain.order.Order` by their own names.

Kept snapshots, JSON Lines and `explain` all speak it. `docs/order.schema.json` describes it.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, cast

import msgspec

from ordertrail.domain.errors import Invalid
from ordertrail.domain.order import AMOUNTS, MOMENTS, VERSION_MAX, ZONE_IS_NEEDED, Order
from ordertrail.sync import exact

DECIMALS_MAX = 64
QUANTITY_MAX = 2**63 - 1
AMOUNT_DIGITS_MAX = 12
ID_CHARS_MAX = 255
NUMBER_TEXT = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,2})?", re.ASCII)

_YEARS = range(2, 9999)
"""Years whose every moment has a date in every time zone."""


def decode(data: object) -> Order:
    """Return the order that the data says, for `domain.order.check` to judge.

    Numbers may be int, Decimal or text; a float stands for its shortest decimal. Raises Invalid
    with paths such as `lines[2].unit_price` for an unknown or missing field, a value of a wrong
    type, an amount that is no number under 10**12, a time without a zone.
    """
    try:
        order = exact.convert(data, Order)
    except Invalid:
        order = exact.convert(_with_whole_numbers(data), Order)
    wrong = dict(_wrong(cast(Mapping[str, Any], data), order))
    if wrong:
        raise Invalid(wrong)
    return order


def encode(order: Order) -> dict[str, Any]:
    """Return the order as data that JSON can say: times are text, amounts stay Decimal."""
    return cast(dict[str, Any], msgspec.to_builtins(order, builtin_types=(Decimal,)))


def readable_id(data: object) -> str | None:
    """Return the id of what may be no order; None where it has none that could be one."""
    found = data.get("id") if isinstance(data, Mapping) else None
    if isinstance(found, str) and found.strip() and len(found) <= ID_CHARS_MAX:
        return None if "\0" in found else found
    return None


def _wrong(data: Mapping[str, Any], order: Order) -> Iterator[tuple[str, str]]:
    """Yield what the types let pass; `data` has the very text that amounts were written as."""
    for name in MOMENTS:
        moment = getattr(order, name)
        if moment is not None and (reason := _wrong_moment(moment)):
            yield name, reason
    for name in AMOUNTS:
        amount = getattr(order, name)
        if amount is not None and (reason := _wrong_amount(data[name], amount)):
            yield name, reason
    if order.version is not None and not 0 <= order.version <= VERSION_MAX:
        yield "version", f"must be a whole number from 0 to {VERSION_MAX}"
    yield from _wrong_lines(data["lines"], order)
    if order.refunds:
        yield from _wrong_refunds(data["refunds"], order)


def _wrong_lines(lines: list[Mapping[str, Any]], order: Order) -> Iterator[tuple[str, str]]:
    for place, line in enumerate(order.lines):
        if reason := _wrong_amount(lines[place]["unit_price"], line.unit_price):
            yield f"lines[{place}].unit_price", reason
        if abs(line.quantity) > QUANTITY_MAX:
            yield f"lines[{place}].quantity", f"must be at most {QUANTITY_MAX}"


def _wrong_refunds(refunds: list[Mapping[str, Any]], order: Order) -> Iterator[tuple[str, str]]:
    for place, refund in enumerate(order.refunds):
        if reason := _wrong_moment(refund.at):
            yield f"refunds[{place}].at", reason
        if reason := _wrong_amount(refunds[place]["value"], refund.value):
            yield f"refunds[{place}].value", reason
        for at, line in enumerate(refund.lines):
            if abs(line.quantity) > QUANTITY_MAX:
                yield f"refunds[{place}].lines[{at}].quantity", f"must be at most {QUANTITY_MAX}"


def _wrong_moment(moment: datetime) -> str | None:
    if moment.tzinfo is None:
        return ZONE_IS_NEEDED
    return None if moment.year in _YEARS else "is not a time that every zone has"


def _wrong_amount(written: object, amount: Decimal) -> str | None:
    if isinstance(written, str) and not NUMBER_TEXT.fullmatch(written):
        return "is not a number"
    if not amount.is_finite() or (amount and amount.adjusted() >= AMOUNT_DIGITS_MAX):
        return "must be a number under 1,000,000,000,000"
    if cast(int, amount.as_tuple().exponent) < -DECIMALS_MAX:
        return f"has more than {DECIMALS_MAX} decimals"
    return None


def _with_whole_numbers(data: object) -> object:
    """The same data with 6.0 as 6 where whole numbers belong: to JSON they are one number."""
    if isinstance(data, list):
        return [_with_whole_numbers(each) for each in data]
    if not isinstance(data, Mapping):
        return data
    changed = {name: _whole(data[name]) for name in ("quantity", "version") if name in data}
    for name in ("lines", "refunds"):
        if name in data:
            changed[name] = _with_whole_numbers(data[name])
    return {**data, **changed}


def _whole(value: object) -> object:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, Decimal) and value.is_finite() and abs(value.adjusted()) < DECIMALS_MAX:
        return int(value) if value == int(value) else value
    return value
