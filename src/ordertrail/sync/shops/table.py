"""The CSV layout: one row a line of an order, as `docs/formats.md` describes it.

The rows of an order need not stand together, so the file is read whole before the first order is
made; `columns` keeps it small.
"""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

from ordertrail.domain.errors import Invalid
from ordertrail.domain.order import Customer, Line, Order, Refund, RefundLine
from ordertrail.sync.shops import columns
from ordertrail.sync.shops.columns import Table
from ordertrail.sync.shops.readings import (
    EVERYTHING,
    SHOP,
    Counts,
    Options,
    Rejected,
    sift,
)
from ordertrail.sync.shops.table_columns import (
    ATTRIBUTE,
    CUSTOMER,
    OF_A_LINE,
    OF_A_REFUND,
    OF_THE_ORDER,
    Wrong,
    fields,
    order_wide,
)

SUFFIXES = (".csv", ".csv.gz")


class _Refusal(Exception):
    """An order that its rows do not make: the row, the column and why."""

    def __init__(self, row: int, column: str, reason: str) -> None:
        super().__init__(reason)
        self.row, self.column, self.reason = row, column, reason


@dataclass(slots=True)
class Reading:
    """One file, read whole; an order whose rows are wrong is given as Rejected."""

    name: str
    options: Options
    _table: Table = field(repr=False)
    _rows: list["array[int]"] = field(repr=False)
    source: str = SHOP
    accounts: Counts = field(default_factory=lambda: Counts("orders in the file"))

    @property
    def order_count(self) -> int | None:
        """How many orders there are; None when some are left out by their time."""
        if self.options.since is not None:
            return None
        count = len(self._rows)
        return count if self.options.limit is None else min(count, self.options.limit)

    def orders(self) -> Iterator[Order | Rejected]:
        """Yield every order by its first row, as an order or what is wrong with it."""
        self.accounts = Counts("orders in the file")
        yield from sift(self._found(), self.options, self.accounts)

    def _found(self) -> Iterator[tuple[str, Order | Rejected]]:
        wide = order_wide(self._table)
        for rows in self._rows:
            found = self._table.columns["order_id"][rows[0]]
            try:
                yield self._place(rows[0]), _Maker(self._table, rows, wide).order(found)
            except _Refusal as error:
                place, known = self._place(error.row), None if isinstance(found, Wrong) else found
                yield place, Rejected(known, place, f"{error.column}: {error.reason}")

    def _place(self, row: int) -> str:
        return f"{self.name} {self._table.place} {self._table.places[row]}"


def read(path: Path, options: Options = EVERYTHING) -> Reading:
    """Read a `.csv` or `.csv.gz` file of the layout.

    Raises Invalid, before any order is made, for a file that is not CSV, for unknown and missing
    columns, and for a row that has not as many cells as the header.
    """
    if not path.name.lower().endswith(SUFFIXES):
        raise Invalid({path.name: f"is none of {', '.join(SUFFIXES)}"})
    table = columns.read(path, fields(path, options.zone))
    return Reading(path.name, options, table, _rows_by_order(table))


def _rows_by_order(table: Table) -> list["array[int]"]:
    """The rows of each order; a row without a readable id stands alone."""
    column = table.columns["order_id"]
    found: list[array[int]] = []
    by_code: dict[int, array[int]] = {}
    for row, code in enumerate(column.codes):
        rows = by_code.get(code)
        if rows is None:
            rows = array("i")
            found.append(rows)
            if not isinstance(column.values[code], Wrong):
                by_code[code] = rows
        rows.append(row)
    return found


class _Maker:
    """Makes one order of its rows; raises _Refusal."""

    def __init__(self, table: Table, rows: "array[int]", wide: list[str]) -> None:
        self._columns, self._rows = table.columns, rows
        self._places, self._place = table.places, table.place
        self._wide, self._said = wide, dict[str, Any]()

    def order(self, order_id: str | Wrong) -> Order:
        """Return the order."""
        if isinstance(order_id, Wrong):
            raise _Refusal(self._rows[0], "order_id", order_id.reason)
        said = self._said = {name: self._agreed(name, self._rows) for name in self._wide}
        for name in ("placed_at", "currency"):
            if said[name] is None:
                raise _Refusal(self._rows[0], name, "is empty in every row of the order")
        lines, refunds = self._lines_and_refunds()
        return Order(
            id=order_id,
            customer=Customer(**{to: said.get(name) for name, to in CUSTOMER.items()}),
            lines=lines,
            refunds=refunds,
            attributes={
                name.removeprefix(ATTRIBUTE).strip(): value
                for name, value in said.items()
                if name.startswith(ATTRIBUTE) and value is not None
            },
            **self._fields(),
        )

    def _fields(self) -> dict[str, Any]:
        return {name: self._said.get(name) for name in OF_THE_ORDER}

    def _agreed(self, name: str, rows: "array[int] | list[int]") -> Any:
        """What the rows say in a column, which is one thing or nothing."""
        column = self._columns[name]
        codes, values = column.codes, column.values
        found, said_in = None, 0
        for row in rows:
            value = values[codes[row]]
            if value is None or value is found:
                continue
            if isinstance(value, Wrong):
                raise _Refusal(row, name, value.reason)
            if found is not None:
                before = f"{self._place} {self._places[said_in]}"
                raise _Refusal(row, name, f"is not what {before} says of the same order")
            found, said_in = value, row
        return found

    def _cell(self, row: int, name: str) -> Any:
        column = self._columns.get(name)
        value = None if column is None else column[row]
        if isinstance(value, Wrong):
            raise _Refusal(row, name, value.reason)
        return value

    def _needed(self, row: int, name: str) -> Any:
        value = self._cell(row, name)
        if value is None:
            raise _Refusal(row, name, "is empty")
        return value

    def _lines_and_refunds(self) -> tuple[tuple[Line, ...], tuple[Refund, ...]]:
        lines: list[Line] = []
        refunds: dict[str, list[int]] = {}
        for row in self._rows:
            refund = self._cell(row, "refund_id")
            if refund is not None:
                self._nothing(row, OF_A_LINE[:2], "must be empty in a row of a refund")
                refunds.setdefault(refund, []).append(row)
                continue
            self._nothing(row, OF_A_REFUND, "needs a refund_id in the same row")
            if any(self._cell(row, name) is not None for name in ("sku", *OF_A_LINE)):
                lines.append(self._line(row))
        return tuple(lines), tuple(self._refund(*each) for each in refunds.items())

    def _nothing(self, row: int, names: tuple[str, ...], reason: str) -> None:
        for name in names:
            if self._cell(row, name) is not None:
                raise _Refusal(row, name, reason)

    def _line(self, row: int) -> Line:
        price = cast(Decimal, self._needed(row, "unit_price"))
        return Line(
            self._cell(row, "sku"), self._needed(row, "quantity"), price, self._cell(row, "name")
        )

    def _refund(self, refund_id: str, rows: list[int]) -> Refund:
        at, value = (self._agreed_and_said(name, rows) for name in ("refund_at", "refund_value"))
        lines = [self._refund_line(row) for row in rows]
        return Refund(refund_id, at, value, tuple(line for line in lines if line is not None))

    def _agreed_and_said(self, name: str, rows: list[int]) -> Any:
        said = self._agreed(name, rows) if name in self._columns else None
        if said is None:
            raise _Refusal(rows[0], name, "is empty in every row of the refund")
        return said

    def _refund_line(self, row: int) -> RefundLine | None:
        quantity, sku = self._cell(row, "refund_quantity"), self._cell(row, "sku")
        if quantity is None:
            if sku is not None:
                raise _Refusal(row, "refund_quantity", "is empty, though the row names a sku")
            return None
        if sku is None:
            raise _Refusal(row, "sku", "is empty, though the row has a refund_quantity")
        return RefundLine(sku, quantity)
