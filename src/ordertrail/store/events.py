"""Events and product events as rows; each is its own journal entry."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ordertrail.domain.event import Event
from ordertrail.domain.journal import Origin
from ordertrail.domain.product import ProductEvent
from ordertrail.kit import clock, json
from ordertrail.kit.database import Reader, Tx
from ordertrail.store import sql


@dataclass(frozen=True, slots=True)
class Arrival:
    """How an event came in: its permanent key, if the sender gave one, and when and why."""

    operation_key: str | None
    origin: Origin
    created_at: datetime


_TYPES = sql.rows(
    "t.name, t.id",
    "json_each(:names) j CROSS JOIN event_types t"
    " WHERE t.workspace_id = :workspace_id AND t.name = j.value",
)
_ADD_TYPES = sql.insert("event_types", "id name created_at")
_ADD_EVENTS = sql.insert(
    "events", "id event_type_id contact_id at data origin created_at operation_key"
)
_ADD_PRODUCT_EVENTS = sql.insert(
    "product_events",
    "id product_id contact_id event_type at custom_data origin created_at operation_key",
)
_EVENT_KEYS = sql.rows(
    "e.operation_key, e.id, e.contact_id, e.event_type_id",
    "json_each(:keys) j CROSS JOIN events e"
    " WHERE e.workspace_id = :workspace_id AND e.operation_key = j.value",
)
_PRODUCT_EVENT_KEYS = sql.rows(
    "e.operation_key, e.id, e.contact_id, e.product_id, e.event_type",
    "json_each(:keys) j CROSS JOIN product_events e"
    " WHERE e.workspace_id = :workspace_id AND e.operation_key = j.value",
)
_PRODUCT_COUNTS = sql.rows(
    "event_type, n",
    "(SELECT event_type, count(*) AS n FROM product_events"
    " WHERE workspace_id = :workspace_id AND product_id = :product_id"
    " GROUP BY event_type ORDER BY event_type)",
)


def type_ids(reader: Reader, workspace_id: int, names: Collection[str]) -> dict[str, int]:
    """Return the ids of those event names that were seen before."""
    found = reader.rows(_TYPES, workspace_id=workspace_id, names=list(names)) if names else []
    return dict(found)


def add_types(tx: Tx, workspace_id: int, types: dict[str, int], at: datetime) -> None:
    """Insert event names with their ids."""
    if types:
        rows = [[type_id, name, clock.to_micros(at)] for name, type_id in types.items()]
        tx.run(_ADD_TYPES, workspace_id=workspace_id, rows=rows)


Recorded = tuple[int, tuple[Any, ...]]
"""An event's id, and what tells it from another: who, and what."""


def known_keys(reader: Reader, workspace_id: int, keys: Collection[str]) -> dict[str, Recorded]:
    """Return, by operation key, id and (contact id, event type id) of the events created so."""
    found = reader.rows(_EVENT_KEYS, workspace_id=workspace_id, keys=list(keys)) if keys else []
    return {key: (event_id, tuple(told)) for key, event_id, *told in found}


def known_product_keys(
    reader: Reader, workspace_id: int, keys: Collection[str]
) -> dict[str, Recorded]:
    """Return, by operation key, id and (contact id, product id, type) of the product events."""
    if not keys:
        return {}
    found = reader.rows(_PRODUCT_EVENT_KEYS, workspace_id=workspace_id, keys=list(keys))
    return {key: (event_id, tuple(told)) for key, event_id, *told in found}


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
