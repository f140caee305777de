"""An order: what cannot be true is refused, and the sums are those of its parts."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ordertrail.domain import order as orders
from ordertrail.domain.errors import Invalid
from ordertrail.domain.order import Customer, Line, Order, Refund, RefundLine

AT = datetime(2026, 1, 1, tzinfo=UTC)
NAIVE = datetime(2026, 1, 1)  # noqa: DTZ001 (what is to be refused)
LINES = (Line("P", 2, Decimal("10.005")), Line("P", 1, Decimal(3)), Line(None, 1, Decimal(4)))
ORDER = Order("O1", Customer(), AT, "USD", LINES, delivery=Decimal("9.99"), discount=Decimal(5))
PRICES = st.decimals(0, 10_000, places=4)
LISTS = st.lists(
    st.builds(Line, st.sampled_from(["P", "Q"]), st.integers(1, 9), PRICES), max_size=5
)


def refund(number: str, value: str = "0", **lines: int) -> Refund:
    return Refund(number, AT, Decimal(value), tuple(RefundLine(*line) for line in lines.items()))


def test_a_good_order_is_returned_as_it_is() -> None:
    assert orders.check(ORDER) is ORDER


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"id": " "}, "id"),
        ({"currency": "XXX"}, "currency"),
        ({"placed_at": NAIVE}, "placed_at"),
        ({"fulfilled_at": NAIVE}, "fulfilled_at"),
        ({"cancelled_at": NAIVE}, "cancelled_at"),
        ({"lines": (Line("P", 0, Decimal(1)),)}, "lines[0].quantity"),
        ({"lines": (LINES[0], Line("P", -1, Decimal(1)))}, "lines[1].quantity"),
        ({"lines": (LINES[0], replace(LINES[0], unit_price=Decimal(-1)))}, "lines[1].unit_price"),
        ({"delivery": Decimal("-0.01")}, "delivery"),
        ({"fees": Decimal(-1)}, "fees"),
        ({"discount": Decimal(-1)}, "discount"),
        ({"discount": Decimal(1000)}, "discount"),
        ({"tax": Decimal(-1)}, "tax"),
        ({"updated_at": NAIVE}, "updated_at"),
        ({"version": -1}, "version"),
        ({"version": 2**63}, "version"),
        ({"placed_at": AT.replace(year=1)}, "placed_at"),
        ({"fulfilled_at": AT.replace(year=9999)}, "fulfilled_at"),
        ({"refunds": (refund("R", "-0.01"),)}, "refunds"),
        ({"refunds": (refund("R", P=0),)}, "refunds"),
        ({"refunds": (refund("R", P=1, Q=-1),)}, "refunds"),
        ({"refunds": (refund("R"), refund("R"))}, "refunds"),
        ({"refunds": (refund("R", "32.01"),)}, "refunds"),
        ({"refunds": (replace(refund("R"), at=NAIVE),)}, "refunds"),
    ],
)
def test_what_cannot_be_true_is_refused_by_field(change: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        orders.check(replace(ORDER, **change))
    assert list(refused.value.fields) == [field]


def test_the_whole_value_may_be_given_back_and_no_more() -> None:
    assert orders.gross(ORDER) == 2001 + 300 + 400 + 999 - 500
    whole = replace(ORDER, refunds=(refund("1", "30"), refund("2", "2.00")))
    assert orders.refunded(orders.check(whole)) == orders.gross(whole) == 3200


@given(LISTS, PRICES, PRICES, PRICES)
def test_the_gross_is_the_sum_of_parts_each_rounded_by_itself(
    lines: list[Line], delivery: Decimal, fees: Decimal, discount: Decimal
) -> None:
    order = replace(ORDER, lines=tuple(lines), delivery=delivery, fees=fees, discount=discount)
    parts = [line.quantity * line.unit_price for line in lines] + [delivery, fees, -discount]
    cents = [part.quantize(Decimal("0.01"), ROUND_HALF_EVEN) for part in parts]
    assert orders.gross(order) == int(sum(cents, Decimal(0)) * 100)


@given(st.permutations(range(4)))
def test_an_order_is_returned_when_every_product_came_back(places: list[int]) -> None:
    named = [line for line in LINES if line.sku]
    order = replace(ORDER, lines=(*named, Line("Q", 1, Decimal(1)), Line(None, 1, Decimal(0))))
    steps = [refund("1", P=1), refund("2", Q=1), refund("3", P=1), refund("4", P=1)]
    taken: list[Refund] = []
    for place in places:
        assert not orders.is_returned(replace(order, refunds=tuple(taken)))
        taken.append(steps[place])
    assert orders.is_returned(replace(order, refunds=tuple(taken)))


def test_money_alone_returns_no_order() -> None:
    assert not orders.is_returned(replace(ORDER, refunds=(refund("1", "31.00"),)))
    without_products = replace(ORDER, lines=(LINES[2],), refunds=(refund("1", "3"),))
    assert not orders.is_returned(without_products)


def test_lines_of_one_product_count_together() -> None:
    assert orders.ordered_quantities(ORDER) == {"P": 3}
