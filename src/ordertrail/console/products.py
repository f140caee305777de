"""Products: the list, and one product with its event counts and deals."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import ClassVar

from ordertrail.actions import browse
from ordertrail.actions.browse import DealRow, ProductRow
from ordertrail.console import say
from ordertrail.console.deals import address
from ordertrail.console.desk import Visit
from ordertrail.console.say import Field
from ordertrail.kit.database import Reader

ADDRESS = "/console/products"


@dataclass(frozen=True, slots=True)
class ProductsPage:
    """A page of the list; `next` is the address of the following one."""

    template: ClassVar[str] = "products.html"
    section: ClassVar[str] = "products"

    q: str
    count: int
    products: Sequence[ProductRow]
    is_first: bool
    first: str
    next: str | None

    @property
    def title(self) -> str:
        """The page's name."""
        return "Products"


@dataclass(frozen=True, slots=True)
class ProductPage:
    """One product; its price is shown in the currency of the newest line that has it."""

    template: ClassVar[str] = "product.html"
    section: ClassVar[str] = "products"

    id: int
    custom_id: str
    name: str
    price: Decimal | None
    currency: str | None
    created_at: datetime
    updated_at: datetime
    tags: Sequence[str]
    attributes: Sequence[Field]
    event_counts: Mapping[str, int]
    deals: Sequence[DealRow]
    deal_count: int

    @property
    def title(self) -> str:
        """The page's name."""
        return self.name


def products(reader: Reader, visit: Visit) -> ProductsPage:
    """Read a page of the list."""
    text = visit.text("q")
    cursor = visit.query.get("cursor")
    page = browse.products(reader, visit.workspace.id, text, cursor)
    return ProductsPage(
        q=text,
        count=page.count,
        products=page.items,
        is_first=not cursor,
        first=address(ADDRESS, {"q": text}),
        next=address(ADDRESS, {"q": text}, page.next_cursor) if page.next_cursor else None,
    )


def product(reader: Reader, visit: Visit) -> ProductPage:
    """Read the page of one product; raises NotFound."""
    view = browse.product(reader, visit.workspace.id, visit.number)
    found = view.product
    values = {**found.details, **found.attributes}
    left = {name: value for name, value in values.items() if name not in ("name", "price")}
    return ProductPage(
        id=found.id,
        custom_id=found.custom_id,
        name=found.name,
        price=found.price,
        currency=view.currency,
        created_at=found.created_at,
        updated_at=found.updated_at,
        tags=[each.name for each in found.tags],
        attributes=say.fields(left),
        event_counts=dict(sorted(view.event_counts.items(), key=lambda each: (-each[1], each[0]))),
        deals=view.deals,
        deal_count=view.deal_count,
    )
