"""Make the bundled sample out of the whole Online Retail file.

    python tools/make_sample.py PARQUET [CSV_GZ]

Customers are taken whole, with all their invoices and credit notes, in the order of the SHA-256
of their number, so that the same file always gives the same sample.
"""

import csv
import gzip
import hashlib
import importlib
import io
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from pathlib import Path

from ordertrail.domain.order import Order, is_returned
from ordertrail.sample import SAMPLE
from ordertrail.sync.shops import online_retail

ORDERS = 1000
GUEST_ORDERS = 40
ORDERS_OF_ONE_MAX = 25
LINES_OF_ONE_MAX = 60
FIRST_ORDERS = 50
OTHER_INVOICES = {"guest credit": 5, "stock correction": 8, "free of charge": 6, "bad debt": 3}
SAMPLE_BYTES_MAX = 1_000_000

Row = dict[str, object]


def main(arguments: list[str]) -> None:
    """Write the sample and say what is in it; fails when it is not what a sample should be."""
    source = Path(arguments[0])
    target = Path(arguments[1]) if len(arguments) > 1 else SAMPLE
    rows = _rows(source)
    orders = list(online_retail.read(source).orders())
    customers = _customers(orders)
    guests = _guests(orders)
    others = _others(rows, {order.id for order in orders})
    kept = [
        row for row in rows if row["CustomerID"] in customers or row["InvoiceNo"] in guests | others
    ]
    _write(target, kept)
    sys.stdout.write(f"{_checked(target)}\n{target.stat().st_size} bytes\n")


def _rows(source: Path) -> list[Row]:
    """All rows as the CSV will have them: prices as written, customers as whole numbers."""
    table = importlib.import_module("pyarrow.parquet").read_table(source)
    rows: list[Row] = table.to_pylist()
    for row in rows:
        number = row["CustomerID"]
        row["CustomerID"] = str(int(number)) if isinstance(number, float) else ""
    return rows


def _customers(orders: list[Order]) -> set[str]:
    """Choose customers who have exactly the wanted number of orders together."""
    by_customer: dict[str, list[Order]] = defaultdict(list)
    for order in orders:
        if order.customer.shop_id:
            by_customer[order.customer.shop_id].append(order)
    small = {
        one: len(theirs)
        for one, theirs in by_customer.items()
        if len(theirs) <= ORDERS_OF_ONE_MAX
        and sum(len(order.lines) for order in theirs) <= LINES_OF_ONE_MAX * len(theirs)
    }
    opening = [_first(orders, small, test) for test in (is_returned, _is_partly_returned)]
    chosen: set[str] = set()
    wanted = ORDERS - GUEST_ORDERS
    for one in [*opening, *_shuffled(small)]:
        if one not in chosen and small[one] <= wanted:
            chosen.add(one)
            wanted -= small[one]
    return chosen


def _first(orders: list[Order], among: Mapping[str, int], test: Callable[[Order], bool]) -> str:
    """The customer of the first order that passes the test; they make the sample's first days."""
    return next(
        one for order in orders if (one := order.customer.shop_id) in among and one and test(order)
    )


def _is_partly_returned(order: Order) -> bool:
    return bool(order.refunds) and not is_returned(order)


def _guests(orders: list[Order]) -> set[str]:
    small = (
        order.id
        for order in orders
        if order.customer.shop_id is None and len(order.lines) <= LINES_OF_ONE_MAX
    )
    return set(_shuffled(small)[:GUEST_ORDERS])


def _others(rows: list[Row], orders: set[str]) -> set[str]:
    """Choose some invoices of nobody that make no order, of each sort."""
    sorts: dict[str, set[str]] = {name: set() for name in OTHER_INVOICES}
    for row in rows:
        number = str(row["InvoiceNo"])
        if number not in orders and not row["CustomerID"]:
            sorts[_sort_of(number, row)].add(number)
    return {
        number
        for name, count in OTHER_INVOICES.items()
        for number in islice(_shuffled(sorts[name]), count)
    }


def _sort_of(number: str, row: Row) -> str:
    if number.startswith("C"):
        return "guest credit"
    if number.startswith("A"):
        return "bad debt"
    return "stock correction" if str(row["Quantity"]).startswith("-") else "free of charge"


def _shuffled(names: Iterable[str]) -> list[str]:
    return sorted(names, key=lambda name: hashlib.sha256(name.encode()).digest())


def _write(target: Path, rows: list[Row]) -> None:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    with (
        target.open("wb") as file,
        gzip.GzipFile("", "wb", compresslevel=9, fileobj=file, mtime=0) as packed,
    ):
        packed.write(text.getvalue().encode())


def _checked(target: Path) -> online_retail.Accounts:
    reading = online_retail.read(target)
    first = list(islice(reading.orders(), FIRST_ORDERS))
    found = {
        f"{ORDERS} orders": reading.order_count == ORDERS,
        "an early full return": any(map(is_returned, first)),
        "an early partial return": any(map(_is_partly_returned, first)),
        "under a megabyte": target.stat().st_size < SAMPLE_BYTES_MAX,
    }
    if missing := [what for what, is_there in found.items() if not is_there]:
        raise SystemExit(f"{target} has not got: {', '.join(missing)}")
    return reading.accounts


if __name__ == "__main__":
    main(sys.argv[1:])
