"""How the shop's orders reach Ordertrail: one tracker, and one translation."""

import sqlite3
from functools import cache

from django.conf import settings

import ordertrail
from orders.models import Order


@cache
def tracker() -> ordertrail.Tracker:
    """Return the tracker of this process, which keeps its outbox in the shop's database."""
    return ordertrail.Tracker(
        url=settings.ORDERTRAIL_URL, token=settings.ORDERTRAIL_TOKEN, outbox=connect
    )


def connect() -> sqlite3.Connection:
    """Return a connection of its own to the shop's database, for delivery in the background."""
    name = settings.DATABASES["default"]["NAME"]
    return sqlite3.connect(name, timeout=10, check_same_thread=False)


def snapshot(order: Order) -> ordertrail.Order:
    """Return what Ordertrail is told of an order."""
    return ordertrail.Order(
        id=order.number,
        customer=ordertrail.Customer(order.email, first_name=order.name),
        placed_at=order.placed_at,
        currency=order.currency,
        lines=tuple(
            ordertrail.Line(line.sku, line.quantity, line.unit_price, line.title)
            for line in order.lines.all()
        ),
        fulfilled_at=order.shipped_at,
    )
