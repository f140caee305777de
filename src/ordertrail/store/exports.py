"""Everything of one kind in the order of its ids, some at a time."""

from collections.abc import Collection

from ordertrail.kit.database import Reader
from ordertrail.store import sql

_AFTER = "{table} WHERE workspace_id = :workspace_id AND id > :after{but} ORDER BY id LIMIT :limit"
_CONTACTS = f"SELECT id FROM {_AFTER.format(table='contacts', but=' AND merged_into IS NULL')}"
_DEALS = f"SELECT id FROM {_AFTER.format(table='deals', but='')}"
_PRODUCTS = f"SELECT id FROM {_AFTER.format(table='products', but='')}"
_NAMES = sql.rows(
    "k.id, k.custom_id",
    "@list(ids int) j CROSS JOIN contacts k"
    " WHERE k.workspace_id = :workspace_id AND k.id = j.value AND k.custom_id IS NOT NULL",
)


def contacts_after(reader: Reader, workspace_id: int, after: int, rows_max: int) -> list[int]:
    """Return the next ids of contacts, without those that were merged into others."""
    return _ids(reader, _CONTACTS, workspace_id, after, rows_max)


def deals_after(reader: Reader, workspace_id: int, after: int, rows_max: int) -> list[int]:
    """Return the next ids of deals."""
    return _ids(reader, _DEALS, workspace_id, after, rows_max)


def products_after(reader: Reader, workspace_id: int, after: int, rows_max: int) -> list[int]:
    """Return the next ids of products."""
    return _ids(reader, _PRODUCTS, workspace_id, after, rows_max)


def custom_ids_of_contacts(
    reader: Reader, workspace_id: int, ids: Collection[int]
) -> dict[int, str]:
    """Return the shop's ids of those of the contacts that have one."""
    found = reader.rows(_NAMES, workspace_id=workspace_id, ids=list(ids)) if ids else []
    return dict(found)


def _ids(reader: Reader, query: str, workspace_id: int, after: int, rows_max: int) -> list[int]:
    found = reader.fetch(query, workspace_id=workspace_id, after=after, limit=rows_max)
    return [number for [number] in found]
