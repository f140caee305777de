"""Invoices of the Online Retail format: what each row is, and what its invoice makes of it."""

import enum
from array import array
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from ordertrail.domain import money
from ordertrail.domain.errors import Invalid
from ordertrail.sync.shops import cells
from ordertrail.sync.shops.columns import Field, Table

CURRENCY = "GBP"

NUMBER = Field("InvoiceNo", cells.required_text)
STOCK_CODE = Field("StockCode", cells.required_text)
DESCRIPTION = Field("Description", cells.text)
QUANTITY = Field("Quantity", cells.quantity)
DATE = Field("InvoiceDate", cells.wall_time(ZoneInfo("Europe/London")))
PRICE = Field("UnitPrice", cells.price)
CUSTOMER = Field("CustomerID", cells.customer_number)
COUNTRY = Field("Country", cells.text)
FIELDS = (NUMBER, STOCK_CODE, DESCRIPTION, QUANTITY, DATE, PRICE, CUSTOMER, COUNTRY)

_DIGITS = tuple("0123456789")
_PRODUCTS = (*_DIGITS, "DCGS", "gift_")
_DELIVERY = frozenset({"POST", "DOT", "C2"})


class Kind(enum.Enum):
    """What a stock code stands for. Codes are as written: `85123a` is not `85123A`."""

    PRODUCT = "product"
    DELIVERY = "delivery"
    DISCOUNT = "discount"
    FEE = "fee"


@dataclass(frozen=True, slots=True)
class Invoice:
    """One order or one credit note: its product rows in file order, and its extras in pence.

    `at` is the earliest InvoiceDate of all its rows, those that are skipped too. The country is
    the first row's.
    """

    number: str
    at: datetime
    customer: str | None
    country: str | None
    rows: "array[int]"
    delivery: int = 0
    fees: int = 0

    @property
    def rank(self) -> tuple[datetime, int, str]:
        """Where it stands among others: by time, then by number, the longer number being higher."""
        return self.at, len(self.number), self.number


@dataclass(frozen=True, slots=True)
class Sorted:
    """The invoices of one table by kind, each list by rank, and how many rows went where."""

    orders: list[Invoice] = field(default_factory=list)
    credits: list[Invoice] = field(default_factory=list)
    order_rows: Counter[Kind] = field(default_factory=Counter)
    credit_rows: Counter[Kind] = field(default_factory=Counter)
    rows_skipped: Counter[str] = field(default_factory=Counter)
    invoices_skipped: Counter[str] = field(default_factory=Counter)


class Values:
    """What each row is worth in pence; each pair of quantity and price is rounded once."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._quantity, self._price = table[QUANTITY], table[PRICE]
        self._known: dict[tuple[int, int], int] = {}

    def __getitem__(self, row: int) -> int:
        pair = (self._quantity.codes[row], self._price.codes[row])
        value = self._known.get(pair)
        if value is None:
            exact = self._quantity[row] * self._price[row]
            value = money.minor(exact, CURRENCY, self._table.cell(row, "Quantity x UnitPrice"))
            self._known[pair] = value
        return value


def kind_of(stock_code: str) -> Kind:
    """Tell what a stock code stands for."""
    if stock_code.startswith(_PRODUCTS) or stock_code == "PADS":
        return Kind.PRODUCT
    if stock_code in _DELIVERY:
        return Kind.DELIVERY
    return Kind.DISCOUNT if stock_code == "D" else Kind.FEE


def sort(table: Table, values: Values) -> Sorted:
    """Return the table's orders and credit notes, every row accounted for.

    Raises Invalid when an invoice names two customers, or money is too large to be true.
    """
    found = Sorted()
    kinds = [kind_of(code) for code in table[STOCK_CODE].values]
    for number, rows in zip(table[NUMBER].values, _rows_by_invoice(table), strict=True):
        if number.startswith(_DIGITS):
            _add_order(found, _head(table, number, rows), table, values, kinds)
        elif number.startswith("C"):
            _add_credit(found, _head(table, number, rows), table, kinds)
        else:
            # The file has three, all "Adjust bad debt": bookkeeping, neither sale nor refund.
            reason = "bad debt" if number.startswith("A") else "invoice of an unknown kind"
            found.rows_skipped[reason] += len(rows)
            found.invoices_skipped[reason] += 1
    found.orders.sort(key=lambda each: each.rank)
    found.credits.sort(key=lambda each: each.rank)
    return found


def _rows_by_invoice(table: Table) -> list["array[int]"]:
    """The rows of each invoice, which need not stand together: in the real file, one's do not."""
    column = table[NUMBER]
    rows = [array("i") for _ in column.values]
    for row, code in enumerate(column.codes):
        rows[code].append(row)
    return rows


def _head(table: Table, number: str, rows: "array[int]") -> Invoice:
    customer, date = table[CUSTOMER], table[DATE]
    code = customer.codes[rows[0]]
    for row in rows:
        if customer.codes[row] != code:
            raise Invalid({table.cell(row, CUSTOMER.name): "is not the one of the same invoice"})
    at = min(date.values[code] for code in {date.codes[row] for row in rows})
    return Invoice(number, at, customer[rows[0]], table[COUNTRY][rows[0]], rows)


def _add_order(
    found: Sorted, head: Invoice, table: Table, values: Values, kinds: list[Kind]
) -> None:
    quantity, price, stock_code = table[QUANTITY], table[PRICE], table[STOCK_CODE]
    products, extras = array("i"), {Kind.DELIVERY: 0, Kind.FEE: 0}
    total, skipped = 0, Counter[str]()
    for row in head.rows:
        kind = kinds[stock_code.codes[row]]
        if reason := _not_sold(quantity[row], price[row], kind):
            skipped[reason] += 1
            continue
        found.order_rows[kind] += 1
        total += values[row]
        if kind is Kind.PRODUCT:
            products.append(row)
        else:
            extras[kind] += values[row]
    found.rows_skipped.update(skipped)
    if len(head.rows) == skipped.total():
        found.invoices_skipped[_one_reason(skipped)] += 1
        return
    money.within_limit(money.amount(total, CURRENCY), f"invoice {head.number[:32]}")
    found.orders.append(_with_rows(head, products, extras[Kind.DELIVERY], extras[Kind.FEE]))


def _add_credit(found: Sorted, head: Invoice, table: Table, kinds: list[Kind]) -> None:
    quantity, price, stock_code = table[QUANTITY], table[PRICE], table[STOCK_CODE]
    products, skipped = array("i"), Counter[str]()
    for row in head.rows:
        kind = kinds[stock_code.codes[row]]
        if reason := _not_returned(quantity[row], price[row]):
            skipped[reason] += 1
            continue
        found.credit_rows[kind] += 1
        if kind is Kind.PRODUCT:
            products.append(row)
    found.rows_skipped.update(skipped)
    if len(head.rows) == skipped.total():
        found.invoices_skipped[_one_reason(skipped)] += 1
    else:
        found.credits.append(_with_rows(head, products))


def _with_rows(head: Invoice, rows: "array[int]", delivery: int = 0, fees: int = 0) -> Invoice:
    return Invoice(
        head.number, head.at, head.customer, head.country, rows, delivery=delivery, fees=fees
    )


def _not_sold(quantity: int, price: Decimal, kind: Kind) -> str | None:
    """Why a row of an order's invoice is no part of the order; None when it is."""
    if quantity < 0:
        return "stock correction"
    if quantity == 0:
        return "no quantity"
    if price <= 0:
        return "no price" if price == 0 else "negative price"
    return "discount outside a refund" if kind is Kind.DISCOUNT else None


def _not_returned(quantity: int, price: Decimal) -> str | None:
    if quantity >= 0:
        return "refund that takes nothing back"
    return "refund without a price" if price <= 0 else None


def _one_reason(reasons: Iterable[str]) -> str:
    first, *others = reasons
    return "several reasons" if others else first
