"""Looking around: lists and single things with all the names that a person wants to see."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from ordertrail.domain import deal_story
from ordertrail.domain.contact import Contact
from ordertrail.domain.deal import Deal
from ordertrail.domain.errors import Invalid, NotFound
from ordertrail.domain.journal import Subject
from ordertrail.domain.pipeline import Stage
from ordertrail.domain.product import Product
from ordertrail.kit import clock, paging
from ordertrail.kit.database import Reader
from ordertrail.kit.paging import Page
from ordertrail.store import browse, browse_around, names, pipelines
from ordertrail.store import contacts as contact_rows
from ordertrail.store import deals as deal_rows
from ordertrail.store import events as event_rows
from ordertrail.store import products as product_rows
from ordertrail.store.browse import NEWEST, ContactRow, DealFilter, DealRow, ProductRow
from ordertrail.store.browse_around import Figures, Happening, Total
from ordertrail.store.names import Names, Thing

T = TypeVar("T")

PAGE_SIZE = 50
CHANGES_MAX = 100

__all__ = [
    "CHANGES_MAX",
    "PAGE_SIZE",
    "ContactRow",
    "ContactView",
    "DealFilter",
    "DealRow",
    "DealView",
    "Figures",
    "Happening",
    "Names",
    "ProductRow",
    "ProductView",
    "Thing",
    "Total",
    "contact",
    "contact_meant",
    "contacts",
    "deal",
    "deals",
    "newest_deals",
    "product",
    "products",
    "stages",
]


@dataclass(frozen=True, slots=True)
class DealView:
    """One deal, what its ids stand for, and its newest changes."""

    deal: Deal
    names: Names
    changes: Sequence[Happening]


@dataclass(frozen=True, slots=True)
class ContactView:
    """One contact, its newest orders, and a page of its timeline."""

    contact: Contact
    figures: Figures
    deals: Sequence[DealRow]
    timeline: Page[Happening]


@dataclass(frozen=True, slots=True)
class ProductView:
    """One product, how many events of each type it has, and the newest deals with it.

    `currency` is that of the newest line that has it: a price is sent without one.
    """

    product: Product
    event_counts: dict[str, int]
    deals: Sequence[DealRow]
    deal_count: int
    currency: str | None


def deals(
    reader: Reader, workspace_id: int, wanted: DealFilter, cursor: str | None
) -> Page[DealRow]:
    """Return a page of the deals that are wanted, the newest order first."""
    before = _place(cursor, 2)
    found = browse.deals(reader, workspace_id, wanted, (before[0], before[1]), limit=PAGE_SIZE + 1)
    count = browse.count_deals(reader, workspace_id, wanted)
    return _page(found, count, lambda row: (row.placed, row.id))


def newest_deals(reader: Reader, workspace_id: int, limit: int) -> list[DealRow]:
    """Return the orders that were placed last."""
    return browse.deals(reader, workspace_id, DealFilter(), NEWEST, limit)


def contacts(reader: Reader, workspace_id: int, text: str, cursor: str | None) -> Page[ContactRow]:
    """Return a page of contacts whose e-mail, phone, name or id starts with the text, newest first.

    They are found by the whole user key as well, and by what those had that were merged into them.
    """
    [before] = _place(cursor, 1)
    found = browse.contacts(reader, workspace_id, text, before, limit=PAGE_SIZE + 1)
    count = browse.count_contacts(reader, workspace_id, text)
    return _page(found, count, lambda row: (row.id,))


def products(reader: Reader, workspace_id: int, text: str, cursor: str | None) -> Page[ProductRow]:
    """Return a page of products whose name or id contains the text, newest first."""
    [before] = _place(cursor, 1)
    found = browse.products(reader, workspace_id, text, before, limit=PAGE_SIZE + 1)
    count = browse.count_products(reader, workspace_id, text)
    return _page(found, count, lambda row: (row.id,))


def stages(reader: Reader, workspace_id: int) -> list[Stage]:
    """Return all stages in the order of their pipelines and positions."""
    return pipelines.stages(reader, workspace_id)


def deal(reader: Reader, workspace_id: int, deal_id: int) -> DealView:
    """Return the deal with this id and what is around it, or raise NotFound."""
    found = deal_rows.by_ids(reader, workspace_id, [deal_id]).get(deal_id)
    if found is None:
        raise NotFound(f"There is no deal with the id {deal_id}.")
    changes = browse_around.changes(reader, workspace_id, Subject.DEAL, deal_id, CHANGES_MAX)
    today = {
        **found.details,
        "user_id": found.contact_id,
        "stage": found.stage_id,
        "products": found.product_ids,
    }
    things = {*_named(today.items()), *_mentioned(changes)}
    return DealView(found, names.names(reader, workspace_id, things), changes)


def contact_meant(reader: Reader, workspace_id: int, contact_id: int) -> Contact:
    """Return the contact that an id leads to, the parent of a merged one; or raise NotFound."""
    found = contact_rows.by_ids(reader, workspace_id, [contact_id]).get(contact_id)
    if found is None:
        raise NotFound(f"There is no contact with the id {contact_id}.")
    return found


def contact(reader: Reader, workspace_id: int, found: Contact, cursor: str | None) -> ContactView:
    """Return a contact with what is around it."""
    wanted = DealFilter(contact_id=found.id)
    before = _place(cursor, 2)
    happened = browse_around.timeline(
        reader, workspace_id, found.id, (before[0], before[1]), limit=PAGE_SIZE + 1
    )
    figures = browse_around.figures(reader, workspace_id, found.id, _mentioned(happened))
    return ContactView(
        found,
        figures,
        browse.deals(reader, workspace_id, wanted, NEWEST, limit=PAGE_SIZE),
        _page(happened, figures.timeline, lambda each: (clock.to_micros(each.at), each.id)),
    )


def product(reader: Reader, workspace_id: int, product_id: int) -> ProductView:
    """Return the product with this id and what is around it, or raise NotFound."""
    found = product_rows.by_ids(reader, workspace_id, [product_id]).get(product_id)
    if found is None:
        raise NotFound(f"There is no product with the id {product_id}.")
    wanted = DealFilter(product_id=product_id)
    return ProductView(
        found,
        event_rows.counts_of_product(reader, workspace_id, product_id),
        browse.deals(reader, workspace_id, wanted, NEWEST, limit=PAGE_SIZE),
        *browse.sales_of(reader, workspace_id, product_id),
    )


def _mentioned(happenings: Iterable[Happening]) -> set[Thing]:
    """What changes are about or name by its id; a deal that is there has its name beside it."""
    found: set[Thing] = set()
    for each in happenings:
        if each.kind != "change" or each.subject_id is None:
            continue
        subject = Subject(each.name)
        if subject == Subject.DEAL:
            values = [(name, v) for name, both in each.data.items() for v in both]
            found.update(_named(values))
        if subject == Subject.COMPANY or (subject == Subject.DEAL and each.deal_id is None):
            found.add((subject, each.subject_id))
    return found


def _named(values: Iterable[tuple[str, Any]]) -> Iterator[Thing]:
    """What the fields of a deal name by its id."""
    for name, value in values:
        subject = deal_story.IDS.get(name)
        ids = value if isinstance(value, list | tuple) else [value]
        if subject is not None:
            yield from ((subject, number) for number in ids if isinstance(number, int))


def _place(cursor: str | None, parts: int) -> tuple[int, ...]:
    if not cursor:
        return NEWEST[:parts]
    place = paging.decode(cursor, parts)
    if place is None:
        raise Invalid({"cursor": "This place in the list does not exist: begin at its first page."})
    return place


def _page(found: Sequence[T], count: int, key: Callable[[T], tuple[int, ...]]) -> Page[T]:
    items = found[:PAGE_SIZE]
    cursor = paging.encode(*key(items[-1])) if len(found) > PAGE_SIZE else None
    return Page(items, count, cursor)
