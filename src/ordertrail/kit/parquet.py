"""Parquet, written part by part by pyarrow, which is loaded when it is asked for and not before."""

import importlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Context, Decimal, InvalidOperation
from typing import Any

from ordertrail.kit import json

MEDIA_TYPE = "application/vnd.apache.parquet"

_WHOLE_MAX = 2**63
_CONTEXT = Context(prec=38)


class NotInstalled(Exception):
    """What it takes to write Parquet is not there."""


@dataclass(frozen=True, slots=True)
class Scaled:
    """A decimal number of so many digits, so many of them behind the point."""

    digits: int
    decimals: int


@dataclass(frozen=True, slots=True)
class Records:
    """A list of records, each with these fields and their types."""

    fields: "Sequence[tuple[str, Type]]"


Type = str | Scaled | Records
"""What a column holds. By name: text, whole, flag, moment, json (as text), wholes, texts."""


class ParquetWriter:
    """Rows become the bytes of a Parquet file; each write is a group of rows of its own.

    The columns are named, each with its type. A value that is not of its column's type is left
    out; a text takes any value, as JSON. Raises NotInstalled.
    """

    def __init__(self, columns: Sequence[tuple[str, Type]]) -> None:
        try:
            self._arrow = importlib.import_module("pyarrow")
            parquet = importlib.import_module("pyarrow.parquet")
        except ModuleNotFoundError:
            raise NotInstalled("Parquet needs pyarrow: pip install 'ordertrail[insight]'") from None
        self._columns = [(name, _reader(of)) for name, of in columns]
        self._schema = self._arrow.schema([(name, _type(self._arrow, of)) for name, of in columns])
        self._sink = _Sink()
        self._writer = parquet.ParquetWriter(self._sink, self._schema, compression="zstd")

    def write(self, rows: Iterable[Mapping[str, Any]]) -> bytes:
        """Take the rows, and return what of the file is ready."""
        kept = list(rows)
        if kept:
            arrays = [
                self._arrow.array([_held(read, row.get(name)) for row in kept], type=field.type)
                for (name, read), field in zip(self._columns, self._schema, strict=True)
            ]
            self._writer.write_table(self._arrow.Table.from_arrays(arrays, schema=self._schema))
        return self._sink.taken()

    def close(self) -> bytes:
        """Return the end of the file."""
        self._writer.close()
        return self._sink.taken()


class _Sink:
    """A file that is handed on as it grows."""

    closed = False

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0

    def write(self, data: Any) -> int:
        part = bytes(data)
        self._parts.append(part)
        self._size += len(part)
        return len(part)

    def tell(self) -> int:
        return self._size

    def flush(self) -> None:
        pass

    def close(self) -> None:
        self.closed = True

    def readable(self) -> bool:
        return False

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False

    def taken(self) -> bytes:
        parts, self._parts = self._parts, []
        return b"".join(parts)


def _type(arrow: Any, of: Type) -> Any:
    if isinstance(of, Scaled):
        return arrow.decimal128(of.digits, of.decimals)
    if isinstance(of, Records):
        return arrow.list_(arrow.struct([(name, _type(arrow, each)) for name, each in of.fields]))
    types = {
        "text": arrow.string(),
        "whole": arrow.int64(),
        "flag": arrow.bool_(),
        "moment": arrow.timestamp("us", tz="UTC"),
        "json": arrow.string(),
        "wholes": arrow.list_(arrow.int64()),
        "texts": arrow.list_(arrow.string()),
    }
    return types[of]


def _reader(of: Type) -> Callable[[Any], Any]:
    if isinstance(of, Scaled):
        return _scaled(of.decimals)
    return _list if isinstance(of, Records) else _READERS[of]


def _held(read: Callable[[Any], Any], value: Any) -> Any:
    return None if value is None else read(value)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _whole(value: Any) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) >= _WHOLE_MAX:
        return None
    return value


def _scaled(decimals: int) -> Callable[[Any], Decimal | None]:
    quantum = Decimal(1).scaleb(-decimals)

    def read(value: Any) -> Decimal | None:
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            return None
        try:
            return _CONTEXT.quantize(Decimal(value), quantum)
        except InvalidOperation:
            return None

    return read


def _flag(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _moment(value: Any) -> datetime | None:
    return value if isinstance(value, datetime) else None


def _list(value: Any) -> list[Any]:
    return list(value)


_READERS: dict[str, Callable[[Any], Any]] = {
    "text": _text,
    "whole": _whole,
    "flag": _flag,
    "moment": _moment,
    "json": json.dumps,
    "wholes": _list,
    "texts": _list,
}
