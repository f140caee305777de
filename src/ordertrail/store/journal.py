"""The journal as rows, and the timelines read from it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from ordertrail.domain.event import Event
from ordertrail.domain.journal import Author, Entry, Origin, Subject
from ordertrail.domain.product import ProductEvent
from ordertrail.kit import clock, json
from ordertrail.kit.database import Reader, Tx
from ordertrail.store import ids, sql

_ADD = sql.insert("journal", "id at subject subject_id contact_id is_new changes author origin")
_DEALS_IN = (
    "FROM deals d @by(deals_stage) WHERE d.workspace_id = :workspace_id AND d.stage_id = :stage_id"
)
_COUNT_DEALS_IN = f"SELECT count(*) {_DEALS_IN}"
_GIVEN = sql.json(":changes") + ", CAST(:author AS TEXT), CAST(:origin AS TEXT)"
_ADD_FOR_DEALS_IN = (
    "INSERT INTO journal"
    " (workspace_id, id, at, subject, subject_id, contact_id, is_new, changes, author, origin)"
    " SELECT :workspace_id, :first_id - 1 + row_number() OVER (ORDER BY d.id), CAST(:at AS BIGINT),"
    f" 'deal', d.id, d.contact_id, 0, {_GIVEN} {_DEALS_IN}"
)
_ENTRY = "id, at, subject, subject_id, contact_id, is_new, json(changes), author, origin"
_OF_SUBJECT = sql.rows(
    _ENTRY,
    "(SELECT * FROM journal @by(journal_subject)"
    " WHERE workspace_id = :workspace_id AND subject = :subject"
    " AND subject_id = :subject_id ORDER BY id DESC LIMIT :limit) f",
)
_OF_CONTACT = sql.rows(
    _ENTRY,
    "(SELECT * FROM journal WHERE workspace_id = :workspace_id AND contact_id = :contact_id"
    " AND (at, id) < (:at, :id) ORDER BY at DESC, id DESC LIMIT :limit) f",
)
_EVENTS_OF_CONTACT = sql.rows(
    "id, name, contact_id, at, json(data)",
    "(SELECT e.id, t.name, e.contact_id, e.at, e.data FROM events e JOIN event_types t"
    " ON t.workspace_id = e.workspace_id AND t.id = e.event_type_id"
    " WHERE e.workspace_id = :workspace_id AND e.contact_id = :contact_id"
    " AND (e.at, e.id) < (:at, :id) ORDER BY e.at DESC, e.id DESC LIMIT :limit) f",
)
_PRODUCT_EVENTS_OF_CONTACT = sql.rows(
    "id, product_id, contact_id, event_type, at, json(custom_data)",
    "(SELECT * FROM product_events"
    " WHERE workspace_id = :workspace_id AND contact_id = :contact_id"
    " AND (at, id) < (:at, :id) ORDER BY at DESC, id DESC LIMIT :limit) f",
)
_COUNT_OF_CONTACT = (
    "SELECT json_array(json_array("
    "(SELECT count(*) FROM events WHERE workspace_id = :workspace_id AND contact_id = :contact_id),"
    "(SELECT count(*) FROM product_events"
    " WHERE workspace_id = :workspace_id AND contact_id = :contact_id),"
    "(SELECT count(*) FROM journal"
    " WHERE workspace_id = :workspace_id AND contact_id = :contact_id)))"
)

Changes = Mapping[str, tuple[Any, Any]]
"""Fields, each with its old and its new value."""

NEWEST = (2**62, 2**62)
"""The place before the newest row of a timeline."""


def append(tx: Tx, workspace_id: int, entries: Sequence[Entry]) -> None:
    """Number the entries and write them; nothing is written for none."""
    if not entries:
        return
    numbers = ids.take(tx, workspace_id, journal=len(entries))["journal"]
    tx.run(
        _ADD,
        workspace_id=workspace_id,
        rows=[
            [
                number,
                clock.to_micros(entry.at),
                str(entry.subject),
                entry.subject_id,
                entry.contact_id,
                int(entry.is_new),
                json.dumps(entry.changes),
                entry.author.name,
                str(entry.author.origin),
            ]
            for number, entry in zip(numbers, entries, strict=True)
        ],
    )


def append_for_deals_in(
    tx: Tx, workspace_id: int, stage_id: int, changes: Changes, *, author: Author, at: datetime
) -> int:
    """Write the same change of every deal in a stage; return of how many."""
    asked: dict[str, Any] = {"workspace_id": workspace_id, "stage_id": stage_id}
    [[count]] = tx.fetch(_COUNT_DEALS_IN, **asked)
    if count:
        tx.run(
            _ADD_FOR_DEALS_IN,
            **asked,
            first_id=next(ids.take(tx, workspace_id, journal=count)["journal"]),
            at=clock.to_micros(at),
            changes=json.dumps(changes),
            author=author.name,
            origin=str(author.origin),
        )
    return int(count)


def of_subject(
    reader: Reader, workspace_id: int, subject: Subject, subject_id: int, limit: int
) -> list[Entry]:
    """Return the changes of one thing, newest first."""
    found = reader.rows(
        _OF_SUBJECT,
        workspace_id=workspace_id,
        subject=str(subject),
        subject_id=subject_id,
        limit=limit,
    )
    return [_entry(row) for row in found]


def of_contact(
    reader: Reader, workspace_id: int, contact_id: int, before: tuple[int, int], limit: int
) -> list[Entry]:
    """Return changes of a contact and its deals from before a place (at, id), newest first."""
    return [
        _entry(row) for row in _page(reader, _OF_CONTACT, workspace_id, contact_id, before, limit)
    ]


def events_of_contact(
    reader: Reader, workspace_id: int, contact_id: int, before: tuple[int, int], limit: int
) -> list[Event]:
    """Return events of a contact from before a place (at, id), newest first."""
    found = _page(reader, _EVENTS_OF_CONTACT, workspace_id, contact_id, before, limit)
    return [
        Event(identity, name, contact, clock.from_micros(at), data)
        for identity, name, contact, at, data in found
    ]


def product_events_of_contact(
    reader: Reader, workspace_id: int, contact_id: int, before: tuple[int, int], limit: int
) -> list[ProductEvent]:
    """Return product events of a contact from before a place (at, id), newest first."""
    found = _page(reader, _PRODUCT_EVENTS_OF_CONTACT, workspace_id, contact_id, before, limit)
    return [
        ProductEvent(identity, product, contact, event_type, clock.from_micros(at), data)
        for identity, product, contact, event_type, at, data in found
    ]


def counts_of_contact(reader: Reader, workspace_id: int, contact_id: int) -> tuple[int, int, int]:
    """Return how many events, product events and changes a contact has."""
    [[events, product_events, changes]] = reader.rows(
        _COUNT_OF_CONTACT, workspace_id=workspace_id, contact_id=contact_id
    )
    return events, product_events, changes


def _page(
    reader: Reader,
    query: str,
    workspace_id: int,
    contact_id: int,
    before: tuple[int, int],
    limit: int,
) -> list[list[Any]]:
    at, last_id = before
    return reader.rows(
        query, workspace_id=workspace_id, contact_id=contact_id, at=at, id=last_id, limit=limit
    )


def _entry(row: list[Any]) -> Entry:
    identity, at, subject, subject_id, contact_id, is_new, changes, author, origin = row
    return Entry(
        subject=Subject(subject),
        subject_id=subject_id,
        contact_id=contact_id,
        is_new=bool(is_new),
        changes={name: (old, new) for name, (old, new) in changes.items()},
        author=Author(author, Origin(origin)),
        at=clock.from_micros(at),
        id=identity,
    )
