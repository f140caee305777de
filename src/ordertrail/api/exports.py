"""Exports: all contacts, deals or products as one file that is made while it is sent.

It is read in parts by key, each on a view of its own: no view is held for longer than a part
takes, and nothing but the part is kept.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from ordertrail.actions import attributes, exports
from ordertrail.api.call import Answer, Call, Streamed
from ordertrail.api.route import OWN, Route
from ordertrail.domain.attribute import ContentType
from ordertrail.domain.errors import Invalid
from ordertrail.kit import parquet
from ordertrail.kit.database import Reader
from ordertrail.kit.parquet import NotInstalled, ParquetWriter, Records, Scaled
from ordertrail.wire import columns, csv_rows, lines
from ordertrail.wire.columns import Column, Kind, Row

ROWS_A_READ = 500
ROWS_A_WRITE = 5_000
"""How many rows of a Parquet file stand together in one group."""

_NOT_INSTALLED = 501

_IN_PARQUET: dict[Kind, parquet.Type] = {
    Kind.DECIMAL: Scaled(38, 18),
    Kind.MONEY: Scaled(18, 4),
    Kind.LINES: Records(
        (
            ("product_id", "whole"),
            ("product_custom_id", "text"),
            ("quantity", "whole"),
            ("value", Scaled(18, 6)),
            ("currency", "text"),
        )
    ),
}
"""Kinds of columns that are not of the type of their name there."""

Read = Callable[[Reader, int, int], list[Row]]
"""The next rows of a workspace behind an id."""


class Form(Protocol):
    """How rows become bytes."""

    def begin(self) -> bytes:
        """Return what stands before the first row."""
        ...

    def rows(self, rows: Sequence[Row]) -> bytes:
        """Return what is ready when these rows are taken."""
        ...

    def end(self) -> bytes:
        """Return what stands behind the last row."""
        ...


@dataclass(frozen=True, slots=True)
class _Csv:
    columns: Sequence[Column]

    def begin(self) -> bytes:
        return csv_rows.header(self.columns)

    def rows(self, rows: Sequence[Row]) -> bytes:
        return csv_rows.lines(self.columns, rows)

    def end(self) -> bytes:
        return b""


@dataclass(frozen=True, slots=True)
class _Lines:
    columns: Sequence[Column]

    def begin(self) -> bytes:
        return b""

    def rows(self, rows: Sequence[Row]) -> bytes:
        names = [column.name for column in self.columns]
        return lines.encode({name: lines.plain(row.get(name)) for name in names} for row in rows)

    def end(self) -> bytes:
        return b""


class _Parquet:
    def __init__(self, columns: Sequence[Column]) -> None:
        self._writer = ParquetWriter(
            [(column.name, _IN_PARQUET.get(column.kind, str(column.kind))) for column in columns]
        )
        self._waiting: list[Row] = []

    def begin(self) -> bytes:
        return b""

    def rows(self, rows: Sequence[Row]) -> bytes:
        self._waiting += rows
        return self._written() if len(self._waiting) >= ROWS_A_WRITE else b""

    def end(self) -> bytes:
        return self._written() + self._writer.close()

    def _written(self) -> bytes:
        rows, self._waiting = self._waiting, []
        return self._writer.write(rows)


_FORMS: dict[str, tuple[str, Callable[[Sequence[Column]], Form]]] = {
    "csv": (csv_rows.MEDIA_TYPE, _Csv),
    "jsonl": (lines.TYPES[0], _Lines),
    "parquet": (parquet.MEDIA_TYPE, _Parquet),
}
MEDIA_TYPES = tuple(media_type for media_type, _ in _FORMS.values())


def _contacts(reader: Reader, workspace_id: int, after: int) -> list[Row]:
    found = exports.contacts_after(reader, workspace_id, after, ROWS_A_READ)
    return [columns.of_contact(each) for each in found]


def _products(reader: Reader, workspace_id: int, after: int) -> list[Row]:
    found = exports.products_after(reader, workspace_id, after, ROWS_A_READ)
    return [columns.of_product(each) for each in found]


def _deals(reader: Reader, workspace_id: int, after: int) -> list[Row]:
    found = exports.deals_after(reader, workspace_id, after, ROWS_A_READ)
    return [columns.of_deal(each, found.products, found.contacts) for each in found.deals]


def _route(name: str, kind: ContentType, read: Read, says: str) -> Route:
    async def handle(call: Call) -> Answer:
        asked = call.query("format") or "csv"
        if asked not in _FORMS:
            raise Invalid({"format": f"must be one of: {', '.join(_FORMS)}"})
        media_type, make = _FORMS[asked]
        known = await call.read(lambda r: attributes.of_type(r, call.workspace_id, kind))
        defined = frozenset(each.name for each in known) - {columns.UNDEFINED}

        def rows(reader: Reader, workspace_id: int, after: int) -> list[Row]:
            found = read(reader, workspace_id, after)
            return [columns.without_column(each, defined) for each in found]

        try:
            form = await asyncio.to_thread(make, columns.columns(kind, known))
        except NotInstalled as error:
            return Answer({"detail": f"{error}."}, _NOT_INSTALLED)
        headers = {"content-disposition": f'attachment; filename="{name}.{asked}"'}
        return Answer(Streamed(media_type, _parts(call, form, rows)), headers=headers)

    return Route(
        "GET",
        f"{OWN}/export/{name}/",
        handle,
        f"{says} as a file: CSV, JSON Lines or Parquet",
        queries=("format",),
        media=MEDIA_TYPES,
    )


async def _parts(call: Call, form: Form, read: Read) -> AsyncGenerator[bytes, None]:
    """The parts of the file, empty ones among them."""
    yield form.begin()
    after: int | None = 0
    while after is not None:
        part, after = await call.read(_part(call.workspace_id, form, read, after))
        yield part
    yield await asyncio.to_thread(form.end)


def _part(
    workspace_id: int, form: Form, read: Read, after: int
) -> Callable[[Reader], tuple[bytes, int | None]]:
    """What reads the next part, and tells where the one behind it begins, if there is one."""

    def work(reader: Reader) -> tuple[bytes, int | None]:
        rows = read(reader, workspace_id, after)
        following = int(rows[-1]["id"]) if len(rows) == ROWS_A_READ else None
        return form.rows(rows), following

    return work


ROUTES: tuple[Route, ...] = (
    _route("users", ContentType.CONTACT, _contacts, "all contacts"),
    _route("products", ContentType.PRODUCT, _products, "all products"),
    _route("deals", ContentType.DEAL, _deals, "all orders with their lines"),
)
