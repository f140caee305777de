"""What a contact did and what was done with it, as pages."""

from typing import Any

from ordertrail.actions import events, products
from ordertrail.api import shown
from ordertrail.api.call import Answer, Call, paged
from ordertrail.api.events import CREATE_OF_CONTACT
from ordertrail.api.person import BOTH, found
from ordertrail.api.route import Route
from ordertrail.domain.event import Event
from ordertrail.domain.journal import Entry
from ordertrail.domain.product import ProductEvent
from ordertrail.kit.database import Reader
from ordertrail.kit.paging import Page
from ordertrail.wire import events as wire_events
from ordertrail.wire import timeline as wire_timeline
from ordertrail.wire.shapes import PageShown, page_of


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


async def nothing(call: Call) -> Answer:
    """Answer with the empty page of what this platform does not keep of contacts."""
    call.place()
    await call.read(lambda reader: found(reader, call))
    return paged(call, Page([], 0, None), lambda each: each)


def _paged(call: Call, page: Page[Any], results: list[dict[str, Any]]) -> Answer:
    following = None if page.next_cursor is None else call.link(cursor=page.next_cursor)
    told = [shown.event(call, each) for each in results]
    return Answer({"count": page.count, "next": following, "previous": None, "results": told})


_EVENTS = page_of(wire_events.EventShown)
_PAGES = (
    ("events", list_events, "a contact's events, newest first, 100 a page", _EVENTS),
    ("product_events", list_product_events, "a contact's product events, newest first", PageShown),
    ("timeline", timeline, "all that happened with a contact, newest first", PageShown),
    ("emails", nothing, "e-mails to a contact; none are kept here", PageShown),
    ("ping_hits", nothing, "page visits of a contact; none are kept here", PageShown),
    ("segments", nothing, "segments that a contact is in; there are none here yet", PageShown),
)

ROUTES: tuple[Route, ...] = tuple(
    route
    for one in BOTH
    for route in (
        Route(
            "POST",
            f"{one}/events/",
            CREATE_OF_CONTACT,
            "record what a contact did",
            wire_events.EventSent,
            wire_events.EventCreated,
            status=201,
        ),
        *(
            Route("GET", f"{one}/{part}/", does, says, gives=gives, queries=("cursor",))
            for part, does, says, gives in _PAGES
        ),
    )
)
