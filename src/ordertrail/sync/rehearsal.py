"""A rehearsal: what accepting some orders would change, found out and then undone."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import islice

from ordertrail.domain import money
from ordertrail.domain.journal import Origin
from ordertrail.domain.order import Order
from ordertrail.kit import json
from ordertrail.sync import (
    outbox_accept,
    outbox_desk,
    outbox_destinations,
    outbox_operations,
    outbox_orders,
)
from ordertrail.sync.flow import worth
from ordertrail.sync.operations import Kind, State
from ordertrail.sync.outbox import Outbox
from ordertrail.sync.outbox_accept import Accepted
from ordertrail.sync.outbox_desk import Filter, Listed
from ordertrail.sync.outbox_orders import Route, Shelf
from ordertrail.sync.outbox_sql import Writing
from ordertrail.sync.rules import Flow
from ordertrail.sync.shops import canonical
from ordertrail.sync.shops.readings import Rejected

EXAMPLES = 2
ORDERS_AT_ONCE = 200


@dataclass(slots=True)
class Rehearsal:
    """What would change: orders by what becomes of them, operations by kind, with examples.

    `orders == unchanged + changed + older + refused + rejected`, as a sync counts them.
    `worth` is what the orders are worth by currency, in major units, before (what the outbox
    knows of them) and after.
    """

    orders: int = 0
    unchanged: int = 0
    changed: int = 0
    older: int = 0
    refused: list[tuple[str, str]] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    operations: Counter[Kind] = field(default_factory=Counter)
    examples: dict[Kind, list[Listed]] = field(default_factory=dict)
    worth_before: Counter[str] = field(default_factory=Counter)
    worth_after: Counter[str] = field(default_factory=Counter)

    def take(self, accepted: Accepted) -> None:
        """Add what came of some orders."""
        self.orders += accepted.orders
        self.unchanged += accepted.unchanged
        self.changed += accepted.changed
        self.older += accepted.older
        self.refused += accepted.refused
        self.operations += accepted.operations

    def reject(self, rejected: list[Rejected]) -> None:
        """Add what was no order."""
        self.orders += len(rejected)
        self.rejected += rejected

    def amounts(self, worth: Counter[str]) -> dict[str, Decimal]:
        """Return sums in minor units as amounts by currency."""
        return {code: money.amount(minor, code) for code, minor in sorted(worth.items())}


def rehearse(
    outbox: Outbox, route: Route, flow: Flow, orders: Iterable[Order | Rejected]
) -> Rehearsal:
    """Return what accepting the orders would change; the outbox is as it was afterwards."""
    return outbox.rehearse(lambda sql: _rehearsed(sql, route, flow, orders))


def _rehearsed(
    sql: Writing, route: Route, flow: Flow, orders: Iterable[Order | Rejected]
) -> Rehearsal:
    found = Rehearsal()
    to = outbox_destinations.ensure(sql, route.destination)
    shelf = Shelf(to, route.source, 0)
    before = outbox_operations.last_number(sql)
    given = iter(orders)
    seen: set[str] = set()
    while read := list(islice(given, ORDERS_AT_ONCE)):
        found.reject([each for each in read if isinstance(each, Rejected)])
        some = [each for each in read if isinstance(each, Order)]
        ids = {order.id for order in some}
        found.worth_before.update(_worth(sql, shelf, ids - seen, flow))
        found.worth_after.subtract(_worth(sql, shelf, ids & seen, flow))
        found.take(outbox_accept.accept(sql, shelf, flow, some, Origin.LIVE))
        found.worth_after.update(_worth(sql, shelf, ids, flow))
        seen |= ids
    for kind in Kind:
        which = Filter((State.WAITING,), (kind,), limit=EXAMPLES, after_id=before)
        found.examples[kind] = outbox_desk.listed(sql, to, which)
    return found


def _worth(sql: Writing, shelf: Shelf, order_ids: set[str], flow: Flow) -> Counter[str]:
    """Return what orders are worth by currency, as they are kept."""
    sums: Counter[str] = Counter()
    for order_id in order_ids:
        body = outbox_orders.body(sql, shelf.to, shelf.source, order_id)
        if body is not None:
            order = canonical.decode(json.loads(body))
            sums[order.currency] += worth(order, flow)
    return sums
