"""CSV files of contacts, products and deals: their header, and what each row says."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ordertrail.domain.attribute import Attribute, ContentType, standard_name
from ordertrail.domain.errors import Invalid
from ordertrail.wire import columns, csv_faults, csv_rows
from ordertrail.wire.columns import Column, Kind

COLUMNS_MAX = 3_000
CELL_CHARS_MAX = 4 << 20
_DELIMITERS = ",;\t"

_OF_LINE = {
    "product_id": Column("product_id", Kind.WHOLE),
    "product_custom_id": Column("product_custom_id"),
    "product_quantity": Column("quantity", Kind.WHOLE),
    "product_value": Column("value", Kind.DECIMAL),
    "product_currency": Column("currency"),
}
"""Columns that say a line of an order, and what they are in it."""

_LINES = "order_products"
_SAID_TWICE = (("user_custom_id", "user_id"), ("products_custom_id", "products"))
"""Where both are in a row, the shop's id counts."""

_NAMING = {ContentType.CONTACT: ("custom_id", "email", "user_key")}
"""The columns of which one has to be there, where it is not `custom_id` alone."""


@dataclass(frozen=True, slots=True)
class SheetRow:
    """What one row says, or the rows of one order together: the fields, or why there are none.

    `line` is where it begins in the file, and `rows` of how many it is made. What it tells and
    does not set, such as an id, is in `told`.
    """

    line: int
    sent: dict[str, Any]
    wrong: dict[str, str] = field(default_factory=dict)
    rows: int = 1
    told: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> tuple[str, Any] | None:
        """What two rows of one thing have in common: its custom id, without one its id."""
        if "custom_id" in self.sent:
            return "custom_id", self.sent["custom_id"]
        return ("id", self.told["id"]) if "id" in self.told else None


@dataclass(frozen=True, slots=True)
class Sheet:
    """A file whose header was read; `line_columns` are the places of what says a line of an order.

    `ignored` are columns that tell and do not set.
    """

    raw: bytes
    kind: ContentType
    delimiter: str
    columns: Sequence[Column]
    line_columns: Mapping[int, Column]
    ignored: Sequence[str]

    @property
    def has_lines(self) -> bool:
        """Whether several rows may be one order."""
        return bool(self.line_columns)

    def rows(self) -> Iterator[SheetRow]:
        """Yield every row; rows that follow one another and are one order are one.

        Where the file is no CSV any more, the last one says so.
        """
        single = self._single_rows()
        return _joined(single) if self.has_lines else (row for row, _ in single)

    def _single_rows(self) -> "Iterator[tuple[SheetRow, dict[str, Any]]]":
        """Each row by itself, with the line of an order that it says."""
        reader = _reader(self.raw, self.delimiter)
        next(reader)
        line = reader.line_num + 1
        try:
            for cells in reader:
                if any(cells):
                    yield self._row(line, cells)
                line = reader.line_num + 1
        except csv.Error as error:
            why = csv_faults.reason(self.raw, line, reader.line_num, error)
            yield SheetRow(line, {}, {"row": f"{why}; nothing from here on was read"}), {}

    def _row(self, line: int, cells: list[str]) -> tuple[SheetRow, dict[str, Any]]:
        if len(cells) > len(self.columns):
            reason = f"has {len(cells)} cells, and the header {len(self.columns)}"
            return SheetRow(line, {}, {"row": reason}), {}
        sent: dict[str, Any] = {}
        of_line: dict[str, Any] = {}
        told: dict[str, Any] = {}
        for place, text in enumerate(cells):
            if text:
                of_order = self.line_columns.get(place)
                column = of_order or self.columns[place]
                said = of_line if of_order else told if column.is_told else sent
                said[column.name] = csv_rows.value(column.kind, text)
        for name, other in _SAID_TWICE:
            if name in sent:
                sent.pop(other, None)
        return SheetRow(line, sent, told=told), of_line


def read(raw: bytes, kind: ContentType, attributes: Iterable[Attribute]) -> Sheet:
    """Return the file with its header read; raises Invalid when it has none that will do.

    The first line tells by what cells are parted: comma, semicolon or tab.
    """
    csv_faults.check_text(raw)
    # The limit is the process's: it is never lowered under another file that is being read.
    csv.field_size_limit(max(csv.field_size_limit(), CELL_CHARS_MAX))
    delimiter = _delimiter(raw)
    reader = _reader(raw, delimiter)
    try:
        names: list[str] = next(reader, [])
    except csv.Error as error:
        why = csv_faults.reason(raw, 1, reader.line_num, error)
        raise Invalid({"header": f"cannot be read: {why}"}) from None
    if not names:
        raise Invalid({"file": "is empty: the first line of the file names its columns"})
    if len(names) > COLUMNS_MAX:
        raise Invalid({"header": f"names more than {COLUMNS_MAX} columns"})
    nameless = [str(place) for place, name in enumerate(names, 1) if not name.strip()]
    if nameless:
        raise Invalid({"header": f"gives no name to column {', '.join(nameless[:10])}"})
    line_columns = _line_columns(names) if kind is ContentType.DEAL else {}
    known = _known(kind, attributes)
    found = [
        line_columns[place] if place in line_columns else _column(name, known)
        for place, name in enumerate(names)
    ]
    own = [column for place, column in enumerate(found) if place not in line_columns]
    _check_names(kind, [column.name for column in own])
    ignored = [column.name for column in own if column.is_told]
    return Sheet(raw, kind, delimiter, found, line_columns, ignored)


def _known(kind: ContentType, attributes: Iterable[Attribute]) -> dict[str, Column]:
    """The columns by their names, and by what people call their attributes."""
    by_name: dict[str, Column] = {}
    for each in attributes:
        column = columns.of_attribute(each)
        if each.display_name:
            by_name.setdefault(each.display_name.strip().lower(), column)
        by_name[each.name] = column
    return by_name | {column.name: column for column in columns.standard(kind)}


def _column(text: str, known: Mapping[str, Column]) -> Column:
    name = standard_name(text)
    found = known.get(name) or known.get(text.strip().lower())
    return Column(name) if found is None else found


def _line_columns(names: Sequence[str]) -> dict[int, Column]:
    folded = {place: name.strip().lower().replace(" ", "_") for place, name in enumerate(names)}
    return {place: _OF_LINE[name] for place, name in folded.items() if name in _OF_LINE}


def _check_names(kind: ContentType, names: Sequence[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise Invalid({"header": f"names a column twice: {', '.join(twice)}"})
    wanted = _NAMING.get(kind, ("custom_id",))
    if not set(wanted) & set(names):
        raise Invalid({"header": f"names no column {' or '.join(wanted)}"})


def _joined(rows: Iterator[tuple[SheetRow, dict[str, Any]]]) -> Iterator[SheetRow]:
    """Make one of the rows that follow one another and are one order."""
    order: _Order | None = None
    for row, line in rows:
        if order is not None and not order.goes_on_with(row):
            yield order.done()
            order = None
        if order is None:
            order = _Order(row.line)
        order.take(row, line)
    if order is not None:
        yield order.done()


class _Order:
    """An order on its way; a further row may repeat what was said of it, or leave it out."""

    def __init__(self, line: int) -> None:
        self._line = line
        self._sent: dict[str, Any] = {}
        self._told: dict[str, Any] = {}
        self._name: tuple[str, Any] | None = None
        self._wrong: dict[str, str] = {}
        self._lines: list[dict[str, Any]] = []
        self._rows = 0

    def goes_on_with(self, row: SheetRow) -> bool:
        return row.name is not None and row.name == self._name

    def take(self, row: SheetRow, line: dict[str, Any]) -> None:
        self._rows += 1
        self._name = row.name
        self._told = row.told | self._told
        self._wrong |= row.wrong
        for name, value in row.sent.items():
            if self._sent.setdefault(name, value) != value:
                self._wrong[name] = f"is another one in line {row.line} than in line {self._line}"
        if line:
            self._lines.append(line)

    def done(self) -> SheetRow:
        if self._lines and _LINES in self._sent:
            self._wrong[_LINES] = "is said in a cell and by columns; choose"
        sent = {**self._sent, _LINES: self._lines} if self._lines else self._sent
        return SheetRow(self._line, sent, self._wrong, self._rows, self._told)


def _reader(raw: bytes, delimiter: str) -> Any:
    file = io.TextIOWrapper(io.BytesIO(raw), "utf-8-sig", newline="")
    return csv.reader(file, delimiter=delimiter, strict=True)


def _delimiter(raw: bytes) -> str:
    first = raw[:CELL_CHARS_MAX].split(b"\n", 1)[0]
    return max(_DELIMITERS, key=lambda each: first.count(each.encode()))
