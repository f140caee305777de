"""An order as a shop sends it, whatever shop it came from."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from ordertrail.domain import money
from ordertrail.domain.errors import Invalid

YEARS = 1900, 2200
VERSION_MAX = 2**62 - 1
MOMENTS = ("placed_at", "fulfilled_at", "cancelled_at", "updated_at")
AMOUNTS = ("delivery", "fees", "discount", "tax", "total")
"""The fields of an order that are times, and those that are amounts of money."""

ZONE_IS_NEEDED = "every time of an order needs a time zone"


@dataclass(frozen=True, slots=True)
class Customer:
    """Who ordered, as far as the shop says; a field that the shop lacks stays None.

    `email` is the one given with the order (billing), `account_email` that of the shop account
    the customer was signed in to, `shop_id` the id of that account.
    """

    email: str | None = None
    shop_id: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    phone: str | None = None
    country: str | None = None
    account_email: str | None = None
    region: str | None = None
    city: str | None = None


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
    """Money and quantity given back, keyed by the shop's refund id.

    A refund without lines is money alone, which no product came back for.
    """

    id: str
    at: datetime
    value: Decimal
    lines: tuple[RefundLine, ...] = ()


@dataclass(frozen=True, slots=True)
class Order:
    """A snapshot of one order: everything the shop knows about it at one moment.

    All datetimes are aware. What the shop does not say stays None, which is not zero: `delivery`,
    `fees` and `tax` (what is not in the prices already) are parts of the order's value besides
    its lines, `discount` is taken off it, and `total` is what the shop itself says they come to.
    `status` is the shop's own word for the order's state. Of two snapshots the one of the higher
    `version` is newer, or where there is none, the one updated later. `attributes` are sent as
    they are.
    """

    id: str
    customer: Customer
    placed_at: datetime
    currency: str
    lines: tuple[Line, ...]
    refunds: tuple[Refund, ...] = ()
    fulfilled_at: datetime | None = None
    cancelled_at: datetime | None = None
    delivery: Decimal | None = None
    fees: Decimal | None = None
    discount: Decimal | None = None
    attributes: Mapping[str, object] = field(default_factory=dict)
    tax: Decimal | None = None
    total: Decimal | None = None
    status: str | None = None
    updated_at: datetime | None = None
    version: int | None = None


def check(order: Order) -> Order:
    """Return the order, or raise Invalid naming every field that cannot be true."""
    wrong: dict[str, str] = {}
    if not order.id.strip():
        wrong["id"] = "must not be empty"
    if order.currency not in money.EXPONENTS:
        wrong["currency"] = money.NOT_A_CURRENCY
    for name in MOMENTS:
        at = getattr(order, name)
        if at is not None and at.tzinfo is None:
            wrong[name] = ZONE_IS_NEEDED
        elif at is not None and not YEARS[0] <= at.year <= YEARS[1]:
            wrong[name] = f"must be of the years {YEARS[0]} to {YEARS[1]}"
    if order.version is not None and not 0 <= order.version <= VERSION_MAX:
        wrong["version"] = f"must be from 0 to {VERSION_MAX}"
    for place, line in enumerate(order.lines):
        if line.quantity <= 0:
            wrong[f"lines[{place}].quantity"] = "must be above zero"
        if line.unit_price < 0:
            wrong[f"lines[{place}].unit_price"] = "must not be below zero"
    for name in AMOUNTS:
        if (getattr(order, name) or 0) < 0:
            wrong[name] = "must not be below zero"
    if not wrong:
        wrong.update(_wrong_sums(order))
    if wrong:
        raise Invalid(wrong)
    return order


def gross(order: Order) -> int:
    """Return the order's value before refunds, in minor units: as the shop says, else added up."""
    return added_up(order) if order.total is None else money.minor(order.total, order.currency)


def added_up(order: Order) -> int:
    """Return what the order's parts come to, in minor units, each part rounded by itself."""
    return sum(money.minor(part, order.currency) for part in _parts(order))


def rounding(order: Order) -> int:
    """Return by how much the shop's own total differs from its parts, in minor units."""
    return 0 if order.total is None else gross(order) - added_up(order)


def refunded(order: Order) -> int:
    """Return the money given back so far, in minor units."""
    return sum(money.minor(refund.value, order.currency) for refund in order.refunds)


def is_returned(order: Order) -> bool:
    """Tell whether the whole order came back: every product of it, or all of its money.

    The money tells where no refund says which products it was for, and where there are products
    without a SKU, of which no refund can say that they came back.
    """
    left = quantities_left(order)
    is_all_named = all(line.sku is not None or not line.unit_price for line in order.lines)
    is_named_back = bool(left) and all(quantity <= 0 for quantity in left.values())
    if is_all_named and is_named_back:
        return True
    if is_all_named and any(refund.lines for refund in order.refunds):
        return False
    return bool(order.refunds) and refunded(order) == gross(order) > 0


def returned_at(order: Order) -> datetime | None:
    """Return when the last of a returned order came back; None for another one."""
    return max(refund.at for refund in order.refunds) if is_returned(order) else None


def ordered_quantities(order: Order) -> dict[str, int]:
    """Return the quantity ordered of each SKU, in the order of first occurrence."""
    quantities: dict[str, int] = {}
    for line in order.lines:
        if line.sku is not None:
            quantities[line.sku] = quantities.get(line.sku, 0) + line.quantity
    return quantities


def quantities_left(order: Order) -> dict[str, int]:
    """Return the quantity of each SKU that has not come back; below zero where too much has."""
    left = ordered_quantities(order)
    for refund in order.refunds:
        for line in refund.lines:
            left[line.sku] = left.get(line.sku, 0) - line.quantity
    return left


def _parts(order: Order) -> Iterator[Decimal]:
    for line in order.lines:
        yield line.unit_price * line.quantity
    for part in (order.delivery, order.fees, order.tax):
        if part is not None:
            yield part
    if order.discount is not None:
        yield -order.discount


def _wrong_sums(order: Order) -> dict[str, str]:
    """What is wrong with an order whose single fields may be true.

    A shop rounds each part by itself, or the sum: its total may differ by a minor unit for each.
    """
    sum_of_parts = added_up(order)
    if order.total is not None:
        off = money.minor(order.total, order.currency) - sum_of_parts
        if abs(off) > len(list(_parts(order))):
            by, side = money.Money(abs(off), order.currency), "more" if off > 0 else "less"
            return {"total": f"is {by} {side} than the order's parts come to"}
    if sum_of_parts < 0:
        return {"discount": "takes off more than the order is worth"}
    return _wrong_refunds(order) if order.refunds else {}


def _wrong_refunds(order: Order) -> dict[str, str]:
    if len({refund.id for refund in order.refunds}) < len(order.refunds):
        return {"refunds": "two refunds share one id"}
    if any(refund.at.tzinfo is None for refund in order.refunds):
        return {"refunds": "every time of a refund needs a time zone"}
    if any(refund.value < 0 for refund in order.refunds):
        return {"refunds": "a refund's value must not be below zero"}
    if any(line.quantity <= 0 for refund in order.refunds for line in refund.lines):
        return {"refunds": "a refunded quantity must be above zero"}
    if refunded(order) > gross(order):
        return {"refunds": "more money was given back than the order is worth"}
    return {}
