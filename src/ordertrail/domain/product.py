"""Products, and what contacts did with them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal, get_args

from ordertrail.domain import attribute
from ordertrail.domain.contact import ContactName
from ordertrail.domain.errors import Invalid
from ordertrail.domain.journal import differences
from ordertrail.domain.tag import Tag

EventType = Literal[
    "click",
    "promo click",
    "view",
    "detail",
    "liking",
    "add to observation",
    "reservation",
    "add",
    "add to cart",
    "remove",
    "checkout",
    "checkout option",
    "order",
    "purchase",
    "return",
    "refund",
]
EVENT_TYPES: tuple[str, ...] = get_args(EventType)
"""The closed list of the API's product event types."""

DETAILS = frozenset("name price product_url image_url category_name description".split())
"""Standard fields of a product; every other one is an attribute."""

TEXT_LENGTH_MAX = 2048
"""The longest text of a standard field; all but the price are texts."""

READ_ONLY = frozenset("id custom_id created_at updated_at user_key client user_id".split())


@dataclass(frozen=True, slots=True)
class Product:
    """One product or variant (SKU).

    `described_at` is the time of the newest event or write that described it: what an older
    event says does not overwrite what a newer one said.
    """

    id: int
    custom_id: str
    created_at: datetime
    updated_at: datetime
    described_at: datetime | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    attributes: Mapping[str, Any] = field(default_factory=dict)
    tags: tuple[Tag, ...] = ()

    @property
    def name(self) -> str:
        """The product's name, or its id while nobody has told the name."""
        return str(self.details.get("name") or self.custom_id)

    @property
    def price(self) -> Decimal | None:
        """The product's price, if the shop told one."""
        told = self.details.get("price")
        return None if told is None else Decimal(told)


@dataclass(frozen=True, slots=True)
class ProductName:
    """A product as a request names it; of both names the custom id counts."""

    id: int | None = None
    custom_id: str | None = None


@dataclass(frozen=True, slots=True)
class ProductUses:
    """How many deals a product stands on or is linked with, and how many events it has."""

    deals: int
    events: int


@dataclass(frozen=True, slots=True)
class ProductEvent:
    """One contact did `event_type` with one product; `id` is its number in the journal."""

    id: int
    product_id: int
    contact_id: int
    event_type: str
    at: datetime
    custom_data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class NewProductEvent:
    """What a request says happened with a product; `at` is None for now.

    `custom_data` stays with the event; `details` and `attributes` describe the product itself.
    """

    event_type: str
    user_id: int | None = None
    user_custom_id: str | None = None
    at: datetime | None = None
    custom_data: Mapping[str, Any] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)
    attributes: Mapping[str, Any] = field(default_factory=dict)
    user_key: str | None = None

    @property
    def contact(self) -> ContactName:
        """Whom the request names."""
        return ContactName(self.user_id, self.user_custom_id, self.user_key)


def event_type(name: object) -> str:
    """Return the type as the API spells it, or raise Invalid listing those that there are."""
    folded = name.strip().lower() if isinstance(name, str) else ""
    if folded not in EVENT_TYPES:
        must = "is required, one of" if name is None else "must be one of"
        raise Invalid({"event_type": f"{must}: {', '.join(EVENT_TYPES)}"})
    return folded


def describe(
    product: Product,
    details: Mapping[str, Any],
    attributes: Mapping[str, Any],
    said_at: datetime,
    at: datetime,
) -> tuple[Product, dict[str, tuple[Any, Any]]]:
    """Return the product as told at `said_at`; what is older than its last description is void."""
    if product.described_at is not None and said_at < product.described_at:
        return product, {}
    changes = differences(product.details, details) | differences(product.attributes, attributes)
    if not changes and not (details or attributes):
        return product, {}
    described = replace(
        product,
        details={**product.details, **details},
        attributes=attribute.changed(product.attributes, attributes),
        described_at=said_at,
        updated_at=at if changes else product.updated_at,
    )
    return described, changes
