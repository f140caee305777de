"""What happens to an order after it was placed, as changes of its latest snapshot."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import made_orders as made
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ordertrail.domain.errors import Invalid
from ordertrail.domain.order import Line, Order, check, gross, is_returned, refunded
from ordertrail.sync import tracker_changes as changes

NOW = made.PLACED_AT + timedelta(days=5)
AT = made.PLACED_AT + timedelta(days=4)


def back(order: Order, lines=None, value=None, refund_id=None, at=AT) -> Order:
    return check(changes.returned(order, lines, value, refund_id, at))


def test_an_order_is_fulfilled_at_the_time_given_or_else_now() -> None:
    assert changes.fulfilled(made.PLACED, AT, None, NOW).fulfilled_at == AT
    assert changes.fulfilled(made.PLACED, None, None, NOW).fulfilled_at == NOW


def test_fulfilling_again_without_a_time_changes_nothing() -> None:
    assert changes.fulfilled(made.FULFILLED, None, None, NOW) is made.FULFILLED
    assert changes.fulfilled(made.FULFILLED, AT, None, NOW).fulfilled_at == AT


def test_cancelling_again_without_a_time_changes_nothing() -> None:
    assert changes.cancelled(made.CANCELLED, None, None, NOW) is made.CANCELLED
    assert changes.cancelled(made.PLACED, None, None, NOW).cancelled_at == NOW


def test_the_word_for_the_state_before_is_not_kept() -> None:
    order = replace(made.PLACED, status="processing")
    assert changes.fulfilled(order, AT, None, NOW).status is None
    assert changes.cancelled(order, AT, "void", NOW).status == "void"


def test_a_change_leaves_alone_what_the_shop_said_of_how_new_it_is() -> None:
    told = replace(made.PLACED, updated_at=made.PLACED_AT, version=7)
    after = back(changes.fulfilled(told, AT, None, NOW))
    assert (after.updated_at, after.version) == (made.PLACED_AT, 7)


def test_what_is_placed_again_keeps_what_happened_since_unless_it_tells_how_new_it_is() -> None:
    kept = replace(made.PARTLY_RETURNED, cancelled_at=made.CANCELLED_AT)
    again = replace(made.PLACED, attributes={"payment_method": "card"})
    assert changes.placed(again, None) is again
    assert changes.placed(again, kept) == replace(kept, attributes=again.attributes)
    dated = replace(again, updated_at=made.FULFILLED_AT)
    assert changes.placed(dated, kept) is dated


def test_without_lines_all_that_is_left_comes_back() -> None:
    order = back(made.FULFILLED)
    assert is_returned(order)
    assert refunded(order) == gross(order)
    rest = back(made.PARTLY_RETURNED).refunds[-1]
    assert [(line.sku, line.quantity) for line in rest.lines] == [("SKU-HEADPHONES-BLK", 1)]
    assert rest.value == Decimal("129.90")


def test_lines_are_worth_their_price_or_all_that_is_left_if_that_is_less() -> None:
    order = replace(made.FULFILLED, discount=Decimal("15.00"))
    after = back(order, {"SKU-CASE-001": 1})
    assert after.refunds[0].value == Decimal("20.00")
    assert back(after, {"SKU-HEADPHONES-BLK": 1}).refunds[1].value == Decimal("114.90")


def test_a_sku_of_several_prices_comes_back_in_the_order_of_its_lines() -> None:
    lines = (Line("A", 2, Decimal(10)), Line("B", 1, Decimal(5)), Line("A", 2, Decimal(7)))
    order = replace(made.FULFILLED, lines=lines)
    order = back(order, {"A": 1})
    order = back(order, {"A": 2}, at=NOW)
    order = back(order, {"A": 1}, refund_id="last")
    assert [refund.value for refund in order.refunds] == [10, 17, 7]


def test_a_value_of_its_own_holds() -> None:
    refund = back(made.FULFILLED, {"SKU-CASE-001": 1}, Decimal("12.50")).refunds[0]
    assert refund.value == Decimal("12.50")


def test_money_alone_can_go_back_when_it_is_said_how_much() -> None:
    refund = back(made.FULFILLED, {}, Decimal("5.00")).refunds[0]
    assert (refund.lines, refund.value) == ((), Decimal("5.00"))
    with pytest.raises(Invalid, match="say how much money went back"):
        back(made.FULFILLED, {})


@pytest.mark.parametrize(
    ("lines", "value", "reason"),
    [
        ({"SKU-CASE-001": 2}, None, "only 1 of the order can still come back"),
        ({"SKU-OTHER": 1}, None, "only 0 of the order can still come back"),
        ({"SKU-CASE-001": 0}, None, "must be above zero"),
        ({"SKU-CASE-001": 1}, Decimal("149.91"), "from zero to what is left .* 149.90 USD"),
        ({"SKU-CASE-001": 1}, Decimal(-1), "from zero to what is left"),
        ({"SKU-CASE-001": 1}, Decimal("NaN"), "value"),
    ],
)
def test_more_than_is_left_cannot_come_back(lines, value, reason: str) -> None:
    with pytest.raises(Invalid, match=reason):
        back(made.FULFILLED, lines, value)


def test_a_refund_of_an_id_is_one_refund() -> None:
    once = back(made.FULFILLED, {"SKU-CASE-001": 1}, refund_id="R1")
    assert back(once, {"SKU-CASE-001": 1}, refund_id="R1", at=NOW) is once
    assert back(once, {"SKU-CASE-001": 1}, Decimal(20), "R1") is once


def test_the_id_of_another_refund_is_refused() -> None:
    once = back(made.FULFILLED, {"SKU-CASE-001": 1}, refund_id="R1")
    with pytest.raises(Invalid, match="R1 is kept with another content"):
        back(once, {"SKU-HEADPHONES-BLK": 1}, refund_id="R1")
    with pytest.raises(Invalid, match="R1 is kept with another content"):
        back(once, {"SKU-CASE-001": 1}, Decimal(1), "R1")


def test_a_repeated_call_at_the_same_time_is_one_refund_and_at_another_time_another() -> None:
    lines = (Line("A", 3, Decimal(10)),)
    once = back(replace(made.FULFILLED, lines=lines), {"A": 1})
    assert back(once, {"A": 1}) is once
    assert len(back(once, {"A": 1}, at=NOW).refunds) == 2
    everything = back(once)
    assert back(everything) is everything
    assert back(everything, at=NOW) is everything


@given(
    st.lists(st.tuples(st.sampled_from("ABC"), st.integers(1, 4), st.integers(0, 999))),
    st.lists(st.dictionaries(st.sampled_from("ABC"), st.integers(1, 3), min_size=1)),
)
def test_whatever_comes_back_the_order_stays_true_and_in_the_end_nothing_is_left(
    rows: list[tuple[str, int, int]], returns: list[dict[str, int]]
) -> None:
    lines = tuple(Line(sku, count, Decimal(cents) / 100) for sku, count, cents in rows)
    order = replace(made.FULFILLED, lines=lines)
    for number, lines_back in enumerate(returns):
        try:
            order = back(order, lines_back, refund_id=f"R{number}")
        except Invalid:
            continue
    order = back(order, refund_id="rest")
    assert refunded(order) == gross(order)
