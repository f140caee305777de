"""Attributes of the deal: what the flow tells of an order besides the guide's own fields."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from ordertrail.domain import money
from ordertrail.domain import order as orders
from ordertrail.domain.attribute import standard_name
from ordertrail.domain.errors import Invalid
from ordertrail.domain.order import Order, Refund
from ordertrail.sync.rules import SET_BY_THE_FLOW, TOLD_BY_THE_FLOW, Flow

_PLAIN = (str, int, float, list, dict, type(None))


def of_deal(order: Order, revenue: int, flow: Flow) -> dict[str, Any]:
    """Return the deal's attributes under the names that they are sent by.

    What the order does not say is not there; what it says is not so (any more) is None. Raises
    Invalid for an attribute of the shop that is a consent or passes for a field of the deal.
    """
    told = {**_checked(order.attributes, flow), **_told(order, revenue)}
    names = flow.names.attributes
    if not names:
        return told
    sent = ((names.get(name, name), value) for name, value in told.items())
    return {name: value for name, value in sent if name is not None}


def iso(at: datetime) -> str:
    """Return a time as an attribute holds it: UTC, with microseconds and Z."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _told(order: Order, revenue: int) -> dict[str, Any]:
    cancelled_at = order.cancelled_at or orders.returned_at(order)
    off = orders.rounding(order)
    amounts = {
        "delivery_cost": order.delivery,
        "fees": order.fees,
        "tax_amount": order.tax,
        "discount_amount": order.discount,
    }
    return {
        "order_placed_at": iso(order.placed_at),
        "order_fulfilled_at": order.fulfilled_at and iso(order.fulfilled_at),
        "order_cancelled_at": cancelled_at and iso(cancelled_at),
        **({} if order.status is None else {"order_status": order.status}),
        "gross_value": money.amount(revenue, order.currency),
        **{
            name: _rounded(value, order.currency)
            for name, value in amounts.items()
            if value is not None
        },
        "rounding_adjustment": money.amount(off, order.currency) if off else None,
        "refunds": [_refund(each, order.currency) for each in order.refunds] or None,
    }


def _refund(refund: Refund, currency: str) -> dict[str, Any]:
    told = {"id": refund.id, "at": iso(refund.at), "value": _rounded(refund.value, currency)}
    lines = [{"product_custom_id": each.sku, "quantity": each.quantity} for each in refund.lines]
    return {**told, "lines": lines} if lines else told


def _checked(sent: Mapping[str, object], flow: Flow) -> Mapping[str, object]:
    wrong: dict[str, str] = {}
    consents = flow.consents
    for name, value in sent.items():
        sent_as = flow.names.attributes.get(name, name) or name
        folded = {standard_name(name), standard_name(sent_as)}
        if folded & consents:
            wrong[name] = "a consent is never sent with an order; it has a flow of its own"
        elif folded & (SET_BY_THE_FLOW | TOLD_BY_THE_FLOW):
            wrong[name] = "is a field of the deal itself; name the attribute otherwise"
        elif not isinstance(value, _PLAIN) and not _is_number(value):
            wrong[name] = "must be text, a number, true, false, null, a list or an object"
    if wrong:
        raise Invalid(wrong)
    return sent


def _rounded(value: Decimal, currency: str) -> Decimal:
    return money.amount(money.minor(value, currency), currency)


def _is_number(value: object) -> bool:
    return isinstance(value, Decimal) and value.is_finite()
