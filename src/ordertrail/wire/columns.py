"""Contacts, deals and products as rows of a table: the columns of each, and what stands in them.

A row holds what is kept, and nothing that was made up for an answer: of a contact that nobody said
a gender of, the gender is None.
"""

import enum
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ordertrail.domain import contact, deal, money, product
from ordertrail.domain.attribute import Attribute, ContentType, ValueType
from ordertrail.domain.contact import Contact
from ordertrail.domain.deal import Deal
from ordertrail.domain.product import Product
from ordertrail.wire import tags

Row = dict[str, Any]

UNDEFINED = "attributes"
"""The column of attributes that have no definition, and so no column of their own."""


class Kind(enum.StrEnum):
    """What the values of a column are; `LINES` are the lines of an order."""

    TEXT = "text"
    WHOLE = "whole"
    DECIMAL = "decimal"
    MONEY = "money"
    FLAG = "flag"
    MOMENT = "moment"
    JSON = "json"
    WHOLES = "wholes"
    TEXTS = "texts"
    LINES = "lines"


@dataclass(frozen=True, slots=True)
class Column:
    """One column; what is `told` is not set by who sends it."""

    name: str
    kind: Kind = Kind.TEXT
    is_told: bool = False


_OF_VALUES = {
    ValueType.BOOLEAN: Kind.FLAG,
    ValueType.FLOAT: Kind.DECIMAL,
    ValueType.INTEGER: Kind.WHOLE,
    ValueType.JSON: Kind.JSON,
}

_FIRST = {
    ContentType.CONTACT: "id:whole user_key custom_id email",
    ContentType.PRODUCT: "id:whole custom_id",
    ContentType.DEAL: (
        "id:whole custom_id name user_id:whole user_custom_id pipeline:whole stage:whole"
        " status:whole value:money currency won_at:moment lost_at:moment"
        " products:wholes products_custom_id:texts order_products:lines"
    ),
}
_FURTHER = {
    ContentType.CONTACT: (
        "first_name last_name phone_number gender status country region city timezone score:whole"
        " unsubscribed:flag notifications:flag first_seen last_seen last_contacted gravatar_url"
        " facebook_url linkedin_url twitter_url google_url assigned_to:whole"
    ),
    ContentType.PRODUCT: "name price:decimal product_url image_url category_name description",
    ContentType.DEAL: (
        "expected_close_date loss_reason:whole loss_reason_description assigned_to:whole"
        " participants:wholes company_id:whole company_custom_id"
    ),
}
_LAST = {
    ContentType.CONTACT: "tags:json lists:json companies:json attributes:json",
    ContentType.PRODUCT: "tags:json attributes:json",
    ContentType.DEAL: "tags:json attributes:json",
}
_TIMES = "created_at:moment updated_at:moment"
_TOLD = {
    ContentType.CONTACT: contact.READ_ONLY,
    ContentType.PRODUCT: product.READ_ONLY - {"custom_id"} | {"tags"},
    ContentType.DEAL: deal.READ_ONLY,
}


def standard(kind: ContentType) -> list[Column]:
    """Return the columns of contacts, products or deals that need no definition."""
    words = " ".join((_FIRST[kind], _FURTHER[kind], _LAST[kind], _TIMES)).split()
    return [_column(kind, *word.split(":")) for word in words]


def columns(kind: ContentType, attributes: Iterable[Attribute]) -> list[Column]:
    """Return all columns: the standard ones, and one for each attribute."""
    fixed = standard(kind)
    names = {column.name for column in fixed}
    return fixed + [of_attribute(each) for each in attributes if each.name not in names]


def of_attribute(attribute: Attribute) -> Column:
    """Return the column of an attribute."""
    if attribute.value_type is ValueType.FIXED and attribute.allows_many:
        return Column(attribute.name, Kind.JSON)
    return Column(attribute.name, _OF_VALUES.get(attribute.value_type, Kind.TEXT))


def without_column(row: Row, defined: Collection[str]) -> Row:
    """Return the row with only those attributes together that have no column of their own."""
    rest = {
        name: value
        for name, value in row[UNDEFINED].items()
        if name not in defined and value is not None
    }
    return {**row, UNDEFINED: rest or None}


def of_contact(each: Contact) -> Row:
    """Return a contact as a row."""
    return {
        **each.attributes,
        **each.profile,
        "id": each.id,
        "user_key": each.user_key,
        "custom_id": each.custom_id,
        "email": each.email,
        "tags": tags.encode(each.tags),
        UNDEFINED: each.attributes,
        "lists": [{"id": one.id, "name": one.name} for one in each.lists],
        "companies": [{"id": one.company_id, "name": one.name} for one in each.companies],
        "created_at": each.created_at,
        "updated_at": each.updated_at,
    }


def of_product(each: Product) -> Row:
    """Return a product as a row."""
    return {
        **each.attributes,
        **each.details,
        "id": each.id,
        "custom_id": each.custom_id,
        "tags": tags.encode(each.tags),
        UNDEFINED: each.attributes,
        "created_at": each.created_at,
        "updated_at": each.updated_at,
    }


def of_deal(each: Deal, products: Mapping[int, str], contacts: Mapping[int, str]) -> Row:
    """Return a deal as a row; the mappings hold the shop's ids by ours."""
    return {
        **each.attributes,
        **each.details,
        "id": each.id,
        "custom_id": each.custom_id,
        "name": each.name,
        "user_id": each.contact_id,
        "user_custom_id": contacts.get(each.contact_id or 0),
        "pipeline": each.pipeline_id,
        "stage": each.stage_id,
        "status": int(each.status),
        "value": each.value.amount,
        "currency": each.value.currency,
        "won_at": each.won_at,
        "lost_at": each.lost_at,
        "products": list(each.product_ids),
        "products_custom_id": [products[number] for number in each.product_ids],
        "order_products": [
            {
                "product_id": line.product_id,
                "product_custom_id": line.product_custom_id,
                "quantity": line.quantity,
                "value": money.unit_price(line.price_micros),
                "currency": line.currency,
            }
            for line in each.lines
        ],
        "tags": tags.encode(each.tags),
        UNDEFINED: each.attributes,
        "created_at": each.created_at,
        "updated_at": each.updated_at,
    }


def _column(kind: ContentType, name: str, values: str = "text") -> Column:
    return Column(name, Kind(values), name in _TOLD[kind])
