"""Contacts, which the API calls users."""

import secrets

from ordertrail.actions import contacts, events, products
from ordertrail.api.call import Answer, Call
from ordertrail.api.writes import Write
from ordertrail.domain.contact import Contact
from ordertrail.domain.event import Event
from ordertrail.domain.journal import Entry
from ordertrail.domain.product import ProductEvent
from ordertrail.kit.database import Reader
from ordertrail.kit.paging import Page
from ordertrail.wire import contacts as wire
from ordertrail.wire import events as wire_events
from ordertrail.wire import timeline as wire_timeline

_USER_KEY_BYTES = 9


def _upsert(call: Call) -> contacts.Upsert:
    change = wire.decode_change(call.body())
    return contacts.Upsert(change, call.author, secrets.token_urlsafe(_USER_KEY_BYTES))


def _upserted(done: contacts.Upserted) -> Answer:
    return Answer({"created": done.is_new, "id": done.contact.id})


UPDATE_OR_CREATE = Write(_upsert, contacts.upsert, _upserted)
"""POST users/update_or_create/"""


async def read(call: Call) -> Answer:
    """GET users/:id/ and users-by-id/:custom_id/"""
    return Answer(wire.encode(await call.read(lambda reader: _found(reader, call))))


def _event(call: Call) -> events.Create:
    custom_id = call.path_text("custom_id")
    event = wire_events.decode_event(call.body())
    return events.Create(custom_id, event, call.author, call.operation_key)


def _event_created(done: events.Created) -> Answer:
    return Answer({"id": done.id, "created": done.is_new_name}, 201)


CREATE_EVENT = Write(_event, events.create, _event_created)
"""POST users-by-id/:custom_id/events/"""


async def list_events(call: Call) -> Answer:
    """GET users-by-id/:custom_id/events/"""

    def page(reader: Reader) -> Page[Event]:
        contact = _found(reader, call)
        return events.events_of(reader, call.workspace_id, contact.id, call.query("cursor"))

    found = await call.read(page)
    return _paged(call, found, [wire_events.encode(event) for event in found.items])


async def list_product_events(call: Call) -> Answer:
    """GET users-by-id/:custom_id/product_events/"""

    def page(reader: Reader) -> tuple[Page[ProductEvent], dict[int, str]]:
        contact = _found(reader, call)
        cursor = call.query("cursor")
        found = events.product_events_of(reader, call.workspace_id, contact.id, cursor)
        product_ids = {event.product_id for event in found.items}
        return found, products.custom_ids(reader, call.workspace_id, product_ids)

    found, custom_ids = await call.read(page)
    return _paged(call, found, wire_timeline.encode_all(found.items, custom_ids, with_type=False))


async def timeline(call: Call) -> Answer:
    """GET users-by-id/:custom_id/timeline/"""

    def page(reader: Reader) -> tuple[Page[Event | ProductEvent | Entry], dict[int, str]]:
        contact = _found(reader, call)
        found = events.timeline(reader, call.workspace_id, contact.id, call.query("cursor"))
        product_ids = {each.product_id for each in found.items if isinstance(each, ProductEvent)}
        return found, products.custom_ids(reader, call.workspace_id, product_ids)

    found, custom_ids = await call.read(page)
    return _paged(call, found, wire_timeline.encode_all(found.items, custom_ids, with_type=True))


def _found(reader: Reader, call: Call) -> Contact:
    if "custom_id" in call.scope["path_params"]:
        return contacts.find(reader, call.workspace_id, call.path_text("custom_id"))
    return contacts.get(reader, call.workspace_id, call.path_number("id"))


def _paged(call: Call, page: Page, results: list[dict[str, object]]) -> Answer:  # type: ignore[type-arg]
    following = None if page.next_cursor is None else call.link(cursor=page.next_cursor)
    return Answer({"count": page.count, "next": following, "previous": None, "results": results})
