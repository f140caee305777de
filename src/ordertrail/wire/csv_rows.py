"""Rows as CSV: cells that a spreadsheet takes for nothing but values, and values from such cells.

A text that a spreadsheet would take for a formula, and in a column of other values any text, has a
`'` before it; who reads takes it away again, so that what was written is what is read.
"""

import csv
import io
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from ordertrail.domain.errors import Invalid
from ordertrail.wire import body
from ordertrail.wire.columns import Column, Kind, Row

MEDIA_TYPE = "text/csv; charset=utf-8"

_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_MARKED = re.compile(r"'+[=+\-@\t\r]")
_WHOLE = re.compile(r"-?[0-9]{1,18}", re.ASCII)
_DECIMAL = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,18})?", re.ASCII)
_FLAGS = {"true": True, "false": False}


def header(columns: Sequence[Column]) -> bytes:
    """Return the names of the columns as the first line."""
    return _written([[column.name for column in columns]])


def lines(columns: Sequence[Column], rows: Iterable[Row]) -> bytes:
    """Return the rows as lines; an empty cell is what there is no value of."""
    places = [(column.name, column.kind) for column in columns]
    return _written([[cell(kind, row.get(name)) for name, kind in places] for row in rows])


def cell(kind: Kind, value: Any) -> str:
    """Return a value as the text of a cell."""
    if value is None or value == []:
        return ""
    if isinstance(value, str):
        return _text(kind, value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, datetime):
        return body.iso(value)
    return str(value) if isinstance(value, int) else body.encode(value).decode()


def value(kind: Kind, text: str) -> Any:
    """Return the value in a cell; what is none of the column's kind stays the text that it is."""
    if kind is Kind.TEXT:
        return text[1:] if _MARKED.match(text) else text
    if text.startswith("'"):
        return text[1:]
    read = _READERS.get(kind)
    return text if read is None else read(text)


def _text(kind: Kind, text: str) -> str:
    is_marked = _FORMULA.match(text) if kind is Kind.TEXT else True
    return f"'{text}" if is_marked else text


def _written(rows: Iterable[Sequence[str]]) -> bytes:
    file = io.StringIO(newline="")
    csv.writer(file, lineterminator="\r\n").writerows(rows)
    return file.getvalue().encode()


def _whole(text: str) -> Any:
    return int(text) if _WHOLE.fullmatch(text) else text


def _decimal(text: str) -> Any:
    if not _DECIMAL.fullmatch(text):
        return text
    return int(text) if "." not in text else Decimal(text)


def _flag(text: str) -> Any:
    return _FLAGS.get(text.strip().lower(), text)


def _json(text: str) -> Any:
    try:
        return body.parse(text.encode())
    except Invalid:
        return text


_READERS: dict[Kind, Callable[[str], Any]] = {
    Kind.WHOLE: _whole,
    Kind.DECIMAL: _decimal,
    Kind.MONEY: _decimal,
    Kind.FLAG: _flag,
    Kind.JSON: _json,
    Kind.WHOLES: _json,
    Kind.TEXTS: _json,
    Kind.LINES: _json,
}
