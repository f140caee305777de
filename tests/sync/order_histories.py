"""Made-up orders, and histories of them, for properties."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from hypothesis import strategies as st
from made_orders import JOHN, PLACED_AT, REFUNDED_AT

from ordertrail.domain import order as orders
from ordertrail.domain.order import Customer, Line, Order, Refund, RefundLine

SKUS = ("A-1", "B/2", "ü:3", "order")
_AMOUNTS = st.decimals(0, 500, places=2)
_MOMENTS = st.integers(0, 10**7).map(lambda seconds: PLACED_AT + timedelta(seconds=seconds))
_ATTRIBUTES = st.dictionaries(
    st.sampled_from(["payment_method", "coupon", "gift"]),
    st.none() | st.booleans() | st.integers(-9, 9) | st.sampled_from(["card", "blik"]) | _AMOUNTS,
)
_LINES = st.builds(
    Line,
    st.sampled_from([*SKUS, None]),
    st.integers(1, 5),
    _AMOUNTS,
    st.sampled_from([None, "Lamp", "Läufer"]),
)


@st.composite
def made_orders(draw: st.DrawFn, order_id: str = "O:1") -> Order:
    """One true snapshot of an order: any lines, some of it given back, perhaps all of it."""
    lines = tuple(draw(st.lists(_LINES, max_size=4)))
    order = Order(
        order_id,
        draw(st.sampled_from([JOHN, Customer("ann@example.com"), Customer(None, None, "Guest")])),
        PLACED_AT,
        draw(st.sampled_from(["GBP", "JPY", "KWD"])),
        lines,
        fulfilled_at=draw(st.none() | _MOMENTS),
        cancelled_at=draw(st.none() | _MOMENTS),
        delivery=draw(_AMOUNTS),
        attributes=draw(_ATTRIBUTES),
    )
    return replace(order, refunds=draw(_refunds(order)))


def _refunds(order: Order) -> st.SearchStrategy[tuple[Refund, ...]]:
    """Refunds of whole SKUs for no money, a bit of it; never more than the order is worth."""
    quantities = orders.ordered_quantities(order)
    value = Decimal(1) if orders.gross(order) >= 10_000 else Decimal(0)

    def refund(sku: str) -> Refund:
        return Refund(f"R-{sku}", REFUNDED_AT, value, (RefundLine(sku, quantities[sku]),))

    chosen = st.sets(st.sampled_from(sorted(quantities))) if quantities else st.just(set[str]())
    return chosen.map(lambda skus: tuple(refund(sku) for sku in sorted(skus)))


def histories(order_id: str = "O:1", size_max: int = 6) -> st.SearchStrategy[list[Order]]:
    """Snapshots of one order as they arrive: in any order, some of them more than once."""
    distinct = st.lists(made_orders(order_id), min_size=1, max_size=3)
    pick: Callable[[list[Order]], st.SearchStrategy[list[Order]]] = lambda some: st.lists(  # noqa: E731
        st.sampled_from(some), min_size=1, max_size=size_max
    )
    return distinct.flatmap(pick)
