"""Events of contacts, and the names that they have."""

from typing import Any

from ordertrail.actions import events
from ordertrail.api.call import Answer, Call, paged
from ordertrail.api.route import PUBLIC, Route
from ordertrail.api.writes import simple
from ordertrail.domain.contact import ContactName
from ordertrail.wire import events as wire
from ordertrail.wire import naming, version1
from ordertrail.wire.shapes import page_of


def _of_path(call: Call) -> events.Create:
    event = wire.decode_event(call.body())
    return events.Create(call.name(ContactName), event, call.author, call.operation_key)


def _of_body(call: Call) -> events.Create:
    sent = said_of_event(call)
    event = wire.decode_event(sent)
    return events.Create(naming.read(sent), event, call.author, call.operation_key)


def said_of_event(call: Call) -> dict[str, Any]:
    """Return what the body says of an event, under the names of version 2."""
    return call.body() if call.version > 1 else version1.event_body(call.body())


def _created(done: events.Created) -> Answer:
    return Answer({"id": done.id, "created": done.is_new_name}, 201)


CREATE_OF_CONTACT = simple(_of_path, events.create, _created, knows_keys=True)
CREATE = simple(_of_body, events.create, _created, knows_keys=True)


async def list_types(call: Call) -> Answer:
    """Answer with a page of the names that events have."""
    place = call.place()
    found = await call.read(lambda reader: events.types(reader, call.workspace_id, place))
    return paged(call, found, wire.encode_type)


async def read_type(call: Call) -> Answer:
    """Answer with one name that events have."""
    number = call.path_number("id")
    found = await call.look(lambda reader: events.type_of(reader, call.workspace_id, number))
    return Answer(wire.encode_type(found))


ROUTES: tuple[Route, ...] = (
    Route(
        "POST",
        f"{PUBLIC}/events/",
        CREATE,
        "record what a contact did",
        wire.NamedEventSent,
        wire.EventCreated,
        status=201,
    ),
    Route(
        "GET",
        f"{PUBLIC}/events/",
        list_types,
        "the names that events have, newest first",
        gives=page_of(wire.EventTypeShown),
        queries=("cursor",),
    ),
    Route(
        "GET",
        f"{PUBLIC}/events/{{id}}/",
        read_type,
        "one name that events have",
        gives=wire.EventTypeShown,
    ),
)
