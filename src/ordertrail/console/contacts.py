"""Contacts: the list, and one contact with orders and timeline."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from ordertrail.actions import browse
from ordertrail.actions.browse import ContactRow, DealRow, Total
from ordertrail.console import say, story
from ordertrail.console.deals import address
from ordertrail.console.desk import Elsewhere, Visit
from ordertrail.console.say import Field
from ordertrail.console.story import Told
from ordertrail.domain.journal import Subject
from ordertrail.kit.database import Reader

ADDRESS = "/console/contacts"


@dataclass(frozen=True, slots=True)
class ContactsPage:
    """A page of the list; `next` is the address of the following one."""

    template: ClassVar[str] = "contacts.html"
    section: ClassVar[str] = "contacts"

    q: str
    count: int
    contacts: Sequence[ContactRow]
    is_first: bool
    first: str
    next: str | None

    @property
    def title(self) -> str:
        """The page's name."""
        return "Contacts"


@dataclass(frozen=True, slots=True)
class ContactPage:
    """One contact; `next` is the address of the following page of the timeline."""

    template: ClassVar[str] = "contact.html"
    section: ClassVar[str] = "contacts"

    id: int
    name: str
    custom_id: str | None
    user_key: str
    email: str | None
    created_at: datetime
    updated_at: datetime
    tags: Sequence[str]
    lists: Sequence[str]
    companies: Sequence[str]
    profile: Sequence[Field]
    attributes: Sequence[Field]
    totals: Sequence[Total]
    order_count: int
    orders: Sequence[DealRow]
    timeline: Sequence[Told]
    timeline_count: int
    is_first: bool
    first: str
    next: str | None

    @property
    def title(self) -> str:
        """The page's name."""
        return self.name


def contacts(reader: Reader, visit: Visit) -> ContactsPage:
    """Read a page of the list."""
    text = visit.text("q")
    cursor = visit.query.get("cursor")
    page = browse.contacts(reader, visit.workspace.id, text, cursor)
    return ContactsPage(
        q=text,
        count=page.count,
        contacts=page.items,
        is_first=not cursor,
        first=address(ADDRESS, {"q": text}),
        next=address(ADDRESS, {"q": text}, page.next_cursor) if page.next_cursor else None,
    )


def contact(reader: Reader, visit: Visit) -> ContactPage | Elsewhere:
    """Read the page of one contact, or say whose it is today; raises NotFound."""
    meant = browse.contact_meant(reader, visit.workspace.id, visit.number)
    if meant.id != visit.number:
        return Elsewhere(f"{ADDRESS}/{meant.id}")
    cursor = visit.query.get("cursor")
    thing = Subject.CONTACT, meant.id
    view = browse.contact(reader, visit.workspace.id, meant, cursor)
    found, own = view.contact, f"{ADDRESS}/{visit.number}"
    following = view.timeline.next_cursor
    return ContactPage(
        id=found.id,
        name=found.name,
        custom_id=found.custom_id,
        user_key=found.user_key,
        email=found.email,
        created_at=found.created_at,
        updated_at=found.updated_at,
        tags=[each.name for each in found.tags],
        lists=[each.name for each in found.lists],
        companies=[each.name for each in found.companies],
        profile=say.fields(found.profile),
        attributes=say.fields(found.attributes),
        totals=view.figures.totals,
        order_count=sum(total.orders for total in view.figures.totals),
        orders=view.deals,
        timeline=[story.told(each, view.figures.names, thing) for each in view.timeline.items],
        timeline_count=view.timeline.count,
        is_first=not cursor,
        first=own,
        next=address(own, {}, following) if following else None,
    )
