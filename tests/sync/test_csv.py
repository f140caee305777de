"""The CSV layout: one row a line of an order."""

import csv
import gzip
import io
import re
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ordertrail.domain.errors import Invalid
from ordertrail.domain.order import Customer, Line, Order, Refund, RefundLine, check
from ordertrail.sync.shops.readings import Options, Rejected
from ordertrail.sync.shops.table import Reading, read

MANUAL = (Path(__file__).parents[2] / "docs" / "formats.md").read_text()
AT = "2026-03-01T10:00:00Z"
PLACED = datetime(2026, 3, 1, 10, tzinfo=UTC)
LINE = {
    "order_id": "O1",
    "placed_at": AT,
    "currency": "EUR",
    "sku": "A",
    "quantity": "2",
    "unit_price": "2.50",
}
REFUND = {
    "order_id": "O1",
    "sku": "A",
    "refund_id": "R1",
    "refund_at": "2026-03-05T10:00:00Z",
    "refund_value": "2.50",
    "refund_quantity": "1",
}
Row = dict[str, str]


def text(*rows: Row) -> str:
    names = list(dict.fromkeys([*LINE, *(name for row in rows for name in row)]))
    written = io.StringIO()
    writer = csv.DictWriter(written, names, restval="")
    writer.writeheader()
    writer.writerows(rows)
    return written.getvalue()


def file(folder: Path, content: str | bytes, name: str = "orders.csv") -> Path:
    raw = content if isinstance(content, bytes) else content.encode()
    path = folder / name
    path.write_bytes(gzip.compress(raw) if name.endswith(".gz") else raw)
    return path


def reading(folder: Path, *rows: Row, options: Options | None = None) -> Reading:
    return read(file(folder, text(*rows)), options or Options())


def orders(folder: Path, *rows: Row) -> list[Order | Rejected]:
    return list(reading(folder, *rows).orders())


def row(**changed: str) -> Row:
    return {**LINE, **changed}


def back(**changed: str) -> Row:
    return {**REFUND, **changed}


ORDER = Order("O1", Customer(), PLACED, "EUR", (Line("A", 2, Decimal("2.50")),))

# ---- what is read ----


@pytest.mark.parametrize("name", ["orders.csv", "orders.csv.gz", "ORDERS.CSV"])
def test_the_six_columns_make_an_order(tmp_path: Path, name: str) -> None:
    assert list(read(file(tmp_path, text(LINE), name)).orders()) == [ORDER]


def test_line_ends_of_windows_blank_lines_and_a_byte_order_mark_do_not_matter(
    tmp_path: Path,
) -> None:
    raw = b"\xef\xbb\xbf" + text(LINE).replace("\r\n", "\r\n\r\n").encode()
    assert list(read(file(tmp_path, raw)).orders()) == [ORDER]


def test_the_manual_shows_an_example(tmp_path: Path) -> None:
    (example,) = re.findall(r"```csv\n(.*?)```", MANUAL, re.DOTALL)
    first, second = read(file(tmp_path, example)).orders()
    assert isinstance(first, Order)
    assert isinstance(second, Order)
    assert check(first) == Order(
        "ORD-1",
        Customer("ann@example.com"),
        PLACED,
        "EUR",
        (Line("LAMP", 2, Decimal("19.90"), "Lamp"), Line("BULB", 4, Decimal("2.50"), "Bulb")),
        (
            Refund(
                "R-1",
                datetime(2026, 3, 5, 9, tzinfo=UTC),
                Decimal("24.90"),
                (RefundLine("LAMP", 1), RefundLine("BULB", 2)),
            ),
        ),
        fulfilled_at=datetime(2026, 3, 2, 8, tzinfo=UTC),
        delivery=Decimal("4.99"),
    )
    assert check(second).id == "ORD-2"


def test_every_column_fills_its_field(tmp_path: Path) -> None:
    full = row(
        name="Lamp",
        email="a@b.example",
        account_email="c@b.example",
        customer_id="007",
        first_name="Ann",
        last_name="Bee",
        phone="+48 1",
        country="Poland",
        region="Mazovia",
        city="Warsaw",
        status="paid",
        version="9007199254740993",
        updated_at="2026-03-02 10:00+02:00",
        fulfilled_at="2026-03-03T10:00:00.5Z",
        cancelled_at="2026-03-04T10:00:00Z",
        delivery="4.99",
        fees="0",
        discount="1",
        tax=".5",
        total="9.49",
    )
    full |= {"attr:payment_method": "card", "attr:coupon": ""}
    (order,) = orders(tmp_path, full)
    assert order == Order(
        "O1",
        Customer(
            email="a@b.example",
            shop_id="007",
            first_name="Ann",
            last_name="Bee",
            phone="+48 1",
            country="Poland",
            account_email="c@b.example",
            region="Mazovia",
            city="Warsaw",
        ),
        PLACED,
        "EUR",
        (Line("A", 2, Decimal("2.50"), "Lamp"),),
        fulfilled_at=datetime(2026, 3, 3, 10, 0, 0, 500_000, tzinfo=UTC),
        cancelled_at=datetime(2026, 3, 4, 10, tzinfo=UTC),
        delivery=Decimal("4.99"),
        fees=Decimal(0),
        discount=Decimal(1),
        attributes={"payment_method": "card"},
        tax=Decimal("0.5"),
        total=Decimal("9.49"),
        status="paid",
        updated_at=datetime(2026, 3, 2, 8, tzinfo=UTC),
        version=9007199254740993,
    )


def test_rows_of_an_order_need_not_stand_together(tmp_path: Path) -> None:
    found = orders(tmp_path, row(), row(order_id="O2"), row(sku="B"))
    assert [(each.id, len(each.lines)) for each in found if isinstance(each, Order)] == [
        ("O1", 2),
        ("O2", 1),
    ]


def test_what_is_about_the_order_may_stand_in_any_of_its_rows(tmp_path: Path) -> None:
    said = row(placed_at="", currency="", delivery="1.0")
    (order,) = orders(tmp_path, said, row(sku="B", delivery="1.00", email="a@b.example"))
    assert isinstance(order, Order)
    assert (order.placed_at, order.currency, order.delivery) == (PLACED, "EUR", 1)
    assert order.customer.email == "a@b.example"


def test_a_row_without_a_line_says_only_something_of_the_order(tmp_path: Path) -> None:
    bare = {"order_id": "O1", "placed_at": AT, "currency": "EUR", "fees": "5"}
    (order,) = orders(tmp_path, bare)
    assert order == Order("O1", Customer(), PLACED, "EUR", (), fees=Decimal(5))


def test_a_line_without_a_sku_is_money_alone(tmp_path: Path) -> None:
    (order,) = orders(tmp_path, row(sku=""))
    assert isinstance(order, Order)
    assert order.lines == (Line(None, 2, Decimal("2.50")),)


def test_a_refund_may_be_money_alone(tmp_path: Path) -> None:
    (order,) = orders(tmp_path, row(), back(sku="", refund_quantity=""))
    assert isinstance(order, Order)
    (refund,) = order.refunds
    assert (refund.value, refund.lines) == (Decimal("2.50"), ())


def test_refunds_come_by_their_first_row(tmp_path: Path) -> None:
    later = back(refund_id="R0", refund_value="1")
    (order,) = orders(tmp_path, row(), back(), later, back(refund_at="", refund_value=""))
    assert isinstance(order, Order)
    assert [(each.id, each.value, len(each.lines)) for each in order.refunds] == [
        ("R1", Decimal("2.50"), 2),
        ("R0", Decimal(1), 1),
    ]


def test_a_time_without_a_zone_is_one_of_the_zone_that_was_told(tmp_path: Path) -> None:
    rows = [
        row(order_id=name, placed_at=at)
        for name, at in (
            ("summer", "2026-07-01 12:00"),
            ("winter", "2026-01-01 12:00:00"),
            ("twice", "2026-10-25 02:30:00"),
            ("zoned", "2026-07-01T12:00:00+05:30"),
        )
    ]
    found = reading(tmp_path, *rows, options=Options(zone=ZoneInfo("Europe/Warsaw"))).orders()
    assert {each.id: each.placed_at for each in found if isinstance(each, Order)} == {
        "summer": datetime(2026, 7, 1, 10, tzinfo=UTC),
        "winter": datetime(2026, 1, 1, 11, tzinfo=UTC),
        "twice": datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
        "zoned": datetime(2026, 7, 1, 6, 30, tzinfo=UTC),
    }


def test_orders_that_cannot_be_true_are_given_for_others_to_judge(tmp_path: Path) -> None:
    (order,) = orders(tmp_path, row(quantity="-1", currency="XXX"))
    assert isinstance(order, Order)
    with pytest.raises(Invalid, match="currency: is not an ISO 4217"):
        check(order)


@given(
    st.lists(
        st.tuples(st.sampled_from(["O1", "O2", "O3"]), st.integers(1, 9), st.sampled_from("AB")),
        min_size=1,
    )
)
def test_no_line_is_lost_in_whatever_order_rows_stand(
    tmp_path_factory: pytest.TempPathFactory, lines: list[tuple[str, int, str]]
) -> None:
    folder = tmp_path_factory.mktemp("csv")
    rows = [row(order_id=order, quantity=str(pieces), sku=sku) for order, pieces, sku in lines]
    found = orders(folder, *rows)
    assert [each.id for each in found if isinstance(each, Order)] == list(
        dict.fromkeys(order for order, _, _ in lines)
    )
    for each in found:
        assert isinstance(each, Order)
        wanted = [(pieces, sku) for order, pieces, sku in lines if order == each.id]
        assert [(line.quantity, line.sku) for line in each.lines] == wanted


# ---- what is refused, order by order ----

NO_TIME = "is not a time as 2026-03-01T10:00:00Z"
BAD: list[tuple[list[Row], int, str | None, str]] = [
    ([row(order_id=" ")], 3, None, "order_id: is empty"),
    ([row(order_id="x" * 256)], 3, None, "order_id: has more than 255 characters"),
    ([row(order_id="a\0")], 3, None, "order_id: holds a NUL character"),
    ([row(placed_at="")], 3, "O1", "placed_at: is empty in every row of the order"),
    ([row(currency="")], 3, "O1", "currency: is empty in every row of the order"),
    ([row(quantity="1.5")], 3, "O1", "quantity: '1.5' is not a whole number"),
    ([row(quantity="")], 3, "O1", "quantity: is empty"),
    ([row(unit_price="2,50")], 3, "O1", "unit_price: '2,50' is not a price"),
    ([row(unit_price="NaN")], 3, "O1", "unit_price: 'NaN' is not a price"),
    ([row(unit_price="1e400")], 3, "O1", "unit_price: '1e400' is not a price"),
    ([row(unit_price="1" * 40)], 3, "O1", "unit_price: has more than 18 digits"),
    ([row(unit_price="")], 3, "O1", "unit_price: is empty"),
    ([row(placed_at="01.03.2026")], 3, "O1", f"placed_at: '01.03.2026' {NO_TIME}"),
    ([row(placed_at="2026-02-30 10:00Z")], 3, "O1", f"placed_at: '2026-02-30 10:00Z' {NO_TIME}"),
    (
        [row(placed_at="2026-03-01 10:00")],
        3,
        "O1",
        "placed_at: '2026-03-01 10:00' needs a time zone, as 2026-03-01T10:00:00Z",
    ),
    (
        [row(placed_at="0001-01-01T00:00Z")],
        3,
        "O1",
        "placed_at: '0001-01-01T00:00Z' is not a time that every zone has",
    ),
    ([row(version="-1")], 3, "O1", "version: '-1' is not a whole number from 0"),
    ([row(version=str(2**62))], 3, "O1", f"version: must be at most {2**62 - 1}"),
    ([row(email="a@b\0.example")], 3, "O1", "email: holds a NUL character"),
    ([row(), row(currency="USD")], 4, "O1", "currency: is not what line 3 says of the same order"),
    (
        [row(email="a@b.example"), row(email="c@b.example")],
        4,
        "O1",
        "email: is not what line 3 says of the same order",
    ),
    ([row(), row(sku="B", quantity="x")], 4, "O1", "quantity: 'x' is not a whole number"),
    ([row(refund_id="R1")], 3, "O1", "quantity: must be empty in a row of a refund"),
    ([row(refund_quantity="1")], 3, "O1", "refund_quantity: needs a refund_id in the same row"),
    ([row(), back(refund_at="")], 4, "O1", "refund_at: is empty in every row of the refund"),
    ([row(), back(refund_value="")], 4, "O1", "refund_value: is empty in every row of the refund"),
    (
        [row(), back(), back(refund_value="3")],
        5,
        "O1",
        "refund_value: is not what line 4 says of the same order",
    ),
    ([row(), back(sku="")], 4, "O1", "sku: is empty, though the row has a refund_quantity"),
    (
        [row(), back(refund_quantity="")],
        4,
        "O1",
        "refund_quantity: is empty, though the row names a sku",
    ),
]


@pytest.mark.parametrize(("rows", "line", "order_id", "reason"), BAD)
def test_an_order_whose_rows_are_wrong_is_told_and_the_others_go_on(
    tmp_path: Path, rows: list[Row], line: int, order_id: str | None, reason: str
) -> None:
    found = reading(tmp_path, row(order_id="first"), *rows, row(order_id="last"))
    first, wrong, last = found.orders()
    assert isinstance(first, Order)
    assert isinstance(last, Order)
    assert wrong == Rejected(order_id, f"orders.csv line {line}", reason)
    assert found.accounts.told() == ["3 orders in the file: 2 orders, 1 rejected"]


def test_what_is_shown_of_a_cell_is_cut_short(tmp_path: Path) -> None:
    (wrong,) = orders(tmp_path, row(unit_price="x" * 10_000))
    assert isinstance(wrong, Rejected)
    assert wrong.reason == f"unit_price: '{'x' * 32}' is not a price"


def test_rows_without_an_id_are_each_told(tmp_path: Path) -> None:
    found = orders(tmp_path, row(order_id=""), row(order_id=""))
    assert [each.place for each in found if isinstance(each, Rejected)] == [
        "orders.csv line 2",
        "orders.csv line 3",
    ]


# ---- what makes the whole file refused ----

HEADER = "order_id,placed_at,currency,sku,quantity,unit_price"


@pytest.mark.parametrize(
    ("content", "place", "reason"),
    [
        ("", "orders.csv", "is empty"),
        (HEADER + "\n", "orders.csv", "holds no rows"),
        (HEADER.replace(",sku", ""), "orders.csv, column sku", "is missing"),
        (HEADER + ",e_mail", "orders.csv, column e_mail", "is not known here; did you mean email?"),
        (HEADER + ",sku\n", "orders.csv, column sku", "occurs twice"),
        (HEADER + ",attr:\n", "orders.csv, column 'attr:'", "an attribute's name has 1 to 64"),
        (HEADER.replace(",", ";"), "orders.csv", "has ; between its cells; they must be commas"),
        (HEADER + f"\nO1,{AT},EUR,A,1\n", "line 2", "has 5 cells, the header 6"),
        (HEADER + '\n"O1', "line 2", "is not CSV: unexpected end of data"),
        (HEADER.encode() + b"\n\xff", "orders.csv", "is not a CSV file of UTF-8 text"),
        (HEADER + "\n" + "x" * 1_000_000, "line 2", "is not CSV: field larger than field limit"),
    ],
)
def test_a_file_of_another_shape_is_refused_before_any_order(
    tmp_path: Path, content: str | bytes, place: str, reason: str
) -> None:
    with pytest.raises(Invalid) as caught:
        read(file(tmp_path, content))
    assert list(caught.value.fields) == [place]
    assert caught.value.fields[place].startswith(reason)


def test_a_truncated_archive_is_refused(tmp_path: Path) -> None:
    path = file(tmp_path, text(LINE), "orders.csv.gz")
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(Invalid, match="cannot be read: Compressed file ended"):
        read(path)


def test_a_file_of_another_kind_is_refused_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match=r"is none of \.csv, \.csv\.gz"):
        read(file(tmp_path, text(LINE), "orders.xlsx"))


# ---- options ----


def test_strict_stops_at_the_first_order_that_is_wrong(tmp_path: Path) -> None:
    found = reading(
        tmp_path, row(), row(order_id="O2", sku="", quantity=""), options=Options(strict=True)
    )
    given_orders = found.orders()
    assert next(given_orders) == ORDER
    with pytest.raises(Invalid) as caught:
        next(given_orders)
    assert caught.value.fields == {"orders.csv line 3": "quantity: is empty"}


def test_since_and_limit_choose_and_the_count_is_told_where_it_is_known(tmp_path: Path) -> None:
    rows = [row(), row(order_id="O2", placed_at="2026-04-01T10:00:00Z"), row(order_id="O3")]
    late = reading(tmp_path, *rows, options=Options(since=datetime(2026, 3, 2, tzinfo=UTC)))
    assert [each.id for each in late.orders() if isinstance(each, Order)] == ["O2"]
    assert (late.order_count, late.accounts.left_out) == (None, 2)
    two = reading(tmp_path, *rows, options=Options(limit=2))
    assert (len(list(two.orders())), two.order_count) == (2, 2)
