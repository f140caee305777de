"""Truths: what an outbox, or a file of orders, says that a destination should hold."""

import random
from collections.abc import Callable, Iterable, Iterator
from itertools import islice

from ordertrail.domain.order import Order
from ordertrail.sync.outbox import KeptOrder, Outbox, Route
from ordertrail.sync.rules import Flow
from ordertrail.sync.shops.readings import Rejected
from ordertrail.sync.verify import Truth

PAGE = 200
ORDERS_AT_ONCE = 200


def of_outbox(outbox: Outbox, route: Route) -> Iterator[Truth]:
    """Yield the latest snapshot of each order from a shop, a page at a time."""
    for page in _pages(outbox, route):
        for kept in page:
            yield Truth(kept.order, kept.planned)


def of_file(apart: Outbox, outbox: Outbox | None, route: Route) -> Iterator[Truth]:
    """Yield the orders of a file that an outbox of its own has accepted.

    Of an order that the other outbox knows by a newer snapshot, that one is the truth.
    """
    for page in _pages(apart, route):
        ids = [kept.order.id for kept in page]
        known = {} if outbox is None else {e.order.id: e for e in outbox.snapshots(route, ids)}
        for kept in page:
            before = known.get(kept.order.id)
            if before is None:
                yield Truth(kept.order, kept.planned)
            else:
                ranks = before.rank, kept.rank
                is_newer = ranks[0] is not None and ranks[1] is not None and ranks[0] > ranks[1]
                yield Truth(before.order if is_newer else kept.order, before.planned)


def read_apart(
    apart: Outbox, route: Route, flow: Flow, orders: Iterable[Order | Rejected]
) -> tuple[list[Rejected], list[tuple[str, str]]]:
    """Accept a file's orders into an outbox of its own, as a sync would.

    Return what was no order, and the orders that cannot be true, each with the reason.
    """
    rejected: list[Rejected] = []
    refused: list[tuple[str, str]] = []
    given = iter(orders)
    while some := list(islice(given, ORDERS_AT_ONCE)):
        rejected += [each for each in some if isinstance(each, Rejected)]
        good = [each for each in some if isinstance(each, Order)]
        refused += apart.accept(route, flow, good).refused
    return rejected, refused


def sampled(
    truths: Iterator[Truth], count: int, below: Callable[[int], int] = random.randrange
) -> list[Truth]:
    """Return so many of the truths, each as likely as the others."""
    kept = list(islice(truths, count))
    for number, truth in enumerate(truths, count + 1):
        if (place := below(number)) < count:
            kept[place] = truth
    return kept


def _pages(outbox: Outbox, route: Route) -> Iterator[list[KeptOrder]]:
    after = 0
    while page := outbox.orders(route.destination, after, PAGE):
        yield [kept for kept in page if kept.source == route.source]
        after = page[-1].id
