"""Returns: from which order each piece that came back was bought.

A credit note of the Online Retail format names no order. Its lines take back what the same
customer bought of that stock code before, newest order first.
"""

from collections import Counter
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from ordertrail.domain import money
from ordertrail.domain.order import Refund, RefundLine
from ordertrail.sync.shops.columns import Table
from ordertrail.sync.shops.invoices import (
    CURRENCY,
    PRICE,
    QUANTITY,
    STOCK_CODE,
    Invoice,
    Kind,
    Sorted,
    Values,
)


@dataclass(slots=True)
class Lot:
    """What is left of one line of an order: pieces, and the pence that were paid for them."""

    order: str
    placed_at: datetime
    price: Decimal
    quantity: int
    value: int


@dataclass(frozen=True, slots=True)
class Taken:
    """Pieces of one lot that came back, and the pence that they gave."""

    order: str
    quantity: int
    value: int


class Shelves:
    """What each buyer still has of each product, the lot to be taken back first on top."""

    def __init__(self) -> None:
        self._lots: dict[Hashable, list[Lot]] = {}

    def put(self, key: Hashable, lot: Lot) -> None:
        """Put a lot on top; the newest comes last."""
        self._lots.setdefault(key, []).append(lot)

    def take(self, key: Hashable, quantity: int, price: Decimal) -> list[Taken]:
        """Take back up to `quantity` pieces, each at the lower of `price` and the lot's own.

        The money of each lot is rounded to pence, and is never more than what is left of it:
        with prices of fractions of a penny, roundings of single pieces could add up to more.
        """
        lots, taken = self._lots.get(key, []), []
        while lots and quantity:
            lot = lots[-1]
            pieces = min(quantity, lot.quantity)
            exact = pieces * min(price, lot.price)
            value = min(money.minor(exact, CURRENCY), lot.value)
            taken.append(Taken(lot.order, pieces, value))
            quantity -= pieces
            lot.quantity -= pieces
            lot.value -= value
            if not lot.quantity:
                lots.pop()
        return taken


@dataclass(slots=True)
class Returns:
    """The refunds of each order by its number, and what became of every row of a credit note."""

    refunds: dict[str, tuple[Refund, ...]] = field(default_factory=dict)
    rows_applied: int = 0
    rows_not_applied: Counter[str] = field(default_factory=Counter)
    quantity: int = 0
    quantity_unmatched: int = 0


def match(table: Table, found: Sorted, values: Values) -> Returns:
    """Apply every credit note, in the order of date and number, to the orders before it."""
    result = Returns()
    result.rows_not_applied.update(
        {kind.value: n for kind, n in found.credit_rows.items() if kind is not Kind.PRODUCT}
    )
    shelves, lots = Shelves(), _lots(table, found, values)
    ahead = next(lots, None)
    for credit in found.credits:
        while ahead and ahead[1].placed_at < credit.at:
            shelves.put(*ahead)
            ahead = next(lots, None)
        _apply(credit, shelves, table, result)
    return result


def _lots(table: Table, found: Sorted, values: Values) -> Iterator[tuple[Hashable, Lot]]:
    """Yield what could come back, in the order in which it goes onto the shelves.

    An order's own first line is taken back first, so it goes on last.
    """
    quantity, price, codes = table[QUANTITY], table[PRICE], table[STOCK_CODE].codes
    wanted = {(each.customer, codes[row]) for each in found.credits for row in each.rows}
    for order in found.orders:
        if order.customer is None:
            continue
        for row in reversed(order.rows):
            key = (order.customer, codes[row])
            if key in wanted:
                yield key, Lot(order.number, order.at, price[row], quantity[row], values[row])


def _apply(credit: Invoice, shelves: Shelves, table: Table, result: Returns) -> None:
    quantity, price, stock_code = table[QUANTITY], table[PRICE], table[STOCK_CODE]
    given: dict[str, tuple[list[int], Counter[str]]] = {}
    for row in credit.rows:
        wanted = -quantity[row]
        key = (credit.customer, stock_code.codes[row])
        taken = shelves.take(key, wanted, price[row])
        for each in taken:
            value, quantities = given.setdefault(each.order, ([], Counter()))
            value.append(each.value)
            quantities[stock_code[row]] += each.quantity
        result.quantity += wanted
        result.quantity_unmatched += wanted - sum(each.quantity for each in taken)
        if taken:
            result.rows_applied += 1
        else:
            reason = "no customer" if credit.customer is None else "no order found"
            result.rows_not_applied[reason] += 1
    for order, (value, quantities) in given.items():
        lines = tuple(RefundLine(sku, pieces) for sku, pieces in quantities.items())
        refund = Refund(credit.number, credit.at, money.amount(sum(value), CURRENCY), lines)
        result.refunds[order] = (*result.refunds.get(order, ()), refund)
