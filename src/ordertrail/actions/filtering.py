"""What the filters of a list find, and which of them mean nothing there."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from ordertrail.domain.attribute import ContentType
from ordertrail.domain.filter import Filter
from ordertrail.kit.database import Reader
from ordertrail.kit.paging import Page
from ordertrail.store import attributes

T = TypeVar("T")

_NOUNS = {
    ContentType.COMPANY: "company",
    ContentType.CONTACT: "contact",
    ContentType.DEAL: "deal",
    ContentType.PRODUCT: "product",
}
_UNFILTERED = {
    ContentType.DEAL: {"order_products": "no filter; use products or products_custom_id"},
}
"""What is shown and finds nothing, and what to use instead."""


@dataclass(frozen=True, slots=True)
class Found(Generic[T]):
    """A page of a list, and warnings about filters that mean nothing there."""

    page: Page[T]
    warnings: tuple[str, ...] = ()


def found(
    reader: Reader,
    workspace_id: int,
    kind: ContentType,
    filters: Sequence[Filter],
    standard: Collection[str],
    page: Page[T],
) -> Found[T]:
    """Return what was found, and where it is nothing, by which of the filters nothing can be.

    That is a field that is neither a standard one nor an attribute.
    """
    return Found(
        page, () if page.count else _unmeant(reader, workspace_id, kind, filters, standard)
    )


def _unmeant(
    reader: Reader,
    workspace_id: int,
    kind: ContentType,
    filters: Sequence[Filter],
    standard: Collection[str],
) -> tuple[str, ...]:
    asked = {each.field for each in filters}.difference(standard)
    known = attributes.by_names(reader, workspace_id, kind, asked) if asked else {}
    nothing = f"no {_NOUNS[kind]} has such a field"
    told = _UNFILTERED.get(kind, {})
    return tuple(f"{name}: {told.get(name, nothing)}" for name in sorted(asked - known.keys()))
