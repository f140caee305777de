"""Rows of the Online Retail format, written by hand, and what the reader makes of them."""

import csv
from collections.abc import Sequence
from pathlib import Path

from ordertrail.domain.order import Order
from ordertrail.sync.shops.online_retail import Accounts, Reading, read

COLUMNS = (
    "InvoiceNo StockCode Description Quantity InvoiceDate UnitPrice CustomerID Country".split()
)
Row = tuple[str, str, str, int, str, str, str, str]


def row(
    invoice: str = "536365",
    sku: str = "85123A",
    quantity: int = 1,
    price: str = "1.00",
    *,
    at: str = "2010-12-01 08:26:00",
    customer: str = "17850",
    name: str = "HOLDER",
    country: str = "United Kingdom",
) -> Row:
    return (invoice, sku, name, quantity, at, price, customer, country)


def back(
    quantity: int = 1,
    price: str = "1.00",
    *,
    invoice: str = "C536400",
    sku: str = "85123A",
    at: str = "2010-12-05 10:00:00",
    customer: str = "17850",
) -> Row:
    return row(invoice, sku, -quantity, price, at=at, customer=customer)


def write(path: Path, rows: Sequence[Row]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([COLUMNS, *rows])
    return path


def reading(folder: Path, *rows: Row) -> Reading:
    return read(write(folder / "retail.csv", rows))


def orders(folder: Path, *rows: Row) -> list[Order]:
    return list(reading(folder, *rows).orders())


def balances(accounts: Accounts) -> bool:
    """Every row and every invoice went somewhere, and to one place only."""
    skipped = sum(accounts.rows_skipped.values())
    left_out = sum(accounts.refund_rows_not_applied.values())
    return (
        accounts.rows_read == accounts.order_rows + accounts.refund_rows + skipped
        and accounts.invoices_read
        == accounts.orders + accounts.refund_invoices + sum(accounts.invoices_skipped.values())
        and accounts.refund_rows == accounts.refund_rows_applied + left_out
    )
