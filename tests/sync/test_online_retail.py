from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from retail_rows import Row, back, balances, orders, reading, row, write

from ordertrail.domain.errors import Invalid
from ordertrail.domain.order import (
    Customer,
    Line,
    Order,
    Refund,
    RefundLine,
    check,
    gross,
    is_returned,
    refunded,
)
from ordertrail.sync.shops.online_retail import read
from ordertrail.sync.shops.readings import Options


def given_back(folder: Path, *rows: Row) -> dict[str, Decimal]:
    return {
        order.id: sum((refund.value for refund in order.refunds), Decimal(0))
        for order in orders(folder, *rows)
    }


# ---- what an order is ----


def test_an_invoice_of_sold_lines_is_an_order(tmp_path: Path) -> None:
    rows = [row(quantity=6, price="2.55", name=" HEART HOLDER "), row(sku="71053", price="3.39")]
    assert orders(tmp_path, *rows) == [
        Order(
            id="536365",
            customer=Customer("c17850@example.com", "17850", country="United Kingdom"),
            placed_at=datetime(2010, 12, 1, 8, 26, tzinfo=UTC),
            fulfilled_at=datetime(2010, 12, 1, 8, 26, tzinfo=UTC),
            currency="GBP",
            updated_at=datetime(2010, 12, 1, 8, 26, tzinfo=UTC),
            lines=(
                Line("85123A", 6, Decimal("2.55"), "HEART HOLDER"),
                Line("71053", 1, Decimal("3.39"), "HOLDER"),
            ),
        )
    ]


def test_lines_of_one_stock_code_stay_several_lines(tmp_path: Path) -> None:
    (order,) = orders(tmp_path, row(quantity=2), row(quantity=3))
    assert [line.quantity for line in order.lines] == [2, 3]


def test_a_line_without_a_description_has_no_name(tmp_path: Path) -> None:
    (order,) = orders(tmp_path, row(name=" "))
    assert order.lines[0].name is None


def test_stock_codes_are_as_written(tmp_path: Path) -> None:
    (order,) = orders(tmp_path, row(sku="85123a"), row(sku="85123A"))
    assert [line.sku for line in order.lines] == ["85123a", "85123A"]


@pytest.mark.parametrize("sku", ["10002", "85123A", "DCGS0003", "DCGSSBOY", "gift_0001_20", "PADS"])
def test_such_a_stock_code_is_a_product(tmp_path: Path, sku: str) -> None:
    (order,) = orders(tmp_path, row(sku=sku))
    assert (order.lines[0].sku, order.delivery, order.fees) == (sku, None, None)


@pytest.mark.parametrize("sku", ["POST", "DOT", "C2"])
def test_such_a_stock_code_is_delivery(tmp_path: Path, sku: str) -> None:
    (order,) = orders(tmp_path, row(sku=sku, quantity=3, price="18.00"))
    assert (order.lines, order.delivery, order.fees) == ((), Decimal("54.00"), None)


@pytest.mark.parametrize(
    "sku", ["M", "m", "S", "BANK CHARGES", "AMAZONFEE", "CRUK", "B", "PADS2", "post", "GIFT_1"]
)
def test_every_other_stock_code_is_a_fee(tmp_path: Path, sku: str) -> None:
    (order,) = orders(tmp_path, row(sku=sku, quantity=3, price="18.00"))
    assert (order.lines, order.delivery, order.fees) == ((), None, Decimal("54.00"))


def test_every_line_of_delivery_and_fees_is_rounded_by_itself(tmp_path: Path) -> None:
    rows = [row(sku=sku, price=price) for sku in ("POST", "M") for price in ("0.015", "0.025")]
    (order,) = orders(tmp_path, *rows)
    assert (order.delivery, order.fees) == (Decimal("0.04"), Decimal("0.04"))


def test_a_discount_outside_a_refund_is_skipped(tmp_path: Path) -> None:
    found = reading(tmp_path, row(), row(sku="D", price="5.00"))
    assert [gross(order) for order in found.orders()] == [100]
    assert found.accounts.rows_skipped == {"discount outside a refund": 1}


@pytest.mark.parametrize(
    ("quantity", "price", "reason"),
    [
        (-4, "0.00", "stock correction"),
        (-4, "1.00", "stock correction"),
        (0, "1.00", "no quantity"),
        (4, "0.00", "no price"),
        (4, "-1.00", "negative price"),
    ],
)
def test_a_row_that_sells_nothing_is_skipped(
    tmp_path: Path, quantity: int, price: str, reason: str
) -> None:
    found = reading(tmp_path, row(), row(quantity=quantity, price=price))
    assert [len(order.lines) for order in found.orders()] == [1]
    assert found.accounts.rows_skipped == {reason: 1}
    assert not found.accounts.invoices_skipped


def test_an_invoice_left_without_a_line_is_skipped_with_its_reason(tmp_path: Path) -> None:
    found = reading(
        tmp_path,
        row("536365", price="0"),
        row("536366", quantity=-1, price="0"),
        row("536367", price="0"),
        row("536367", quantity=-1, price="0"),
        row("A563185"),
        row("X1"),
        row("C536400", quantity=1),
        row("C536401", quantity=-1, price="0"),
    )
    assert (found.order_count, list(found.orders())) == (0, [])
    assert found.accounts.invoices_skipped == {
        "no price": 1,
        "stock correction": 1,
        "several reasons": 1,
        "bad debt": 1,
        "invoice of an unknown kind": 1,
        "refund that takes nothing back": 1,
        "refund without a price": 1,
    }


def test_an_order_is_placed_at_the_earliest_time_of_its_invoice(tmp_path: Path) -> None:
    rows = [
        row(at="2011-07-01 08:27:00"),
        row(at="2011-07-01 08:26:00", price="0"),
        row(at="2011-07-01 08:28:00"),
    ]
    (order,) = orders(tmp_path, *rows)
    assert order.placed_at == order.fulfilled_at == datetime(2011, 7, 1, 7, 26, tzinfo=UTC)


def test_the_rows_of_an_invoice_need_not_stand_together(tmp_path: Path) -> None:
    found = orders(tmp_path, row("536365"), row("536366"), row("536365"))
    assert [(order.id, len(order.lines)) for order in found] == [("536365", 2), ("536366", 1)]


def test_orders_come_by_time_and_then_by_number(tmp_path: Path) -> None:
    rows = [row("536367"), row("536366", at="2010-12-02 08:00:00"), row("536365"), row("99999")]
    assert [order.id for order in orders(tmp_path, *rows)] == [
        "99999",
        "536365",
        "536367",
        "536366",
    ]


def test_orders_can_be_had_again(tmp_path: Path) -> None:
    found = reading(tmp_path, row(), row("536366"), back())
    assert list(found.orders()) == list(found.orders())


def test_a_guest_is_nobody_but_has_a_country(tmp_path: Path) -> None:
    (order,) = orders(tmp_path, row(customer="", country="EIRE"))
    assert order.customer == Customer(country="EIRE")


def test_a_customer_number_may_be_written_as_a_float(tmp_path: Path) -> None:
    (order,) = orders(tmp_path, row(customer="17850.0"))
    assert order.customer.shop_id == "17850"


# ---- what comes back ----


def test_a_refund_names_the_credit_note_its_pieces_and_its_money(tmp_path: Path) -> None:
    rows = [
        row(quantity=6, price="2.55"),
        row(sku="71053", quantity=2, price="3.00"),
        back(1, "2.55", at="2010-12-05 10:01:00"),
        back(2, "3.00", sku="71053"),
        back(1, "2.55"),
    ]
    (order,) = orders(tmp_path, *rows)
    assert order.refunds == (
        Refund(
            id="C536400",
            at=datetime(2010, 12, 5, 10, tzinfo=UTC),
            value=Decimal("11.10"),
            lines=(RefundLine("85123A", 2), RefundLine("71053", 2)),
        ),
    )


def test_the_newest_order_is_taken_back_first(tmp_path: Path) -> None:
    rows = [
        row("536365", quantity=5),
        row("536366", quantity=2, at="2010-12-02 08:00:00"),
        back(3),
    ]
    assert given_back(tmp_path, *rows) == {"536365": 1, "536366": 2}


def test_of_orders_of_one_time_the_higher_number_is_taken_back_first(tmp_path: Path) -> None:
    found = given_back(tmp_path, row("536366"), row("536367"), row("99999"), back(1))
    assert found == {"536366": 0, "536367": 1, "99999": 0}


def test_within_an_order_the_first_line_is_taken_back_first(tmp_path: Path) -> None:
    assert given_back(tmp_path, row(price="5"), row(price="7"), back(1, "9")) == {"536365": 5}


def test_an_order_that_was_not_placed_before_the_refund_is_not_taken_back(tmp_path: Path) -> None:
    rows = [
        row("536365", at="2010-12-01 10:00:00"),
        row("536366", at="2010-12-01 10:01:00"),
        back(2, at="2010-12-01 10:01:00"),
    ]
    assert given_back(tmp_path, *rows) == {"536365": 1, "536366": 0}


@pytest.mark.parametrize(
    ("sold", "credited", "value"), [("2.00", "3.00", "4.00"), ("3.00", "2.00", "4.00")]
)
def test_the_lower_of_the_two_prices_is_given_back(
    tmp_path: Path, sold: str, credited: str, value: str
) -> None:
    found = given_back(tmp_path, row(quantity=5, price=sold), back(2, credited))
    assert found == {"536365": Decimal(value)}


@pytest.mark.parametrize(("price", "value"), [("0.015", "0.02"), ("0.025", "0.02")])
def test_the_money_is_rounded_half_even(tmp_path: Path, price: str, value: str) -> None:
    found = given_back(tmp_path, row(quantity=9, price=price), back(1, price))
    assert found == {"536365": Decimal(value)}


def test_roundings_never_give_back_more_than_was_paid(tmp_path: Path) -> None:
    singles = [back(1, "0.015", invoice=f"C53640{number}") for number in range(3)]
    (order,) = orders(tmp_path, row(quantity=3, price="0.015"), *singles)
    assert (gross(order), refunded(order), is_returned(order)) == (4, 4, True)
    check(order)


def test_refunds_are_applied_by_date_and_then_by_number(tmp_path: Path) -> None:
    rows = [
        row(quantity=2),
        back(invoice="C536403", at="2010-12-06 10:00:00"),
        back(invoice="C536402", at="2010-12-05 10:00:00"),
        back(invoice="C536401", at="2010-12-05 10:00:00"),
    ]
    (order,) = orders(tmp_path, *rows)
    assert [refund.id for refund in order.refunds] == ["C536401", "C536402"]


def test_a_refund_takes_nothing_that_was_taken_before(tmp_path: Path) -> None:
    rows = [
        row("536365", quantity=2),
        row("536366", quantity=2, at="2010-12-02 08:00:00"),
        back(3, invoice="C536401"),
        back(3, invoice="C536402"),
    ]
    found = reading(tmp_path, *rows)
    assert {
        (order.id, refund.id, refund.value) for order in found.orders() for refund in order.refunds
    } == {("536366", "C536401", 2), ("536365", "C536401", 1), ("536365", "C536402", 1)}
    assert (found.accounts.refund_quantity, found.accounts.refund_quantity_unmatched) == (6, 2)


@pytest.mark.parametrize(
    ("sold", "credit"),
    [
        (row(), back(customer="17851")),
        (row(), back(sku="85123a")),
        (row(customer=""), back(customer="")),
        (row(sku="71053"), back()),
    ],
    ids=["another customer", "another stock code", "guests", "never bought"],
)
def test_what_finds_no_order_is_unmatched(tmp_path: Path, sold: Row, credit: Row) -> None:
    found = reading(tmp_path, sold, credit)
    assert [order.refunds for order in found.orders()] == [()]
    assert found.accounts.refund_quantity_unmatched == 1


def test_rows_of_a_refund_that_are_not_applied_are_counted_by_reason(tmp_path: Path) -> None:
    found = reading(
        tmp_path,
        row(quantity=2),
        row(sku="POST", price="5.00"),
        row(sku="M", price="5.00"),
        back(3),
        back(1),
        back(1, sku="POST"),
        back(1, sku="M"),
        back(1, sku="D"),
        back(1, sku="CRUK"),
        back(1, customer="", invoice="C536401"),
        back(1, sku="POST", customer="", invoice="C536401"),
    )
    (order,) = found.orders()
    assert (refunded(order), gross(order)) == (200, 1200)
    assert found.accounts.refund_rows_applied == 1
    assert found.accounts.refund_rows_not_applied == {
        "delivery": 2,
        "fee": 2,
        "discount": 1,
        "no order found": 1,
        "no customer": 1,
    }


def test_an_order_is_returned_when_every_piece_came_back(tmp_path: Path) -> None:
    rows = [row(quantity=2), row(quantity=1), row(sku="71053"), row(sku="POST"), back(3)]
    assert [is_returned(order) for order in orders(tmp_path, *rows)] == [False]
    rows.append(back(sku="71053", invoice="C536401"))
    assert [is_returned(order) for order in orders(tmp_path, *rows)] == [True]


# ---- accounts ----


def test_every_row_is_accounted_for(tmp_path: Path) -> None:
    found = reading(
        tmp_path,
        row(quantity=2),
        row(sku="POST"),
        row(sku="M"),
        row(price="0"),
        row("A1"),
        row("536366", quantity=-1),
        back(1),
        row("C536400", quantity=5, at="2010-12-05 10:00:00"),
    )
    assert balances(found.accounts)
    assert found.accounts.as_data() == {
        "rows_read": 8,
        "product_rows": 1,
        "delivery_rows": 1,
        "fee_rows": 1,
        "refund_rows": 1,
        "rows_skipped": {
            "no price": 1,
            "bad debt": 1,
            "stock correction": 1,
            "refund that takes nothing back": 1,
        },
        "invoices_read": 4,
        "orders": 1,
        "refund_invoices": 1,
        "invoices_skipped": {"bad debt": 1, "stock correction": 1},
        "refunds": 1,
        "refund_rows_applied": 1,
        "refund_rows_not_applied": {},
        "refund_quantity": 1,
        "refund_quantity_unmatched": 0,
        "orders_left_out": 0,
    }


def test_the_accounts_are_told_in_two_lines_and_a_third_for_what_was_not_wanted(
    tmp_path: Path,
) -> None:
    rows = [row(quantity=2), row(price="0"), back(1)]
    told = [
        "3 rows: 1 of orders, 1 of refunds, 1 (1 no price) skipped",
        "1 refund rows: 1 found their order, 0 did not",
    ]
    assert reading(tmp_path, *rows).accounts.told() == told
    none = read(tmp_path / "retail.csv", Options(limit=0))
    assert none.accounts.told() == [*told, "1 orders: 1 left out as not wanted"]


# ---- all orders of a file are as new as the file ----


def test_every_order_was_updated_at_the_latest_time_of_the_file(tmp_path: Path) -> None:
    rows = [row(), row("536366", at="2010-12-02 08:00:00"), row("A1", at="2011-07-01 08:00:00")]
    latest = datetime(2011, 7, 1, 7, 0, tzinfo=UTC)
    assert {order.updated_at for order in orders(tmp_path, *rows)} == {latest}


def test_since_leaves_out_orders_whose_own_moments_are_all_older(tmp_path: Path) -> None:
    rows = [
        row("536365"),
        row("536366", sku="71053", at="2010-12-02 08:00:00"),
        back(at="2010-12-06 10:00:00"),
        row("536367", at="2010-12-06 10:00:00", customer=""),
    ]
    path = write(tmp_path / "retail.csv", rows)
    found = read(path, Options(since=datetime(2010, 12, 6, 10, tzinfo=UTC)))
    assert [order.id for order in found.orders()] == ["536365", "536367"]
    assert (found.order_count, found.accounts.orders, found.accounts.orders_left_out) == (2, 3, 1)


def test_a_limit_gives_the_first_orders(tmp_path: Path) -> None:
    path = write(tmp_path / "retail.csv", [row("536366"), row("536365"), row("536367")])
    found = read(path, Options(limit=2))
    assert [order.id for order in found.orders()] == ["536365", "536366"]
    assert found.order_count == 2


# ---- bad input ----


def refusal(folder: Path, *rows: Row) -> dict[str, str]:
    with pytest.raises(Invalid) as caught:
        reading(folder, *rows)
    return caught.value.fields


def test_an_invoice_of_two_customers_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path, row(), row("536366"), row(customer="17851")) == {
        "line 4, CustomerID": "is not the one of the same invoice"
    }


def test_a_value_that_cannot_be_true_is_refused_before_any_order_is_made(tmp_path: Path) -> None:
    huge = row("536366", quantity=10**6, price="1000000")
    reason = "must be a number under 1,000,000,000,000"
    assert refusal(tmp_path, row(), huge) == {"line 3, Quantity x UnitPrice": reason}
    large = row("536366", sku="POST", quantity=10**6, price="999999")
    assert refusal(tmp_path, row(), large, large) == {"invoice 536366": reason}


def test_a_wrong_cell_is_refused_before_any_order_is_made(tmp_path: Path) -> None:
    late = row(at="yesterday")
    assert list(refusal(tmp_path, *[row()] * 9, late)) == ["line 11, InvoiceDate"]


def test_a_file_of_another_format_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_text("order_id,total\n1,2\n")
    with pytest.raises(Invalid, match="column InvoiceNo: is missing"):
        read(path)
