"""Everything of one kind in the order of its ids: some at a time, each time on a view of its own.

What is made while it goes on is told too; what was told is not told again.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from ordertrail.actions import named_by_deals
from ordertrail.domain.contact import Contact
from ordertrail.domain.deal import Deal
from ordertrail.domain.product import Product
from ordertrail.kit.database import Reader
from ordertrail.store import contacts, deals, exports, products


@dataclass(frozen=True, slots=True)
class Deals:
    """Some deals, with the shop's ids of the products and contacts that they name by ours."""

    deals: list[Deal]
    products: Mapping[int, str]
    contacts: Mapping[int, str]


def contacts_after(reader: Reader, workspace_id: int, after: int, rows_max: int) -> list[Contact]:
    """Return the next contacts behind an id."""
    numbers = exports.contacts_after(reader, workspace_id, after, rows_max)
    found = contacts.by_ids(reader, workspace_id, numbers)
    return [found[number] for number in numbers]


def products_after(reader: Reader, workspace_id: int, after: int, rows_max: int) -> list[Product]:
    """Return the next products behind an id."""
    numbers = exports.products_after(reader, workspace_id, after, rows_max)
    found = products.by_ids(reader, workspace_id, numbers)
    return [found[number] for number in numbers]


def deals_after(reader: Reader, workspace_id: int, after: int, rows_max: int) -> Deals:
    """Return the next deals behind an id."""
    numbers = exports.deals_after(reader, workspace_id, after, rows_max)
    found = deals.by_ids(reader, workspace_id, numbers)
    listed = [found[number] for number in numbers]
    linked = {product_id for deal in listed for product_id in deal.product_ids}
    people = {deal.contact_id for deal in listed if deal.contact_id is not None}
    return Deals(
        named_by_deals.today(reader, workspace_id, listed),
        products.custom_ids(reader, workspace_id, linked),
        exports.custom_ids_of_contacts(reader, workspace_id, people),
    )
