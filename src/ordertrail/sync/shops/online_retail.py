"""The Online Retail format: every invoice line of a gift shop, one row each.

Columns, of Parquet or CSV: InvoiceNo, StockCode, Description, Quantity, InvoiceDate
(`YYYY-MM-DD HH:MM:SS` on London's clocks), UnitPrice (GBP), CustomerID, Country.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from ordertrail.domain import money
from ordertrail.domain.order import Customer, Line, Order, Refund
from ordertrail.sync.shops import columns, invoices, returns
from ordertrail.sync.shops.columns import Table
from ordertrail.sync.shops.invoices import CURRENCY, Invoice, Kind, Sorted, Values
from ordertrail.sync.shops.readings import EVERYTHING, Options
from ordertrail.sync.shops.returns import Returns

SOURCE = "online-retail"


@dataclass(frozen=True, slots=True)
class Accounts:
    """Where every row and every invoice of a file went.

    `rows_read == order_rows + refund_rows + sum(rows_skipped.values())`;
    `invoices_read == orders + refund_invoices + sum(invoices_skipped.values())`;
    `refund_rows == refund_rows_applied + sum(refund_rows_not_applied.values())`.
    A row that found an order for a part of its quantity is applied. Quantities count pieces of
    products; those of refunds without a customer are unmatched. `refunds` counts the pairs of a
    credit note and an order that it reached.
    """

    rows_read: int
    product_rows: int
    delivery_rows: int
    fee_rows: int
    refund_rows: int
    rows_skipped: Mapping[str, int]
    invoices_read: int
    orders: int
    refund_invoices: int
    invoices_skipped: Mapping[str, int]
    refunds: int
    refund_rows_applied: int
    refund_rows_not_applied: Mapping[str, int]
    refund_quantity: int
    refund_quantity_unmatched: int
    orders_left_out: int = 0

    @property
    def order_rows(self) -> int:
        """Rows that became a part of an order."""
        return self.product_rows + self.delivery_rows + self.fee_rows

    def as_data(self) -> dict[str, Any]:
        """Return the counts for a program."""
        return asdict(self)

    def told(self) -> list[str]:
        """Return the counts as lines for a person."""
        rows = (
            f"{self.rows_read:,} rows: {self.order_rows:,} of orders,"
            f" {self.refund_rows:,} of refunds, {_counted(self.rows_skipped)} skipped"
        )
        refund_rows = (
            f"{self.refund_rows:,} refund rows: {self.refund_rows_applied:,} found their order,"
            f" {_counted(self.refund_rows_not_applied)} did not"
        )
        told = [rows, refund_rows]
        if self.orders_left_out:
            told.append(f"{self.orders:,} orders: {self.orders_left_out:,} left out as not wanted")
        return told


@dataclass(frozen=True, slots=True)
class Reading:
    """One file, read and checked whole; its orders are made when they are asked for.

    All of them are as new as the file: `updated_at` is the latest time in it, so that an older
    file that is read later changes nothing.
    """

    accounts: Accounts
    updated_at: datetime
    _table: Table = field(repr=False)
    _orders: list[Invoice] = field(repr=False)
    _refunds: Mapping[str, tuple[Refund, ...]] = field(repr=False)
    source: str = SOURCE

    @property
    def order_count(self) -> int:
        """How many orders there are."""
        return len(self._orders)

    def orders(self) -> Iterator[Order]:
        """Yield every order, by the time it was placed, then by its number."""
        for invoice in self._orders:
            yield Order(
                id=invoice.number,
                customer=_customer(invoice),
                placed_at=invoice.at,
                fulfilled_at=invoice.at,
                currency=CURRENCY,
                lines=self._lines(invoice),
                refunds=self._refunds.get(invoice.number, ()),
                delivery=_besides(invoice.delivery),
                fees=_besides(invoice.fees),
                updated_at=self.updated_at,
            )

    def _lines(self, invoice: Invoice) -> tuple[Line, ...]:
        sku, name = self._table[invoices.STOCK_CODE], self._table[invoices.DESCRIPTION]
        quantity, price = self._table[invoices.QUANTITY], self._table[invoices.PRICE]
        return tuple(Line(sku[row], quantity[row], price[row], name[row]) for row in invoice.rows)


def read(path: Path, options: Options = EVERYTHING) -> Reading:
    """Read a `.parquet`, `.csv` or `.csv.gz` file; what cannot be an order is counted by reason.

    Every order passes `domain.order.check`. `since` leaves out orders whose invoice and credit
    notes are all older, and `zone` means nothing: the format has one. Raises Invalid, before any
    order is made, that names the row and column when a cell is not of the format; Refused when
    Parquet cannot be read here.
    """
    table = columns.read(path, invoices.FIELDS)
    values = Values(table)
    found = invoices.sort(table, values)
    matched = returns.match(table, found, values)
    wanted = [each for each in found.orders if _is_wanted(each, matched, options.since)]
    wanted = wanted[: options.limit]
    accounts = _accounts(table, found, matched, len(found.orders) - len(wanted))
    return Reading(accounts, max(table[invoices.DATE].values), table, wanted, matched.refunds)


def _is_wanted(invoice: Invoice, matched: Returns, since: datetime | None) -> bool:
    refunds = matched.refunds.get(invoice.number, ())
    moments = (invoice.at, *(refund.at for refund in refunds))
    return since is None or max(moments) >= since


def _counted(counts: Mapping[str, int]) -> str:
    total = sum(counts.values())
    reasons = ", ".join(f"{count:,} {reason}" for reason, count in sorted(counts.items()))
    return f"{total:,} ({reasons})" if reasons else f"{total:,}"


def _accounts(table: Table, found: Sorted, matched: Returns, left_out: int) -> Accounts:
    return Accounts(
        rows_read=len(table),
        product_rows=found.order_rows[Kind.PRODUCT],
        delivery_rows=found.order_rows[Kind.DELIVERY],
        fee_rows=found.order_rows[Kind.FEE],
        refund_rows=found.credit_rows.total(),
        rows_skipped=dict(found.rows_skipped),
        invoices_read=len(table[invoices.NUMBER].values),
        orders=len(found.orders),
        refund_invoices=len(found.credits),
        invoices_skipped=dict(found.invoices_skipped),
        refunds=sum(len(each) for each in matched.refunds.values()),
        refund_rows_applied=matched.rows_applied,
        refund_rows_not_applied=dict(matched.rows_not_applied),
        refund_quantity=matched.quantity,
        refund_quantity_unmatched=matched.quantity_unmatched,
        orders_left_out=left_out,
    )


def _besides(pence: int) -> Decimal | None:
    """An amount besides the lines; an invoice without a row for it does not say any."""
    return money.amount(pence, CURRENCY) if pence else None


def _customer(invoice: Invoice) -> Customer:
    if invoice.customer is None:
        return Customer(country=invoice.country)
    return Customer(
        email=f"c{invoice.customer}@example.com",
        shop_id=invoice.customer,
        country=invoice.country,
    )
