"""Lists of products, by what they are like."""

from collections.abc import Mapping, Sequence

from ordertrail.domain.filter import Filter
from ordertrail.domain.product import DETAILS, Product
from ordertrail.kit.database import Reader
from ordertrail.kit.paging import Page, Place
from ordertrail.store import filters, listing, products
from ordertrail.store.belongings import bearing
from ordertrail.store.filters import Column, Kind

_TABLE = listing.Table("products", "p", products.COLUMNS)
_ATTRIBUTES = Column("p.attributes", Kind.JSON)
COLUMNS: Mapping[str, Column] = {
    **dict.fromkeys(DETAILS, Column("p.details", Kind.JSON)),
    "id": Column("p.id", Kind.NUMBER),
    "custom_id": Column("p.custom_id"),
    "tags": bearing("product", "p"),
    "created_at": Column("p.created_at", Kind.MOMENT),
    "updated_at": Column("p.updated_at", Kind.MOMENT),
}
"""The standard fields of a product; every other name is an attribute."""

DATES = ("created_at", "updated_at")
"""The fields that are times."""


def page(
    reader: Reader, workspace_id: int, sought: Sequence[Filter], place: Place
) -> Page[Product]:
    """Return a page of the products that all filters hold for, newest first."""
    condition = filters.compiled(sought, COLUMNS, _ATTRIBUTES)
    return listing.page(
        reader, workspace_id, _TABLE, condition, place, products.from_row, lambda each: each.id
    )
