"""Parquet, written part by part by pyarrow, which is loaded when it is asked for and not before."""

import importlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Context, Decimal, InvalidOperation
from typing import Any

from ordertrail.kit import json

MEDIA_TYPE = "application/vnd.apache.parquet"

_WHOLE_MAX = 2**63
_CONTEXT = Context(prec=38)


class NotInstalled(Exception):
    """What it takes to write Parquet is not there."""


class ParquetWriter:
    """Rows become the bytes of a Parquet file; each write is a group of rows of its own.

    The columns are named, each with one of these kinds: text, whole, decimal (18 decimals), money
    (4 decimals), flag, moment, json (as text), wholes, texts, lines (of an order). A value that is
    none of its column's kind is left out; a text takes any value, as JSON. Raises NotInstalled.
    """

    def __init__(self, columns: Sequence[tuple[str, str]]) -> None:
        try:
            self._arrow = importlib.import_module("pyarrow")
            parquet = importlib.import_module("pyarrow.parquet")
        except ModuleNotFoundError:
            raise NotInstalled("Parquet needs pyarrow: pip install 'ordertrail[insight]'") from None
        self._columns = [(name, _READERS[kind]) for name, kind in columns]
        types = _types(self._arrow)
        self._schema = self._arrow.schema([(name, types[kind]) for name, kind in columns])
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


def _types(arrow: Any) -> dict[str, Any]:
    line = arrow.struct(
        [
            ("product_id", arrow.int64()),
            ("product_custom_id", arrow.string()),
            ("quantity", arrow.int64()),
            ("value", arrow.decimal128(18, 6)),
            ("currency", arrow.string()),
        ]
    )
    return {
        "text": arrow.string(),
        "whole": arrow.int64(),
        "decimal": arrow.decimal128(38, 18),
        "money": arrow.decimal128(18, 4),
        "flag": arrow.bool_(),
        "moment": arrow.timestamp("us", tz="UTC"),
        "json": arrow.string(),
        "wholes": arrow.list_(arrow.int64()),
        "texts": arrow.list_(arrow.string()),
        "lines": arrow.list_(line),
    }


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
    "decimal": _scaled(18),
    "money": _scaled(4),
    "flag": _flag,
    "moment": _moment,
    "json": json.dumps,
    "wholes": _list,
    "texts": _list,
    "lines": _list,
}
