"""What happens to an order after it was placed, as changes of its latest snapshot.

A change leaves alone what the shop said of how new the snapshot is: the outbox keeps it as newer
than the one it began with, and older than whatever the shop says next. A change that was made
before changes nothing.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from ordertrail.domain import money
from ordertrail.domain import order as orders
from ordertrail.domain.errors import Invalid
from ordertrail.domain.order import Order, Refund, RefundLine
from ordertrail.kit import clock

REFUND_DIGITS = 16


def placed(order: Order, kept: Order | None) -> Order:
    """Return the order as it was placed, with what is known to have happened to it since.

    That is added where the shop gives neither a version nor a time of its snapshots: then nothing
    else tells a repeated call from a change.
    """
    if kept is None or order.version is not None or order.updated_at is not None:
        return order
    return replace(
        order,
        fulfilled_at=order.fulfilled_at or kept.fulfilled_at,
        cancelled_at=order.cancelled_at or kept.cancelled_at,
        refunds=order.refunds or kept.refunds,
    )


def fulfilled(order: Order, at: datetime | None, status: str | None, now: datetime) -> Order:
    """Return the order as fulfilled, at its own time if it was so before and none is given.

    `status` is the shop's word for that; the word that it had for the order before is true no more.
    """
    moment = at or order.fulfilled_at or now
    return _changed(order, replace(order, fulfilled_at=moment, status=status))


def cancelled(order: Order, at: datetime | None, status: str | None, now: datetime) -> Order:
    """Return the order as cancelled, at its own time if it was so before and none is given."""
    moment = at or order.cancelled_at or now
    return _changed(order, replace(order, cancelled_at=moment, status=status))


def returned(
    order: Order,
    lines: Mapping[str, int] | None,
    value: Decimal | None,
    refund_id: str | None,
    at: datetime,
) -> Order:
    """Return the order with one refund more, unless it has that one already.

    Without `lines` everything that is left came back; with none at all it is money alone. Without
    a `value` it is the price of the lines, or all that is left if that is less. Raises Invalid
    when more would come back than is left, or when the refund's id is that of another one.
    """
    name = refund_id or _name(order, lines, value, at)
    for kept in order.refunds:
        if kept.id == name:
            _check_same(kept, lines, value)
            return order
    left = _left(order)
    back = left if lines is None else dict(lines)
    _check_lines(back, left)
    money_back = _value(order, lines, back, value)
    if not back and not money_back:
        return order
    refund = Refund(
        name,
        at,
        money_back,
        tuple(RefundLine(sku, quantity) for sku, quantity in back.items()),
    )
    return replace(order, refunds=(*order.refunds, refund))


def _changed(before: Order, after: Order) -> Order:
    return before if after == before else after


def _left(order: Order) -> dict[str, int]:
    """How many of each SKU have not come back."""
    left = orders.quantities_left(order)
    return {sku: quantity for sku, quantity in left.items() if quantity > 0}


def _check_lines(back: Mapping[str, int], left: Mapping[str, int]) -> None:
    wrong = {}
    for sku, quantity in back.items():
        if quantity <= 0:
            wrong[f"lines[{sku}]"] = "must be above zero"
        elif quantity > left.get(sku, 0):
            wrong[f"lines[{sku}]"] = f"only {left.get(sku, 0)} of the order can still come back"
    if wrong:
        raise Invalid(wrong)


def _value(
    order: Order, lines: Mapping[str, int] | None, back: Mapping[str, int], value: Decimal | None
) -> Decimal:
    """The money of a refund, which is never more than is left."""
    left = orders.gross(order) - orders.refunded(order)
    if value is not None:
        if not 0 <= money.minor(value, order.currency) <= left:
            shown = money.Money(left, order.currency)
            raise Invalid({"value": f"must be from zero to what is left of the order, {shown}"})
        return value
    if lines is None:
        return money.amount(left, order.currency)
    if not lines:
        raise Invalid({"value": "say how much money went back, or which lines came back"})
    return money.amount(min(_price(order, back), left), order.currency)


def _price(order: Order, back: Mapping[str, int]) -> int:
    """What these quantities cost, in minor units, the first lines of the order first.

    What came back before was of earlier lines.
    """
    before: dict[str, int] = {}
    for refund in order.refunds:
        for each in refund.lines:
            before[each.sku] = before.get(each.sku, 0) + each.quantity
    wanted, price = dict(back), Decimal(0)
    for line in order.lines:
        if line.sku is None:
            continue
        gone = min(before.get(line.sku, 0), line.quantity)
        before[line.sku] = before.get(line.sku, 0) - gone
        taken = min(line.quantity - gone, wanted.get(line.sku, 0))
        wanted[line.sku] = wanted.get(line.sku, 0) - taken
        price += line.unit_price * taken
    return money.minor(price, order.currency)


def _name(
    order: Order, lines: Mapping[str, int] | None, value: Decimal | None, at: datetime
) -> str:
    """The id of a refund that the shop gives none: the same for the same call."""
    told = None if lines is None else sorted(lines.items())
    parts = (order.id, told, None if value is None else str(value.normalize()), clock.to_micros(at))
    return "refund-" + hashlib.sha256(repr(parts).encode()).hexdigest()[:REFUND_DIGITS]


def _check_same(kept: Refund, lines: Mapping[str, int] | None, value: Decimal | None) -> None:
    told = {line.sku: line.quantity for line in kept.lines}
    if (lines is not None and dict(lines) != told) or (value is not None and value != kept.value):
        raise Invalid(
            {
                "refund_id": f"{kept.id} is kept with another content; to correct a refund, track"
                " the whole order"
            }
        )
