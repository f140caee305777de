"""The outbox's rows of orders: their latest snapshots, what was planned, who is in quarantine."""

# ruff: noqa: S608 -- statements are put together from constants of this package

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ordertrail.kit import clock, json
from ordertrail.kit.database import Reader, Tx
from ordertrail.sync.outbox_sql import TO, listed, rows, sent
from ordertrail.sync.plan import Operation, PlannedContact, PlannedOrder

_SNAPSHOT = "order_id content_hash planned body"
_CONTACT = "custom_id lane body changes as_of"
_OPERATION = "key order_id lane step kind method path body"

_ADD_DESTINATION = "INSERT INTO destinations (key) VALUES (:destination) ON CONFLICT DO NOTHING"
_KNOWN = rows(
    "j.value, s.content_hash, q.order_id IS NOT NULL",
    f"json_each(:ids) j LEFT JOIN snapshots s"
    f" ON s.destination = {TO} AND s.source = :source AND s.order_id = j.value"
    f" LEFT JOIN quarantine q"
    f" ON q.destination = {TO} AND q.source = :source AND q.order_id = j.value",
)
_PLANNED_ORDERS = rows(
    "s.order_id, json(s.planned)",
    f"json_each(:ids) j CROSS JOIN snapshots s"
    f" WHERE s.destination = {TO} AND s.source = :source AND s.order_id = j.value",
)
_PLANNED_CONTACTS = rows(
    "c.custom_id, c.lane, json(c.body), c.changes, c.as_of",
    f"json_each(:ids) j CROSS JOIN contacts c WHERE c.destination = {TO} AND c.custom_id = j.value",
)
_PARKED_OF = (
    f"destination = {TO} AND source = :source AND state = 'parked'"
    f" AND order_id IN (SELECT value FROM json_each(:ids))"
)
_BLOCKED = rows(
    "DISTINCT order_id", f"operations WHERE {_PARKED_OF} AND kind IN ('contact', 'deal')"
)
_REPLACE = (
    f"UPDATE operations SET state = 'done', body = '', reason = 'replaced by a later snapshot',"
    f" finished_at = :at WHERE {_PARKED_OF} AND kind IN ('contact', 'deal')"
)
_UNSAY = (
    f"UPDATE contacts SET lane = '' WHERE destination = {TO} AND custom_id IN"
    f" (SELECT json_extract(body, '$.custom_id') FROM operations"
    f" WHERE {_PARKED_OF} AND kind = 'contact')"
)
_QUEUE_AGAIN = (
    f"UPDATE operations SET state = 'waiting', reason = NULL, finished_at = NULL, id = o.behind"
    f" FROM (SELECT id, row_number() OVER (ORDER BY id) + (SELECT max(id) FROM operations) behind"
    f" FROM operations WHERE {_PARKED_OF}) o WHERE operations.id = o.id"
)
_SAVE_SNAPSHOTS = (
    f"INSERT INTO snapshots (destination, source, {listed(_SNAPSHOT)}, accepted_at)"
    f" SELECT {TO}, :source, {listed(_SNAPSHOT)}, :at FROM {sent(_SNAPSHOT)} WHERE true"
    f" ON CONFLICT (destination, source, order_id) DO UPDATE SET"
    f" content_hash = excluded.content_hash, planned = excluded.planned, body = excluded.body,"
    f" accepted_at = excluded.accepted_at"
)
_SAVE_CONTACTS = (
    f"INSERT INTO contacts (destination, {listed(_CONTACT)})"
    f" SELECT {TO}, {listed(_CONTACT)} FROM {sent(_CONTACT)} WHERE true"
    f" ON CONFLICT (destination, custom_id) DO UPDATE SET"
    f" lane = excluded.lane, body = excluded.body, changes = excluded.changes,"
    f" as_of = excluded.as_of"
)
_ADD_OPERATIONS = (
    f"INSERT INTO operations (destination, source, {listed(_OPERATION)}, state, created_at)"
    f" SELECT {TO}, :source, {listed(_OPERATION)}, 'waiting', :at FROM {sent(_OPERATION)}"
)
_QUARANTINE = (
    f"INSERT INTO quarantine (destination, source, order_id, reason, refused_at)"
    f" SELECT {TO}, :source, order_id, reason, :at FROM {sent('order_id reason')} WHERE true"
    f" ON CONFLICT (destination, source, order_id) DO UPDATE SET"
    f" reason = excluded.reason, refused_at = excluded.refused_at"
)
_RELEASE = (
    f"DELETE FROM quarantine WHERE destination = {TO} AND source = :source"
    f" AND order_id IN (SELECT value FROM json_each(:ids))"
)
_QUARANTINED = rows(
    "source, order_id, reason",
    f"(SELECT * FROM quarantine WHERE destination = {TO} ORDER BY source, order_id LIMIT :limit)",
)


@dataclass(frozen=True, slots=True)
class Route:
    """From which shop to which endpoint: its address, and its workspace if it tells one."""

    source: str
    destination: str


@dataclass(frozen=True, slots=True)
class Known:
    """What is kept of an order, as far as it tells whether a snapshot is news."""

    content_hash: str | None
    is_quarantined: bool


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The latest snapshot of an order, and what was planned for it so far."""

    order_id: str
    content_hash: str
    planned: PlannedOrder
    body: str


@dataclass(frozen=True, slots=True)
class Quarantined:
    """An order whose latest snapshot cannot be true; nothing was planned for that one."""

    source: str
    order_id: str
    reason: str


def add_destination(tx: Tx, destination: str) -> None:
    """Make sure that rows can name the destination."""
    tx.run(_ADD_DESTINATION, destination=destination)


def known(reader: Reader, route: Route, order_ids: Collection[str]) -> dict[str, Known]:
    """Return what is kept of each of these orders."""
    found = reader.rows(
        _KNOWN, destination=route.destination, source=route.source, ids=list(order_ids)
    )
    return {order_id: Known(digest, bool(quarantined)) for order_id, digest, quarantined in found}


def planned_orders(
    reader: Reader, route: Route, order_ids: Collection[str]
) -> dict[str, PlannedOrder]:
    """Return what was planned for those of these orders that were seen before."""
    found = reader.rows(
        _PLANNED_ORDERS, destination=route.destination, source=route.source, ids=list(order_ids)
    )
    return {
        order_id: PlannedOrder(**{**planned, "events": frozenset(planned["events"])})
        for order_id, planned in found
    }


def planned_contacts(
    reader: Reader, destination: str, custom_ids: Collection[str]
) -> dict[str, PlannedContact]:
    """Return what was planned for those of these contacts that were said before."""
    found = reader.rows(_PLANNED_CONTACTS, destination=destination, ids=list(custom_ids))
    return {custom_id: PlannedContact(*planned) for custom_id, *planned in found}


def blocked(reader: Reader, route: Route, order_ids: Collection[str]) -> set[str]:
    """Return those of the orders of which a contact or deal is parked."""
    found = reader.rows(
        _BLOCKED, destination=route.destination, source=route.source, ids=list(order_ids)
    )
    return {order_id for (order_id,) in found}


def replace_parked(tx: Tx, route: Route, order_ids: Collection[str], at: datetime) -> None:
    """Set parked contacts and deals of these orders aside for good: a later snapshot says it all.

    What else is parked of the orders waits again, behind everything that was planned by now. A
    contact that was to be said counts as not said in any lane, so that whoever needs it says it.
    """
    if not order_ids:
        return
    names: dict[str, Any] = {
        "destination": route.destination,
        "source": route.source,
        "ids": list(order_ids),
    }
    tx.run(_UNSAY, **names)
    tx.run(_REPLACE, **names, at=clock.to_micros(at))
    tx.run(_QUEUE_AGAIN, **names)


def save_snapshots(tx: Tx, route: Route, snapshots: Collection[Snapshot], at: datetime) -> None:
    """Keep the latest snapshot of each order."""
    kept = [
        [each.order_id, each.content_hash, json.dumps(each.planned), each.body]
        for each in snapshots
    ]
    _write(tx, _SAVE_SNAPSHOTS, route, kept, at)


def save_contacts(tx: Tx, destination: str, contacts: Mapping[str, PlannedContact]) -> None:
    """Keep what was planned for each contact."""
    kept = [
        [custom_id, each.lane, json.dumps(each.body), each.changes, each.as_of]
        for custom_id, each in contacts.items()
    ]
    tx.run(_SAVE_CONTACTS, destination=destination, rows=kept)


def add_operations(
    tx: Tx,
    route: Route,
    operations: Sequence[Operation],
    at: datetime,
) -> None:
    """Add operations as waiting; their keys must be new."""
    kept: list[list[str | int | None]] = []
    for each in operations:
        place = (each.key, each.order_id, each.lane, each.step, each.kind.value)
        kept.append([*place, each.call.method, each.call.path, json.dumps(each.call.body)])
    _write(tx, _ADD_OPERATIONS, route, kept, at)


def quarantine(tx: Tx, route: Route, refused: Mapping[str, str], at: datetime) -> None:
    """Keep why each of these orders was refused."""
    _write(tx, _QUARANTINE, route, list(refused.items()), at)


def release(tx: Tx, route: Route, order_ids: Collection[str]) -> None:
    """Let these orders out of quarantine."""
    tx.run(_RELEASE, destination=route.destination, source=route.source, ids=list(order_ids))


def quarantined(reader: Reader, destination: str, limit: int) -> list[Quarantined]:
    """Return orders in quarantine."""
    found = reader.rows(_QUARANTINED, destination=destination, limit=limit)
    return [Quarantined(*row) for row in found]


def _write(
    tx: Tx, statement: str, route: Route, kept: Sequence[Sequence[str | int | None]], at: datetime
) -> None:
    if kept:
        micros = clock.to_micros(at)
        tx.run(
            statement,
            destination=route.destination,
            source=route.source,
            at=micros,
            rows=list(kept),
        )
