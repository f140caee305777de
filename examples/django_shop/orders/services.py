"""What happens in the shop. Each function saves its change and the sync of it, or neither."""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from django.db import connection, transaction
from django.utils import timezone

from orders.models import Order, OrderLine
from orders.tracking import snapshot
from ordertrail import Tracker


@transaction.atomic
def place(
    tracker: Tracker, email: str, name: str, lines: Iterable[Mapping[str, str | int]]
) -> Order:
    """Place an order."""
    order = Order.objects.create(email=email, name=name)
    for line in lines:
        OrderLine.objects.create(
            order=order,
            sku=line["sku"],
            title=line["title"],
            quantity=line["quantity"],
            unit_price=Decimal(line["unit_price"]),
        )
    tracker.placed(snapshot(order), connection=connection)
    return order


@transaction.atomic
def ship(tracker: Tracker, order: Order) -> None:
    """Send an order to its customer."""
    order.shipped_at = timezone.now()
    order.save()
    tracker.fulfilled(order.number, at=order.shipped_at, connection=connection)


@transaction.atomic
def take_back(tracker: Tracker, order: Order, lines: Mapping[str, int], refund_id: str) -> None:
    """Take goods back and their money out of the sales."""
    tracker.returned(order.number, lines=lines, refund_id=refund_id, connection=connection)
