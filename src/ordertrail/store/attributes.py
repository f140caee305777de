"""Attribute definitions as rows."""

from collections.abc import Collection, Sequence
from typing import Any

from ordertrail.domain.attribute import Attribute, ContentType, ValueType
from ordertrail.kit import json
from ordertrail.kit.database import Reader, Tx
from ordertrail.kit.paging import Page, Place
from ordertrail.store import listing, sql
from ordertrail.store.listing import Condition, Table

_COLUMNS = (
    "a.id, a.content_type, a.name, a.value_type, a.is_inferred, a.display_name, a.description,"
    " json(a.choices), a.allows_many"
)
_BY_NAME = sql.rows(
    _COLUMNS,
    "@list(names text) j CROSS JOIN attributes a WHERE a.workspace_id = :workspace_id"
    " AND a.content_type = :content_type AND a.name = j.value",
)
_BY_ID = sql.rows(
    _COLUMNS,
    "@list(ids int) j CROSS JOIN attributes a"
    " WHERE a.workspace_id = :workspace_id AND a.id = j.value",
)
_OF_TYPE = sql.rows(
    _COLUMNS,
    "(SELECT * FROM attributes WHERE workspace_id = :workspace_id"
    " AND content_type = :content_type ORDER BY id) a",
)
_COUNT = (
    "SELECT count(*) FROM attributes a"
    " WHERE a.workspace_id = :workspace_id AND a.content_type = :content_type"
)
_ALL = "id content_type name value_type is_inferred display_name description choices allows_many"
_ADD = sql.insert("attributes", _ALL)
_CHANGE = sql.update(
    "attributes",
    _ALL,
    "value_type is_inferred display_name description choices allows_many",
)
_DELETE = "DELETE FROM attributes WHERE workspace_id = :workspace_id AND id @in(ids int)"
_TABLE = Table("attributes", "a", _COLUMNS)


def by_names(
    reader: Reader, workspace_id: int, content_type: ContentType, names: Collection[str]
) -> dict[str, Attribute]:
    """Return those attribute definitions of one kind of thing that have these names, by name."""
    found = reader.rows(
        _BY_NAME,
        workspace_id=workspace_id,
        content_type=str(content_type),
        names=list(names),
    )
    return {attribute.name: attribute for attribute in map(_attribute, found)}


def by_ids(reader: Reader, workspace_id: int, ids: Collection[int]) -> dict[int, Attribute]:
    """Return the attribute definitions with these ids."""
    found = reader.rows(_BY_ID, workspace_id=workspace_id, ids=list(ids)) if ids else []
    return {row[0]: _attribute(row) for row in found}


def of_type(reader: Reader, workspace_id: int, content_type: ContentType) -> list[Attribute]:
    """Return all attribute definitions of one kind of thing, oldest first."""
    found = reader.rows(_OF_TYPE, workspace_id=workspace_id, content_type=str(content_type))
    return [_attribute(row) for row in found]


def page(
    reader: Reader, workspace_id: int, content_type: ContentType | None, place: Place
) -> Page[Attribute]:
    """Return a page of attribute definitions, of one kind of thing or of all, newest first."""
    condition = listing.EVERYTHING
    if content_type is not None:
        condition = Condition("a.content_type = :kind", {"kind": str(content_type)})
    return listing.page(
        reader, workspace_id, _TABLE, condition, place, _attribute, lambda each: each.id or 0
    )


def count(reader: Reader, workspace_id: int, content_type: ContentType) -> int:
    """Return how many attributes of one kind of thing there are."""
    found = reader.fetch(_COUNT, workspace_id=workspace_id, content_type=str(content_type))
    return int(found[0][0])


def add(tx: Tx, workspace_id: int, attributes: Sequence[Attribute]) -> None:
    """Insert attribute definitions."""
    if attributes:
        tx.run(_ADD, workspace_id=workspace_id, rows=_rows(attributes))


def change(tx: Tx, workspace_id: int, attributes: Sequence[Attribute]) -> None:
    """Write attribute definitions that are there; their names stay."""
    if attributes:
        tx.run(_CHANGE, workspace_id=workspace_id, rows=_rows(attributes))


def delete(tx: Tx, workspace_id: int, ids: Collection[int]) -> None:
    """Delete definitions; values that were kept under them stay."""
    if ids:
        tx.run(_DELETE, workspace_id=workspace_id, ids=list(ids))


def _rows(attributes: Sequence[Attribute]) -> list[Any]:
    return [
        [
            each.id,
            str(each.content_type),
            each.name,
            str(each.value_type),
            int(each.is_inferred),
            each.display_name,
            each.description,
            json.dumps(each.choices),
            int(each.allows_many),
        ]
        for each in attributes
    ]


def _attribute(row: list[Any]) -> Attribute:
    identity, kind, name, value_type, is_inferred, display_name, description, choices, many = row
    return Attribute(
        ContentType(kind),
        name,
        ValueType(value_type),
        bool(is_inferred),
        identity,
        display_name,
        description,
        tuple(choices),
        bool(many),
    )
