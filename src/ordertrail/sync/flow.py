"""What the destination should hold for one order, whatever happened before.

This is the detailed flow of the guide: the deal follows the order through its stages, products
get `order` and `purchase` events, and the conversion comes with fulfilment.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from ordertrail.domain import attribute, contact, money
from ordertrail.domain import order as orders
from ordertrail.domain.absent import ABSENT
from ordertrail.domain.contact import LENGTHS_MAX, ContactChange
from ordertrail.domain.deal import NAME_LENGTH_MAX, DealChange, SentLine, Status
from ordertrail.domain.errors import Invalid
from ordertrail.domain.event import PURCHASE_COMPLETED, NewEvent
from ordertrail.domain.identity import Strategy, custom_id
from ordertrail.domain.order import Line, Order
from ordertrail.domain.product import NewProductEvent

CONSENTS = frozenset({"email_consent", "sms_consent"})
"""Consents have a flow of their own with double opt-in; an order never carries one."""

ID_LENGTH_MAX = 255

_SET_BY_THE_FLOW = frozenset(
    "custom_id user_id user_custom_id name pipeline stage status value currency won_at lost_at"
    " products products_custom_id order_products order_placed_at order_fulfilled_at"
    " order_cancelled_at gross_value refunds delivery_cost fees discount_amount".split()
)
_PLAIN = (str, int, float, list, dict, type(None))


@dataclass(frozen=True, slots=True)
class Stages:
    """The ids of the destination's stages; those of a fresh workspace unless told otherwise."""

    placed: int = 1
    fulfilled: int = 2
    cancelled: int = 3


@dataclass(frozen=True, slots=True)
class Flow:
    """The settings of the detailed flow."""

    stages: Stages = Stages()
    identity: Strategy = Strategy.EMAIL_SHA256


@dataclass(frozen=True, slots=True)
class WantedProductEvent:
    """One event that the product with this SKU should have."""

    sku: str
    event: NewProductEvent


@dataclass(frozen=True, slots=True)
class Desired:
    """What one order should have caused; another flow gives another one of these.

    `as_of` is when the order was placed: of two orders, the later one knows the contact better.
    """

    as_of: datetime
    contact: ContactChange
    deal: DealChange
    product_events: tuple[WantedProductEvent, ...] = ()
    conversion: NewEvent | None = None


def desired(order: Order, flow: Flow) -> Desired:
    """Return what the destination should hold for the order, from its latest snapshot alone.

    Raises Invalid for an order that cannot be true, or that names a consent.
    """
    _check_sayable(order)
    orders.check(order)
    person = _contact(order, flow)
    user = person.custom_id or ""
    return Desired(
        as_of=order.placed_at,
        contact=person,
        deal=_deal(order, user, flow),
        product_events=tuple(_product_events(order, user)),
        conversion=_conversion(order),
    )


def iso(at: datetime) -> str:
    """Return a time as deal attributes hold it: UTC, with microseconds and Z."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _contact(order: Order, flow: Flow) -> ContactChange:
    customer = order.customer
    known = {
        "first_name": customer.first_name,
        "last_name": customer.last_name,
        "phone_number": customer.phone,
        "country": customer.country,
    }
    user = custom_id(customer, flow.identity, order.id)
    profile = {name: value[: LENGTHS_MAX[name]] for name, value in known.items() if value}
    email = (customer.email or "").strip()
    change = ContactChange(user, email or ABSENT, profile=profile)
    contact.check(change)
    return change


def _deal(order: Order, user: str, flow: Flow) -> DealChange:
    stage, status = _place(order, flow.stages)
    return DealChange(
        custom_id=order.id,
        user_custom_id=user,
        name=f"Order #{order.id}"[:NAME_LENGTH_MAX],
        stage=stage,
        status=status,
        value=money.amount(_value(order), order.currency),
        currency=order.currency,
        products_custom_id=tuple(orders.ordered_quantities(order)),
        lines=tuple(_sent_line(line, order.currency) for line in order.lines if line.sku),
        attributes={**_attributes_of_the_shop(order), **_attributes(order)},
    )


def _place(order: Order, stages: Stages) -> tuple[int, Status]:
    if order.cancelled_at or orders.is_returned(order):
        return stages.cancelled, Status.LOST
    if order.fulfilled_at:
        return stages.fulfilled, Status.WON
    return stages.placed, Status.IN_PROGRESS


def _value(order: Order) -> int:
    """What is left of the order in minor units; one that was only cancelled keeps its value."""
    if orders.is_returned(order):
        return 0
    return orders.gross(order) - orders.refunded(order)


def _sent_line(line: Line, currency: str) -> SentLine:
    return SentLine(
        line.quantity,
        money.micros(line.unit_price),
        product_custom_id=line.sku,
        currency=currency,
    )


def _attributes(order: Order) -> dict[str, Any]:
    """What the deal tells besides the guide's fields; what the order lacks is not there."""
    cancelled_at = order.cancelled_at
    if cancelled_at is None and orders.is_returned(order):
        cancelled_at = max(refund.at for refund in order.refunds)
    moments = {
        "order_placed_at": order.placed_at,
        "order_fulfilled_at": order.fulfilled_at,
        "order_cancelled_at": cancelled_at,
    }
    amounts = {
        "delivery_cost": order.delivery,
        "fees": order.fees,
        "discount_amount": order.discount,
    }
    refunds = [
        {"id": refund.id, "at": iso(refund.at), "value": _rounded(refund.value, order.currency)}
        for refund in order.refunds
    ]
    return {
        **{name: iso(at) for name, at in moments.items() if at is not None},
        "gross_value": money.amount(orders.gross(order), order.currency),
        **{name: _rounded(value, order.currency) for name, value in amounts.items() if value},
        **({"refunds": refunds} if refunds else {}),
    }


def _attributes_of_the_shop(order: Order) -> Mapping[str, object]:
    wrong: dict[str, str] = {}
    for name, value in order.attributes.items():
        if (folded := attribute.standard_name(name)) in CONSENTS:
            wrong[name] = "a consent is never sent with an order; it has a flow of its own"
        elif folded in _SET_BY_THE_FLOW:
            wrong[name] = "is a field of the deal itself; name the attribute otherwise"
        elif not isinstance(value, _PLAIN) and not _is_number(value):
            wrong[name] = "must be text, a number, true, false, null, a list or an object"
    if wrong:
        raise Invalid(wrong)
    return order.attributes


def _product_events(order: Order, user: str) -> list[WantedProductEvent]:
    """One event of each type for each SKU; its first line describes the product."""
    details: dict[str, dict[str, Any]] = {}
    for line in order.lines:
        if line.sku is not None and line.sku not in details:
            details[line.sku] = _details(line)
    moments = [("order", order.placed_at)]
    if order.fulfilled_at:
        moments.append(("purchase", order.fulfilled_at))
    custom_data = {"order_id": order.id}
    return [
        WantedProductEvent(
            sku,
            NewProductEvent(
                event_type, user_custom_id=user, at=at, custom_data=custom_data, details=described
            ),
        )
        for event_type, at in moments
        for sku, described in details.items()
    ]


def _details(line: Line) -> dict[str, Any]:
    price = money.unit_price(money.micros(line.unit_price))
    return {"name": line.name, "price": price} if line.name else {"price": price}


def _conversion(order: Order) -> NewEvent | None:
    """The purchase as it was made: its value is the gross and does not follow later refunds."""
    if order.fulfilled_at is None:
        return None
    data = {
        "order_id": order.id,
        "value": money.amount(orders.gross(order), order.currency),
        "currency": order.currency,
        "items_count": sum(orders.ordered_quantities(order).values()),
    }
    return NewEvent(PURCHASE_COMPLETED, order.fulfilled_at, data)


def _check_sayable(order: Order) -> None:
    """Refuse ids that no path can hold, and amounts that are no numbers."""
    ids = {"id": order.id}
    amounts = {"delivery": order.delivery, "fees": order.fees, "discount": order.discount}
    for place, line in enumerate(order.lines):
        amounts[f"lines[{place}].unit_price"] = line.unit_price
        if line.sku is not None:
            ids[f"lines[{place}].sku"] = line.sku
    for place, refund in enumerate(order.refunds):
        amounts[f"refunds[{place}].value"] = refund.value
    wrong = {
        field: f"must be text of 1 to {ID_LENGTH_MAX} characters without NUL"
        for field, value in ids.items()
        if not value.strip() or len(value) > ID_LENGTH_MAX or "\0" in value
    }
    wrong.update(
        (field, "must be a number") for field, value in amounts.items() if not value.is_finite()
    )
    if wrong:
        raise Invalid(wrong)


def _rounded(value: Decimal, currency: str) -> Decimal:
    return money.amount(money.minor(value, currency), currency)


def _is_number(value: object) -> bool:
    return isinstance(value, Decimal) and value.is_finite()
