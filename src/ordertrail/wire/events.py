"""Events on the wire."""

from typing import Any, Required, TypedDict

from ordertrail.domain.errors import Invalid
from ordertrail.domain.event import NAME_LENGTH_MAX, Event, EventType, NewEvent
from ordertrail.wire import body
from ordertrail.wire.naming import ContactNamed
from ordertrail.wire.shapes import Time


class EventSent(TypedDict, total=False):
    """What a contact did, when, and what is to be known of it."""

    name: Required[str]
    timestamp: Time | None
    data: dict[str, Any] | None


class NamedEventSent(EventSent, ContactNamed, total=False):
    """What a contact did, and who it was."""


class EventShown(TypedDict):
    """One thing that a contact did."""

    id: int
    user_id: int
    name: str
    timestamp: str
    data: dict[str, Any]


class EventCreated(TypedDict):
    """The event's id, and whether its name was seen for the first time."""

    id: int
    created: bool


class EventTypeShown(TypedDict):
    """A name that events have, and when it was seen for the first time."""

    id: int
    name: str
    created_at: str


def decode_event(sent: dict[str, Any]) -> NewEvent:
    """Read an event; of whom, the path tells or `naming`."""
    known = body.fields(sent, _READERS)
    if "name" not in known:
        raise Invalid({"name": "is required: what the contact did"})
    return NewEvent(known["name"], known.get("timestamp"), known.get("data", {}))


def encode_event_request(event: NewEvent) -> dict[str, Any]:
    """Return the request body that says the event."""
    said: dict[str, Any] = {"name": event.name}
    if event.at is not None:
        said["timestamp"] = int(event.at.timestamp())
    return {**said, "data": dict(event.data)} if event.data else said


def encode_type(event_type: EventType) -> dict[str, Any]:
    """Return a name that events have as the API shows it."""
    return {
        "id": event_type.id,
        "name": event_type.name,
        "created_at": body.iso(event_type.created_at),
    }


def encode(event: Event) -> dict[str, Any]:
    """Return an event as the API shows it."""
    return {
        "id": event.id,
        "user_id": event.contact_id,
        "name": event.name,
        "timestamp": body.iso(event.at),
        "data": event.data,
    }


_READERS: dict[str, body.Read] = {
    "name": body.text(NAME_LENGTH_MAX),
    "timestamp": body.moment,
    "data": body.mapping,
}
