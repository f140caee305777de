"""Events: creating them, and reading a contact's timeline back."""

from collections.abc import Sequence
from dataclasses import dataclass

from ordertrail.actions.attribute_settling import EventAttributes
from ordertrail.actions.known_contacts import KnownContacts
from ordertrail.actions.outcomes import of_each
from ordertrail.domain.contact import ContactName
from ordertrail.domain.errors import Invalid, NotFound, Refused
from ordertrail.domain.event import Event, EventType, NewEvent, Recorded, happened_at
from ordertrail.domain.journal import Author, Entry
from ordertrail.domain.product import ProductEvent
from ordertrail.kit import clock, paging
from ordertrail.kit.committer import Batch
from ordertrail.kit.database import Reader, Tx
from ordertrail.kit.paging import Page, Place
from ordertrail.store import events, ids, journal
from ordertrail.store.events import Arrival

Happening = Event | ProductEvent | Entry
"""What stands on a timeline."""


@dataclass(frozen=True, slots=True)
class Create:
    """Record that the contact of this name did something.

    The same `operation_key` again records nothing and answers the first event, for ever.
    """

    contact: ContactName
    event: NewEvent
    author: Author
    operation_key: str | None = None


@dataclass(frozen=True, slots=True)
class Created:
    """The event's number, whether its name was seen for the first time, and if it is new."""

    id: int
    is_new_name: bool
    is_new: bool


def create(tx: Tx, batch: Batch[Create]) -> Sequence[Created | Refused]:
    """Record events of contacts; a name that nobody used before becomes a known one."""
    writing = _Writing(tx, batch)
    outcomes = of_each(batch.commands, writing.decide)
    writing.write(tx)
    return outcomes


def events_of(
    reader: Reader, workspace_id: int, contact_id: int, cursor: str | None
) -> Page[Event]:
    """Return a page of a contact's events, newest first."""
    before, limit = _place(cursor), paging.PAGE_SIZE_MAX
    found = journal.events_of_contact(reader, workspace_id, contact_id, before, limit + 1)
    count, _, _ = journal.counts_of_contact(reader, workspace_id, contact_id)
    return _page(found, count)


def product_events_of(
    reader: Reader, workspace_id: int, contact_id: int, cursor: str | None
) -> Page[ProductEvent]:
    """Return a page of a contact's product events, newest first."""
    before, limit = _place(cursor), paging.PAGE_SIZE_MAX
    found = journal.product_events_of_contact(reader, workspace_id, contact_id, before, limit + 1)
    _, count, _ = journal.counts_of_contact(reader, workspace_id, contact_id)
    return _page(found, count)


def types(reader: Reader, workspace_id: int, place: Place) -> Page[EventType]:
    """Return a page of the names that events have, newest first."""
    return events.types(reader, workspace_id, place)


def type_of(reader: Reader, workspace_id: int, type_id: int) -> EventType:
    """Return the name of events with this id, or raise NotFound."""
    found = events.type_by_id(reader, workspace_id, type_id)
    if found is None:
        raise NotFound(f"no event with the id {type_id}: it is that of a name, not of a happening")
    return found


def timeline(
    reader: Reader, workspace_id: int, contact_id: int, cursor: str | None
) -> Page[Happening]:
    """Return a page of all that happened with a contact, newest first."""
    before, limit = _place(cursor), paging.PAGE_SIZE_MAX + 1
    found: list[Happening] = [
        *journal.events_of_contact(reader, workspace_id, contact_id, before, limit),
        *journal.product_events_of_contact(reader, workspace_id, contact_id, before, limit),
        *journal.of_contact(reader, workspace_id, contact_id, before, limit),
    ]
    found.sort(key=lambda each: (each.at, each.id or 0), reverse=True)
    counts = journal.counts_of_contact(reader, workspace_id, contact_id)
    return _page(found, sum(counts))


def _place(cursor: str | None) -> tuple[int, int]:
    if not cursor:
        return journal.NEWEST
    match paging.decode(cursor, 2):
        case (at, last_id):
            return at, last_id
        case _:
            raise Invalid({"cursor": "is not one that this server gave out"})


def _page(found: Sequence[Happening], count: int) -> Page:  # type: ignore[type-arg]
    items = found[: paging.PAGE_SIZE_MAX]
    cursor = None
    if len(found) > len(items):
        cursor = paging.encode(clock.to_micros(items[-1].at), items[-1].id or 0)
    return Page(items, count, cursor)


class _Writing:
    """One batch on its way: what it knows, and what it will write."""

    def __init__(self, tx: Tx, batch: Batch[Create]) -> None:
        self._batch = batch
        workspace_id, commands = batch.workspace_id, batch.commands
        names = {command.event.name for command in commands}
        keys = {c.operation_key for c in commands if c.operation_key}
        self._contacts = KnownContacts(tx, workspace_id, [c.contact for c in commands])
        self._done = events.known_keys(tx, workspace_id, keys)
        self._types = events.type_ids(tx, workspace_id, names)
        taken = ids.take(
            tx, workspace_id, event_type=len(names) - len(self._types), journal=len(commands)
        )
        self._type_ids, self._numbers = taken["event_type"], taken["journal"]
        self._new_types: list[tuple[EventType, int]] = []
        self._learning = EventAttributes(tx, workspace_id, [c.event.data for c in commands])
        self._events: list[tuple[Event, Arrival]] = []

    def decide(self, command: Create) -> Created:
        """Take one command into the batch, or raise Refused."""
        name, at = command.event.name, self._batch.at
        moment = happened_at(command.event.at, at)
        contact_id = self._contacts.id_of(command.contact)
        done = self._done.get(command.operation_key or "")
        if done is not None:
            about = contact_id, self._types.get(name, 0)
            done.check(about, command.event.at, command.event.data)
            return Created(done.id, done.is_first, is_new=False)
        event = Event(next(self._numbers), name, contact_id, moment, command.event.data)
        is_new_name = self._name(event)
        self._events.append((event, Arrival(command.operation_key, command.author.origin, at)))
        self._learning.accept(event.data)
        if command.operation_key is not None:
            about = contact_id, self._types[name]
            told = event.id, about, moment, at, event.data, is_new_name
            self._done[command.operation_key] = Recorded(*told)
        return Created(event.id, is_new_name, is_new=True)

    def _name(self, event: Event) -> bool:
        """Take in the event's name, and tell whether it is a new one."""
        is_new = event.name not in self._types
        if is_new:
            made = EventType(next(self._type_ids), event.name, self._batch.at)
            self._types[event.name] = made.id
            self._new_types.append((made, event.id))
        return is_new

    def write(self, tx: Tx) -> None:
        """Write everything that was decided."""
        events.add_types(tx, self._batch.workspace_id, self._new_types)
        events.add(tx, self._batch.workspace_id, self._events, self._types)
        self._learning.write(tx)
