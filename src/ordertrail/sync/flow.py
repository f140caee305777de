"""What the destination should hold for one order, whatever happened before.

In the detailed flow of the guide the deal follows the order through its stages, products get
`order` and `purchase` events, and the conversion comes with fulfilment. In the simple flow the
order is said once, as it is when it reaches the sync point.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from ordertrail.domain import contact, identity, money
from ordertrail.domain import order as orders
from ordertrail.domain.absent import ABSENT
from ordertrail.domain.contact import LENGTHS_MAX, ContactChange
from ordertrail.domain.deal import NAME_LENGTH_MAX, DealChange, SentLine
from ordertrail.domain.errors import Invalid
from ordertrail.domain.event import NewEvent
from ordertrail.domain.identity import Strategy
from ordertrail.domain.order import Customer, Line, Order
from ordertrail.domain.product import NewProductEvent
from ordertrail.sync import attributes
from ordertrail.sync.rules import Flow, Milestone, Place

ID_LENGTH_MAX = 255


@dataclass(frozen=True, slots=True)
class WantedProductEvent:
    """One event that the product with this SKU should have; `refund_id` if it came back by one."""

    sku: str
    event: NewProductEvent
    refund_id: str | None = None


@dataclass(frozen=True, slots=True)
class Desired:
    """What one order should have caused; another flow gives another one of these.

    `as_of` is when the order was placed: of two orders, the later one knows the contact better.
    `account` names the shop account behind the contact's e-mail. What is said `once` stays as it
    was said first.
    """

    as_of: datetime
    contact: ContactChange
    deal: DealChange
    product_events: tuple[WantedProductEvent, ...] = ()
    conversion: NewEvent | None = None
    account: str | None = None
    once: bool = False

    @property
    def person(self) -> str:
        """The custom id of the contact."""
        return self.contact.custom_id or ""

    @property
    def order_id(self) -> str:
        """The shop's id of the order."""
        return self.deal.custom_id or ""

    def of(self, person: str) -> "Desired":
        """Return the same for another contact, who the person is known as by now."""
        if person == self.person:
            return self
        events = tuple(
            replace(each, event=replace(each.event, user_custom_id=person))
            for each in self.product_events
        )
        return replace(
            self,
            contact=replace(self.contact, custom_id=person, email=ABSENT),
            deal=replace(self.deal, user_custom_id=person),
            product_events=events,
        )


def desired(order: Order, flow: Flow) -> Desired | None:
    """Return what the destination should hold for the order, from its latest snapshot alone.

    In the simple flow that is None until the order reaches the sync point. Raises Invalid for an
    order that cannot be true, that names a consent, or whose status has no place.
    """
    _check_sayable(order)
    orders.check(order)
    place = _place(order, flow)
    if flow.is_simple:
        if not _is_due(order, place, flow):
            return None
        place = Place(getattr(flow.stages, flow.sync_point), flow.sync_point)
    person, brought_in = _contact(order, flow), revenue(order, flow)
    user = person.custom_id or ""
    return Desired(
        as_of=order.placed_at,
        contact=person,
        deal=_deal(order, user, place, flow, brought_in),
        product_events=tuple(_product_events(order, user, place, flow)),
        conversion=_conversion(order, place, flow, brought_in),
        account=None if flow.identity is Strategy.SHOP_ID else order.customer.shop_id,
        once=flow.is_simple,
    )


def revenue(order: Order, flow: Flow) -> int:
    """Return what the order brings in before refunds, in minor units, as the shop counts it."""
    left_out = [
        getattr(order, name)
        for name in ("delivery", "fees", "tax")
        if not getattr(flow.revenue, name) and getattr(order, name) is not None
    ]
    return orders.gross(order) - sum(money.minor(part, order.currency) for part in left_out)


def worth(order: Order, flow: Flow) -> int:
    """Return what is left of the order in minor units; a cancelled one keeps its value."""
    return _left(order, revenue(order, flow))


def _left(order: Order, brought_in: int) -> int:
    if not order.refunds:
        return brought_in
    return 0 if orders.is_returned(order) else max(brought_in - orders.refunded(order), 0)


def _place(order: Order, flow: Flow) -> Place:
    """Where the deal stands: by what came back, by the shop's status, or by the order's times."""
    if orders.is_returned(order):
        return Place(flow.stages.cancelled, Milestone.CANCELLED)
    if flow.statuses and order.status is not None:
        try:
            return flow.statuses[order.status]
        except KeyError:
            known = ", ".join(sorted(flow.statuses))
            raise Invalid(
                {"status": f"{order.status[:40]!r} has no stage; those that have: {known}"}
            ) from None
    if order.cancelled_at:
        return Place(flow.stages.cancelled, Milestone.CANCELLED)
    if order.fulfilled_at:
        return Place(flow.stages.fulfilled, Milestone.FULFILLED)
    return Place(flow.stages.placed)


def _is_due(order: Order, place: Place, flow: Flow) -> bool:
    """Whether the simple flow says the order now; one that brings in nothing is never said."""
    if place.milestone is Milestone.CANCELLED or not place.counts_as_revenue:
        return False
    is_fulfilled = order.fulfilled_at is not None or place.milestone is Milestone.FULFILLED
    return flow.sync_point is Milestone.PLACED or is_fulfilled


def _contact(order: Order, flow: Flow) -> ContactChange:
    customer = order.customer
    email, other = identity.emails(customer, prefers_account=flow.prefers_account)
    user = identity.named_by(email, customer.shop_id, flow.identity, order.id)
    change = ContactChange(user, email or ABSENT, _profile(customer), _other_email(other, flow))
    contact.check(change)
    return change


def _profile(customer: Customer) -> dict[str, str]:
    known = {
        "first_name": customer.first_name,
        "last_name": customer.last_name,
        "phone_number": customer.phone,
        "country": customer.country,
        "region": customer.region,
        "city": customer.city,
    }
    return {name: value[: LENGTHS_MAX[name]] for name, value in known.items() if value}


def _other_email(other: str | None, flow: Flow) -> dict[str, str]:
    """The e-mail that is not the contact's is kept beside it, under the name of what it is."""
    if other is None:
        return {}
    return {"billing_email" if flow.prefers_account else "account_email": other}


def _deal(order: Order, user: str, place: Place, flow: Flow, brought_in: int) -> DealChange:
    return DealChange(
        custom_id=order.id,
        user_custom_id=user,
        name=f"Order #{order.id}"[:NAME_LENGTH_MAX],
        stage=place.stage,
        status=place.deal_status,
        value=money.amount(_left(order, brought_in), order.currency),
        currency=order.currency,
        products_custom_id=tuple(orders.ordered_quantities(order)),
        lines=tuple(_sent_line(line, order.currency) for line in order.lines if line.sku),
        attributes=attributes.of_deal(order, brought_in, flow),
    )


def _sent_line(line: Line, currency: str) -> SentLine:
    return SentLine(
        line.quantity,
        money.micros(line.unit_price),
        product_custom_id=line.sku,
        currency=currency,
    )


def _product_events(
    order: Order, user: str, place: Place, flow: Flow
) -> Iterator[WantedProductEvent]:
    """One event of each type for each SKU; its first line describes the product."""
    if not place.counts_as_revenue:
        return
    described = _descriptions(order)
    quantities = orders.ordered_quantities(order)
    for event_type, at in _moments(order, place, flow):
        for sku, details in described.items():
            custom_data = _custom_data(order, sku, quantities[sku])
            yield WantedProductEvent(
                sku,
                NewProductEvent(
                    event_type, user_custom_id=user, at=at, custom_data=custom_data, details=details
                ),
            )
    for event_type in () if flow.is_simple else flow.returns:
        for refund in order.refunds:
            back: dict[str, int] = {}
            for line in refund.lines:
                back[line.sku] = back.get(line.sku, 0) + line.quantity
            for sku, quantity in back.items():
                custom_data = {**_custom_data(order, sku, quantity), "refund_id": refund.id}
                event = NewProductEvent(
                    event_type, user_custom_id=user, at=refund.at, custom_data=custom_data
                )
                yield WantedProductEvent(sku, event, refund.id)


def _custom_data(order: Order, sku: str, quantity: int) -> dict[str, Any]:
    """What stays with a product event, by which it is recognised again."""
    return {"order_id": order.id, "product_custom_id": sku, "quantity": quantity}


def _moments(order: Order, place: Place, flow: Flow) -> Iterator[tuple[str, datetime]]:
    """The product events of the order, each with its time."""
    if not flow.is_simple:
        yield flow.names.order, order.placed_at
    if (bought_at := _bought_at(order, place, flow)) is not None:
        yield flow.names.purchase, bought_at


def _bought_at(order: Order, place: Place, flow: Flow) -> datetime | None:
    """When the purchase was complete, which is what counts; None while it is not."""
    if flow.is_simple and flow.sync_point is Milestone.PLACED:
        return order.placed_at
    if order.fulfilled_at is not None:
        return order.fulfilled_at
    if place.milestone is Milestone.FULFILLED:
        return order.updated_at or order.placed_at
    return None


def _descriptions(order: Order) -> dict[str, dict[str, Any]]:
    details: dict[str, dict[str, Any]] = {}
    for line in order.lines:
        if line.sku is not None and line.sku not in details:
            price = money.unit_price(money.micros(line.unit_price))
            details[line.sku] = (
                {"name": line.name, "price": price} if line.name else {"price": price}
            )
    return details


def _conversion(order: Order, place: Place, flow: Flow, brought_in: int) -> NewEvent | None:
    """The purchase as it was made: its value is the gross and does not follow later refunds."""
    at = _bought_at(order, place, flow)
    if at is None or not place.counts_as_revenue:
        return None
    data = {
        "order_id": order.id,
        "value": money.amount(brought_in, order.currency),
        "currency": order.currency,
        "items_count": sum(orders.ordered_quantities(order).values()),
    }
    return NewEvent(flow.names.conversion, at, data)


def _check_sayable(order: Order) -> None:
    """Refuse ids that no path can hold, and numbers that are none, or not exact."""
    ids = {"id": order.id}
    amounts = {
        name: getattr(order, name) for name in orders.AMOUNTS if getattr(order, name) is not None
    }
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
    customer = order.customer
    wrong.update(
        (f"customer.{field}", "must not contain a NUL character")
        for field in ("email", "account_email", "shop_id")
        if "\0" in (getattr(customer, field) or "")
    )
    for field, value in amounts.items():
        if not isinstance(value, Decimal):
            wrong[field] = f"must be a Decimal, not a {type(value).__name__}"
        elif not value.is_finite():
            wrong[field] = "must be a number"
    for field, quantity in _quantities(order):
        if type(quantity) is not int:
            wrong[field] = f"must be a whole number, not a {type(quantity).__name__}"
    if wrong:
        raise Invalid(wrong)


def _quantities(order: Order) -> Iterator[tuple[str, int]]:
    for place, line in enumerate(order.lines):
        yield f"lines[{place}].quantity", line.quantity
    for place, refund in enumerate(order.refunds):
        for number, back in enumerate(refund.lines):
            yield f"refunds[{place}].lines[{number}].quantity", back.quantity
