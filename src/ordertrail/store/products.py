"""Products as rows."""

from collections.abc import Collection, Sequence
from typing import Any

from ordertrail.domain.product import Product, ProductName, ProductUses
from ordertrail.domain.tag import Tag
from ordertrail.kit import clock, json
from ordertrail.kit.database import Reader, Tx
from ordertrail.store import sql
from ordertrail.store.belongings import tags_of

COLUMNS = (
    "p.id, p.custom_id, p.created_at, p.updated_at, p.described_at,"
    f" json(p.details), json(p.attributes), {tags_of('product', 'p')}"
)
_BY_CUSTOM_ID = sql.rows(
    COLUMNS,
    "@list(keys text) j CROSS JOIN products p"
    " WHERE p.workspace_id = :workspace_id AND p.custom_id = j.value",
)
_BY_ID = sql.rows(
    COLUMNS,
    "@list(ids int) j CROSS JOIN products p"
    " WHERE p.workspace_id = :workspace_id AND p.id = j.value",
)
IDS = sql.rows(
    "p.custom_id, p.id",
    "@list(keys text) j CROSS JOIN products p"
    " WHERE p.workspace_id = :workspace_id AND p.custom_id = j.value",
)
_KEYS = sql.rows(
    "p.id, p.custom_id",
    "@list(ids int) j CROSS JOIN products p"
    " WHERE p.workspace_id = :workspace_id AND p.id = j.value",
)
_USES = sql.rows(
    "j.value,"
    " (SELECT count(*) FROM (SELECT o.deal_id FROM order_products o"
    " WHERE o.workspace_id = :workspace_id AND o.product_id = j.value"
    " UNION SELECT l.deal_id FROM deal_products l"
    " WHERE l.workspace_id = :workspace_id AND l.product_id = j.value) f),"
    " (SELECT count(*) FROM product_events e"
    " WHERE e.workspace_id = :workspace_id AND e.product_id = j.value)",
    "@list(ids int) j",
)
_CLEAR_TAGS = (
    "DELETE FROM taggings WHERE workspace_id = :workspace_id AND subject = 'product'"
    " AND subject_id @in(ids int)"
)
_DELETE = "DELETE FROM products WHERE workspace_id = :workspace_id AND id @in(ids int)"
_ALL = "id custom_id created_at updated_at described_at details attributes"
_ADD = sql.insert("products", _ALL)
_CHANGE = sql.update("products", _ALL, "updated_at described_at details attributes")


def by_custom_ids(reader: Reader, workspace_id: int, keys: Collection[str]) -> dict[str, Product]:
    """Return the products with these custom ids."""
    if not keys:
        return {}
    found = reader.rows(_BY_CUSTOM_ID, workspace_id=workspace_id, keys=list(keys))
    return {product.custom_id: product for product in map(from_row, found)}


def by_ids(reader: Reader, workspace_id: int, ids: Collection[int]) -> dict[int, Product]:
    """Return the products with these ids."""
    found = reader.rows(_BY_ID, workspace_id=workspace_id, ids=list(ids)) if ids else []
    return {product.id: product for product in map(from_row, found)}


def by_names(
    reader: Reader, workspace_id: int, names: Collection[ProductName]
) -> dict[ProductName, Product]:
    """Return the products of these names."""
    keys = {name.custom_id for name in names if name.custom_id is not None}
    numbers = {name.id for name in names if name.id is not None}
    by_key = by_custom_ids(reader, workspace_id, keys)
    by_id = by_ids(reader, workspace_id, numbers)
    found = {
        name: by_id.get(name.id or 0) if name.custom_id is None else by_key.get(name.custom_id)
        for name in names
    }
    return {name: product for name, product in found.items() if product is not None}


def uses(reader: Reader, workspace_id: int, ids: Collection[int]) -> dict[int, ProductUses]:
    """Return what each of these products is used by."""
    found = reader.rows(_USES, workspace_id=workspace_id, ids=list(ids)) if ids else []
    return {product_id: ProductUses(*counts) for product_id, *counts in found}


def delete(tx: Tx, workspace_id: int, ids: list[int]) -> None:
    """Delete products that nothing uses, with their tags."""
    if ids:
        for statement in (_CLEAR_TAGS, _DELETE):
            tx.run(statement, workspace_id=workspace_id, ids=ids)


def ids(reader: Reader, workspace_id: int, keys: Collection[str]) -> dict[str, int]:
    """Return the ids of the products with these custom ids."""
    found = reader.rows(IDS, workspace_id=workspace_id, keys=sorted(keys)) if keys else []
    return dict(found)


def custom_ids(reader: Reader, workspace_id: int, ids: Collection[int]) -> dict[int, str]:
    """Return the custom ids of the products with these ids."""
    found = reader.rows(_KEYS, workspace_id=workspace_id, ids=list(ids)) if ids else []
    return dict(found)


def add(tx: Tx, workspace_id: int, products: Sequence[Product]) -> None:
    """Insert new products."""
    if products:
        tx.run(_ADD, workspace_id=workspace_id, rows=[_row(product) for product in products])


def change(tx: Tx, workspace_id: int, products: Sequence[Product]) -> None:
    """Write what changed of products that are there."""
    if products:
        tx.run(_CHANGE, workspace_id=workspace_id, rows=[_row(product) for product in products])


def _row(product: Product) -> list[Any]:
    return [
        product.id,
        product.custom_id,
        clock.to_micros(product.created_at),
        clock.to_micros(product.updated_at),
        clock.optional_micros(product.described_at),
        json.dumps(product.details),
        json.dumps(product.attributes),
    ]


def from_row(row: list[Any]) -> Product:
    """Return the product of a row of the columns."""
    identity, custom_id, created_at, updated_at, described_at, details, attributes, tags = row
    return Product(
        identity,
        custom_id,
        clock.from_micros(created_at),
        clock.from_micros(updated_at),
        clock.optional_moment(described_at),
        details,
        attributes,
        tuple(Tag(*tag) for tag in tags),
    )
