"""The reader held against properties, a second computation of the rules, and the real data."""

import csv
import gzip
import subprocess
import sys
import tempfile
from itertools import islice
from pathlib import Path

import pyarrow
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from independent_retail import compute
from pyarrow import parquet
from retail_rows import COLUMNS, Row, balances, reading, row, write

from ordertrail.domain.order import check, gross, is_returned, refunded
from ordertrail.sample import SAMPLE
from ordertrail.sync.shops.online_retail import Reading, read

ROOT = Path(__file__).parents[2]
WHOLE = ROOT.parent / "shared" / "data" / "online_retail.parquet"

# ---- properties ----

MOMENTS = [f"2010-12-0{day} 08:00:00" for day in range(1, 7)]
ROWS = st.builds(
    row,
    invoice=st.sampled_from(["9", "10", "11", "12", "C1", "C2", "C13", "A1"]),
    sku=st.sampled_from(["1A", "1a", "PADS", "POST", "M", "D"]),
    quantity=st.integers(-9, 9),
    price=st.sampled_from(["0.005", "0.015", "0.335", "1.10", "2", "0", "-1"]),
    at=st.sampled_from(MOMENTS),
)


@st.composite
def tables(draw: st.DrawFn) -> list[Row]:
    """Some invoices of few customers, who buy and bring back few products."""
    customers = st.sampled_from(["1", "2", ""])
    of_invoice: dict[str, str] = {}
    rows = []
    for each in draw(st.lists(ROWS, min_size=1, max_size=40)):
        customer = of_invoice.setdefault(each[0], draw(customers))
        quantity = -abs(each[3]) if each[0].startswith("C") else each[3]
        rows.append((*each[:3], quantity, *each[4:6], customer, each[7]))
    return rows


@given(tables())
def test_nothing_comes_back_that_was_not_sold(rows: list[Row]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        found = reading(Path(folder), *rows)
    taken = 0
    for order in map(check, found.orders()):
        assert refunded(order) <= gross(order)
        left = dict.fromkeys(("1A", "1a", "PADS"), 0)
        for line in order.lines:
            left[str(line.sku)] += line.quantity
        for refund in order.refunds:
            assert refund.at > order.placed_at
            for piece in refund.lines:
                left[piece.sku] -= piece.quantity
                taken += piece.quantity
        assert min(left.values()) >= 0
    accounts = found.accounts
    assert taken + accounts.refund_quantity_unmatched == accounts.refund_quantity
    assert balances(accounts)


def compare(found: Reading, path: Path) -> None:
    """The reader's answer is the independent one, order by order and refund by refund."""
    truth, made = compute(path), list(found.orders())
    pence = {
        order.id: 0 if is_returned(order) else gross(order) - refunded(order) for order in made
    }
    assert {order.id: gross(order) for order in made} == truth.gross
    assert {order.id for order in made if is_returned(order)} == truth.returned_in_full
    assert {
        (order.id, refund.id): int(refund.value * 100) for order in made for refund in order.refunds
    } == truth.refunds
    assert pence == truth.values
    accounts = found.accounts
    assert accounts.refund_quantity_unmatched == truth.unmatched
    assert {
        "read": accounts.rows_read,
        "product": accounts.product_rows,
        "delivery": accounts.delivery_rows,
        "fee": accounts.fee_rows,
        "refund": accounts.refund_rows,
        "returned pieces": accounts.refund_quantity,
    } == {"product": 0, "delivery": 0, "fee": 0, **truth.rows}
    assert balances(accounts)


@settings(max_examples=40, deadline=None)
@given(tables())
def test_a_second_computation_of_the_rules_gives_the_same(rows: list[Row]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = write(Path(folder) / "retail.csv", rows)
        compare(read(path), path)


# ---- CSV and Parquet, the sample, the whole file ----


def test_csv_and_parquet_of_the_same_rows_give_equal_orders(tmp_path: Path) -> None:
    with gzip.open(SAMPLE, "rt", encoding="utf-8", newline="") as file:
        _, *rows = csv.reader(file)
    cells = dict(zip(COLUMNS, map(list, zip(*rows, strict=True)), strict=True))
    typed = {
        **cells,
        "Quantity": [int(each) for each in cells["Quantity"]],
        "UnitPrice": [float(each) for each in cells["UnitPrice"]],
        "CustomerID": [float(each) if each else None for each in cells["CustomerID"]],
    }
    path = tmp_path / "retail.parquet"
    parquet.write_table(pyarrow.table(typed), path)
    assert list(read(path).orders()) == list(read(SAMPLE).orders())
    assert read(path).accounts == read(SAMPLE).accounts


def test_the_sample_holds_a_thousand_orders_of_a_year_with_returns() -> None:
    found = read(SAMPLE)
    made = list(map(check, found.orders()))
    assert found.order_count == len(made) == found.accounts.orders == 1000
    assert len({order.placed_at.strftime("%Y-%m") for order in made}) == 13
    assert 15_000 <= found.accounts.product_rows <= 22_000
    assert any(order.customer.shop_id is None for order in made)
    first = list(islice(made, 50))
    assert any(is_returned(order) for order in first)
    assert any(order.refunds and not is_returned(order) for order in first)


def test_the_accounts_of_the_sample_show_what_was_skipped() -> None:
    accounts = read(SAMPLE).accounts
    assert balances(accounts)
    assert accounts.rows_skipped == {"no price": 6, "stock correction": 8, "bad debt": 3}
    assert accounts.invoices_skipped == accounts.rows_skipped
    assert set(accounts.refund_rows_not_applied) == {
        "delivery",
        "fee",
        "discount",
        "no customer",
        "no order found",
    }


def test_the_sample_agrees_with_the_second_computation(tmp_path: Path) -> None:
    path = tmp_path / "sample.csv"
    path.write_bytes(gzip.decompress(SAMPLE.read_bytes()))
    compare(read(path), path)


def test_the_sample_is_small_and_tells_nothing_of_its_making() -> None:
    raw = SAMPLE.read_bytes()
    assert len(raw) < 1_000_000
    assert (raw[3], raw[4:8]) == (0, b"\0\0\0\0")  # no file name, no time
    assert "10.24432/C5BW33" in SAMPLE.with_name("ATTRIBUTION.md").read_text()


@pytest.fixture(scope="module")
def whole() -> Path:
    if not WHOLE.exists():
        pytest.skip(f"needs the whole Online Retail file at {WHOLE}")
    return WHOLE


@pytest.mark.data
def test_the_whole_file_agrees_with_the_second_computation(whole: Path) -> None:
    found = read(whole)
    compare(found, whole)
    assert (found.accounts.rows_read, found.accounts.invoices_read) == (541_909, 25_900)


@pytest.mark.data
def test_the_whole_file_is_read_in_little_memory(whole: Path) -> None:
    code = (
        "import sys, pathlib\n"
        "from ordertrail.sync.shops.online_retail import read\n"
        "print(sum(1 for _ in read(pathlib.Path(sys.argv[1])).orders()))\n"
        "print(pathlib.Path('/proc/self/status').read_text().split('VmHWM:')[1].split()[0])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, whole], check=True, capture_output=True, text=True
    )
    count, kilobytes = map(int, done.stdout.split())
    assert count == 19_959
    assert kilobytes < 200_000


@pytest.mark.data
def test_the_sample_can_be_made_again(whole: Path, tmp_path: Path) -> None:
    again = tmp_path / "sample.csv.gz"
    tool = ROOT / "tools" / "make_sample.py"
    subprocess.run([sys.executable, tool, whole, again], check=True, capture_output=True)
    assert gzip.decompress(again.read_bytes()) == gzip.decompress(SAMPLE.read_bytes())
