"""An order as a shop sends it, whatever shop it came from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from ordertrail.domain import money
from ordertrail.domain.errors import Invalid


@dataclass(frozen=True, slots=True)
class Customer:
    """Who ordered, as far as the shop says; a field that the shop lacks stays None."""

    email: str | None = None
    shop_id: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    phone: str | None = None
    country: str | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One position of an order; without a `sku` it is money alone and no product."""

    sku: str | None
    quantity: int
    unit_price: Decimal
    name: str | None = None


@dataclass(frozen=True, slots=True)
class RefundLine:
    """Quantity of one SKU that came back; several lines of an order may share the SKU."""

    sku: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Refund:
    """Money and quantity given back, keyed by the shop's refund id."""

    id: str
    at: datetime
    value: Decimal
    lines: tuple[RefundLine, ...] = ()


@dataclass(frozen=True, slots=True)
class Order:
    """A snapshot of one order: everything the shop knows about it at one moment.

    All datetimes are aware. `delivery` and `fees` are parts of the order's value besides its
    lines; `discount` is taken off it. `attributes` are sent as they are.
    """

    id: str
    customer: Customer
    placed_at: datetime
    currency: str
    lines: tuple[Line, ...]
    refunds: tuple[Refund, ...] = ()
    fulfilled_at: datetime | None = None
    cancelled_at: datetime | None = None
    delivery: Decimal = Decimal(0)
    fees: Decimal = Decimal(0)
    discount: Decimal = Decimal(0)
    attributes: Mapping[str, object] = field(default_factory=dict)


def check(order: Order) -> Order:
    """Return the order, or raise Invalid naming every field that cannot be true."""
    wrong: dict[str, str] = {}
    if not order.id.strip():
        wrong["id"] = "must not be empty"
    if order.currency not in money.EXPONENTS:
        wrong["currency"] = money.NOT_A_CURRENCY
    moments = (order.placed_at, order.fulfilled_at, order.cancelled_at)
    if any(at is not None and at.tzinfo is None for at in moments):
        wrong["placed_at"] = "every time of an order needs a time zone"
    for place, line in enumerate(order.lines):
        if line.quantity <= 0:
            wrong[f"lines[{place}].quantity"] = "must be above zero"
        if line.unit_price < 0:
            wrong[f"lines[{place}].unit_price"] = "must not be below zero"
    for name in ("delivery", "fees", "discount"):
        if getattr(order, name) < 0:
            wrong[name] = "must not be below zero"
    wrong.update(_wrong_refunds(order))
    if wrong:
        raise Invalid(wrong)
    return order


def gross(order: Order) -> int:
    """Return the order's value before refunds, in minor units, each line rounded by itself."""
    parts = [line.unit_price * line.quantity for line in order.lines]
    parts += [order.delivery, order.fees, -order.discount]
    return sum(money.minor(part, order.currency) for part in parts)


def refunded(order: Order) -> int:
    """Return the money given back so far, in minor units."""
    return sum(money.minor(refund.value, order.currency) for refund in order.refunds)


def is_returned(order: Order) -> bool:
    """Tell whether every product of the order came back; an order of no products never does."""
    left = ordered_quantities(order)
    if not left:
        return False
    for refund in order.refunds:
        for line in refund.lines:
            left[line.sku] = left.get(line.sku, 0) - line.quantity
    return all(quantity <= 0 for quantity in left.values())


def ordered_quantities(order: Order) -> dict[str, int]:
    """Return the quantity ordered of each SKU, in the order of first occurrence."""
    quantities: dict[str, int] = {}
    for line in order.lines:
        if line.sku is not None:
            quantities[line.sku] = quantities.get(line.sku, 0) + line.quantity
    return quantities


def _wrong_refunds(order: Order) -> dict[str, str]:
    if len({refund.id for refund in order.refunds}) < len(order.refunds):
        return {"refunds": "two refunds share one id"}
    if any(refund.at.tzinfo is None for refund in order.refunds):
        return {"refunds": "every time of a refund needs a time zone"}
    if any(refund.value < 0 for refund in order.refunds):
        return {"refunds": "a refund's value must not be below zero"}
    if any(line.quantity <= 0 for refund in order.refunds for line in refund.lines):
        return {"refunds": "a refunded quantity must be above zero"}
    if order.currency in money.EXPONENTS and refunded(order) > gross(order):
        return {"refunds": "more money was given back than the order is worth"}
    return {}
