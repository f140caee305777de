"""Contacts, which the API calls users."""

import secrets
from typing import Any

from ordertrail.actions import contacts, events, products
from ordertrail.api import shown
from ordertrail.api.call import Answer, Call
from ordertrail.api.events import CREATE_OF_CONTACT
from ordertrail.api.route import PUBLIC, Route
from ordertrail.api.writes import simple
from ordertrail.domain.contact import Contact
from ordertrail.domain.event import Event
from ordertrail.domain.journal import Entry
from ordertrail.domain.product import ProductEvent
from ordertrail.kit.database import Reader
from ordertrail.kit.paging import Page
from ordertrail.wire import contacts as wire
from ordertrail.wire import events as wire_events
from ordertrail.wire import timeline as wire_timeline
from ordertrail.wire import version1
from ordertrail.wire.shapes import PageShown, page_of

_USER_KEY_BYTES = 9


def _upsert(call: Call) -> contacts.Upsert:
    change = wire.decode_change(said_of_contact(call))
    return contacts.Upsert(change, call.author, secrets.token_urlsafe(_USER_KEY_BYTES))


def said_of_contact(call: Call) -> dict[str, Any]:
    """Return what the body says of a contact, under the names of version 2."""
    sent = call.body() if call.version > 1 else version1.contact_body(call.body())
    call.warnings += wire.warnings(sent)
    return sent


def _upserted(done: contacts.Upserted) -> Answer:
    return Answer({"created": done.is_new, "id": done.contact.id})


UPDATE_OR_CREATE = simple(_upsert, contacts.upsert, _upserted)


async def read(call: Call) -> Answer:
    """Answer with one contact."""
    return Answer(await call.look(lambda r: shown.contacts(call, r)(found(r, call))))


async def list_events(call: Call) -> Answer:
    """Answer with a page of a contact's events."""

    def page(reader: Reader) -> Page[Event]:
        contact = found(reader, call)
        return events.events_of(reader, call.workspace_id, contact.id, call.query("cursor"))

    listed = await call.read(page)
    return _paged(call, listed, [wire_events.encode(event) for event in listed.items])


async def list_product_events(call: Call) -> Answer:
    """Answer with a page of a contact's product events."""

    def page(reader: Reader) -> tuple[Page[ProductEvent], dict[int, str]]:
        contact = found(reader, call)
        cursor = call.query("cursor")
        listed = events.product_events_of(reader, call.workspace_id, contact.id, cursor)
        product_ids = {event.product_id for event in listed.items}
        return listed, products.custom_ids(reader, call.workspace_id, product_ids)

    listed, custom_ids = await call.read(page)
    return _paged(call, listed, wire_timeline.encode_all(listed.items, custom_ids, with_type=False))


async def timeline(call: Call) -> Answer:
    """Answer with a page of all that happened with a contact."""

    def page(reader: Reader) -> tuple[Page[Event | ProductEvent | Entry], dict[int, str]]:
        contact = found(reader, call)
        listed = events.timeline(reader, call.workspace_id, contact.id, call.query("cursor"))
        product_ids = {each.product_id for each in listed.items if isinstance(each, ProductEvent)}
        return listed, products.custom_ids(reader, call.workspace_id, product_ids)

    listed, custom_ids = await call.read(page)
    return _paged(call, listed, wire_timeline.encode_all(listed.items, custom_ids, with_type=True))


def found(reader: Reader, call: Call) -> Contact:
    """Return the contact that the path names, or raise NotFound."""
    if "custom_id" in call.named:
        return contacts.find(reader, call.workspace_id, call.path_text("custom_id"))
    return contacts.get(reader, call.workspace_id, call.path_number("id"))


def _paged(call: Call, page: Page[Any], results: list[dict[str, Any]]) -> Answer:
    following = None if page.next_cursor is None else call.link(cursor=page.next_cursor)
    told = [shown.event(call, each) for each in results]
    return Answer({"count": page.count, "next": following, "previous": None, "results": told})


_ONE = f"{PUBLIC}/users/{{id}}"
_BY_ID = f"{PUBLIC}/users-by-id/{{custom_id}}"
_BOTH = (_ONE, _BY_ID)

ROUTES: tuple[Route, ...] = (
    Route(
        "POST",
        f"{PUBLIC}/users/update_or_create/",
        UPDATE_OR_CREATE,
        "create or change a contact",
        wire.ContactSent,
        wire.UpsertedShown,
    ),
    *(
        route
        for one in _BOTH
        for route in (
            Route("GET", f"{one}/", read, "one contact", gives=wire.ContactShown),
            Route(
                "POST",
                f"{one}/events/",
                CREATE_OF_CONTACT,
                "record what a contact did",
                wire_events.EventSent,
                wire_events.EventCreated,
                status=201,
            ),
            Route(
                "GET",
                f"{one}/events/",
                list_events,
                "a contact's events, newest first, 100 a page",
                gives=page_of(wire_events.EventShown),
                queries=("cursor",),
            ),
            Route(
                "GET",
                f"{one}/product_events/",
                list_product_events,
                "a contact's product events, newest first",
                gives=PageShown,
                queries=("cursor",),
            ),
            Route(
                "GET",
                f"{one}/timeline/",
                timeline,
                "all that happened with a contact, newest first",
                gives=PageShown,
                queries=("cursor",),
            ),
        )
    ),
)
