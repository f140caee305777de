"""Events: creating them, and reading a contact's timeline back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from ordertrail.domain.errors import Invalid, NotFound, Refused
from ordertrail.domain.event import Event, NewEvent
from ordertrail.domain.journal import Author, Entry
from ordertrail.domain.product import ProductEvent
from ordertrail.kit import clock, paging
from ordertrail.kit.committer import Batch
from ordertrail.kit.database import Reader, Tx
from ordertrail.kit.paging import Page
from ordertrail.store import contacts, events, ids, journal
from ordertrail.store.events import Arrival

AHEAD_MAX = timedelta(days=1)

Happening = Event | ProductEvent | Entry
"""What stands on a timeline."""


@dataclass(frozen=True, slots=True)
class Create:
    """Record that the contact of this custom id did something.

    The same `operation_key` again records nothing and answers the first event, for ever.
    """

    user_custom_id: str
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
    workspace_id = batch.workspace_id
    contact_ids = contacts.ids(tx, workspace_id, {c.user_custom_id for c in batch.commands})
    keys = {c.operation_key for c in batch.commands if c.operation_key}
    done = events.known_keys(tx, workspace_id, keys)
    names = {command.event.name for command in batch.commands}
    types = events.type_ids(tx, workspace_id, names)
    taken = ids.take(
        tx, workspace_id, event_type=len(names) - len(types), journal=len(batch.commands)
    )
    new_types: dict[str, int] = {}
    added: list[tuple[Event, Arrival]] = []
    outcomes: list[Created | Refused] = []
    for command in batch.commands:
        if command.operation_key in done:
            outcomes.append(Created(done[command.operation_key], False, is_new=False))
            continue
        name = command.event.name
        happened_at = command.event.at or batch.at
        contact_id = contact_ids.get(command.user_custom_id)
        if contact_id is None:
            outcomes.append(NotFound("no such contact; create it by users/update_or_create/"))
            continue
        if happened_at > batch.at + AHEAD_MAX:
            outcomes.append(Invalid({"timestamp": "lies more than a day ahead"}))
            continue
        is_new_name = name not in types
        if is_new_name:
            types[name] = new_types[name] = next(taken["event_type"])
        event = Event(next(taken["journal"]), name, contact_id, happened_at, command.event.data)
        added.append((event, Arrival(command.operation_key, command.author.origin, batch.at)))
        if command.operation_key is not None:
            done[command.operation_key] = event.id
        outcomes.append(Created(event.id, is_new_name, is_new=True))
    events.add_types(tx, workspace_id, new_types, batch.at)
    events.add(tx, workspace_id, added, types)
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
