"""Events and product events as rows; each is its own journal entry."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ordertrail.domain.event import Event, EventType, Recorded
from ordertrail.domain.journal import Origin
from ordertrail.domain.product import ProductEvent
from ordertrail.kit import clock, json
from ordertrail.kit.database import Reader, Tx
from ordertrail.kit.paging import Page, Place
from ordertrail.store import listing, sql


@dataclass(frozen=True, slots=True)
class Arrival:
    """How an event came in: its permanent key, if the sender gave one, and when and why."""

    operation_key: str | None
    origin: Origin
    created_at: datetime


_TYPES = sql.rows(
    "t.name, t.id",
    "@list(names text) j CROSS JOIN event_types t"
    " WHERE t.workspace_id = :workspace_id AND t.name = j.value",
)
_TYPE_TABLE = listing.Table("event_types", "t", "t.id, t.name, t.created_at")
_TYPE = sql.rows(
    _TYPE_TABLE.columns,
    "event_types t WHERE t.workspace_id = :workspace_id AND t.id = :type_id",
)
_ADD_TYPES = sql.insert("event_types", "id name created_at first_event_id")
_ADD_EVENTS = sql.insert(
    "events", "id event_type_id contact_id at data origin created_at operation_key"
)
_ADD_PRODUCT_EVENTS = sql.insert(
    "product_events",
    "id product_id contact_id event_type at custom_data origin created_at operation_key",
)
_EVENT_KEYS = sql.rows(
    "e.operation_key, e.id, e.at, e.created_at, json(e.data),"
    " t.first_event_id IS NOT DISTINCT FROM e.id, e.contact_id, e.event_type_id",
    "@list(keys text) j CROSS JOIN events e CROSS JOIN event_types t"
    " WHERE e.workspace_id = :workspace_id AND e.operation_key = j.value"
    " AND t.workspace_id = :workspace_id AND t.id = e.event_type_id",
)
_PRODUCT_EVENT_KEYS = sql.rows(
    "e.operation_key, e.id, e.at, e.created_at, json(e.custom_data), 0,"
    " e.contact_id, e.product_id, e.event_type",
    "@list(keys text) j CROSS JOIN product_events e"
    " WHERE e.workspace_id = :workspace_id AND e.operation_key = j.value",
)
_PRODUCT_COUNTS = sql.rows(
    "event_type, n",
    "(SELECT event_type, count(*) AS n FROM product_events"
    " WHERE workspace_id = :workspace_id AND product_id = :product_id"
    " GROUP BY event_type ORDER BY event_type) f",
)


def type_ids(reader: Reader, workspace_id: int, names: Collection[str]) -> dict[str, int]:
    """Return the ids of those event names that were seen before."""
    found = reader.rows(_TYPES, workspace_id=workspace_id, names=list(names)) if names else []
    return dict(found)


def types(reader: Reader, workspace_id: int, place: Place) -> Page[EventType]:
    """Return a page of the names that events have, newest first."""
    everything = listing.EVERYTHING
    return listing.page(
        reader, workspace_id, _TYPE_TABLE, everything, place, _type, lambda each: each.id
    )


def type_by_id(reader: Reader, workspace_id: int, type_id: int) -> EventType | None:
    """Return the name with this id."""
    found = reader.rows(_TYPE, workspace_id=workspace_id, type_id=type_id)
    return _type(found[0]) if found else None


def add_types(tx: Tx, workspace_id: int, types: Sequence[tuple[EventType, int]]) -> None:
    """Insert event names, each with the id of the first event that has it."""
    rows = [
        [each.id, each.name, clock.to_micros(each.created_at), first_id] for each, first_id in types
    ]
    if rows:
        tx.run(_ADD_TYPES, workspace_id=workspace_id, rows=rows)


def known_keys(reader: Reader, workspace_id: int, keys: Collection[str]) -> dict[str, Recorded]:
    """Return, by operation key, the events created so, about (contact id, event type id)."""
    return _recorded(reader, _EVENT_KEYS, workspace_id, keys)


def known_product_keys(
    reader: Reader, workspace_id: int, keys: Collection[str]
) -> dict[str, Recorded]:
    """Return, by operation key, the product events, about (contact id, product id, type)."""
    return _recorded(reader, _PRODUCT_EVENT_KEYS, workspace_id, keys)


def add(
    tx: Tx, workspace_id: int, events: Sequence[tuple[Event, Arrival]], types: dict[str, int]
) -> None:
    """Insert events; `types` maps their names to ids."""
    rows: list[Any] = [
        [
            event.id,
            types[event.name],
            event.contact_id,
            clock.to_micros(event.at),
            json.dumps(event.data),
            str(arrival.origin),
            clock.to_micros(arrival.created_at),
            arrival.operation_key,
        ]
        for event, arrival in events
    ]
    if rows:
        tx.run(_ADD_EVENTS, workspace_id=workspace_id, rows=rows)


def add_product_events(
    tx: Tx, workspace_id: int, events: Sequence[tuple[ProductEvent, Arrival]]
) -> None:
    """Insert product events."""
    rows: list[Any] = [
        [
            event.id,
            event.product_id,
            event.contact_id,
            event.event_type,
            clock.to_micros(event.at),
            json.dumps(event.custom_data),
            str(arrival.origin),
            clock.to_micros(arrival.created_at),
            arrival.operation_key,
        ]
        for event, arrival in events
    ]
    if rows:
        tx.run(_ADD_PRODUCT_EVENTS, workspace_id=workspace_id, rows=rows)


def counts_of_product(reader: Reader, workspace_id: int, product_id: int) -> dict[str, int]:
    """Return how many events of each type a product has."""
    found = reader.rows(_PRODUCT_COUNTS, workspace_id=workspace_id, product_id=product_id)
    return dict(found)


def _recorded(
    reader: Reader, query: str, workspace_id: int, keys: Collection[str]
) -> dict[str, Recorded]:
    found = reader.rows(query, workspace_id=workspace_id, keys=list(keys)) if keys else []
    return {
        key: Recorded(
            event_id,
            tuple(about),
            clock.from_micros(at),
            clock.from_micros(created_at),
            data,
            bool(is_first),
        )
        for key, event_id, at, created_at, data, is_first, *about in found
    }


def _type(row: list[Any]) -> EventType:
    identity, name, created_at = row
    return EventType(identity, name, clock.from_micros(created_at))
