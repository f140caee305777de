"""The outbox's rows of orders: latest snapshots, what was planned, who is who, quarantine."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ordertrail.kit import json
from ordertrail.sync.accounts import PlannedAccount
from ordertrail.sync.arrivals import Known, News
from ordertrail.sync.outbox_sql import Reading, Row, Writing
from ordertrail.sync.plan import PlannedContact, PlannedOrder

_OF = "destination = :to AND source = :source"
_FIND = (
    "SELECT order_id, content_hash, rank, planned, 0 AS is_quarantined FROM ordertrail_snapshots"
    f" WHERE {_OF} AND order_id @in(ids text) UNION ALL"
    " SELECT order_id, NULL, rank, NULL, 1 FROM ordertrail_quarantine"
    f" WHERE {_OF} AND order_id @in(ids text)"
)
_CONTACTS = (
    "SELECT custom_id, lane, body, changes, said_as_of FROM ordertrail_contacts"
    " WHERE destination = :to AND custom_id @in(ids text)"
)
_ACCOUNTS = (
    "SELECT shop_id, custom_id, as_of, lane, merges FROM ordertrail_accounts"
    f" WHERE {_OF} AND shop_id @in(ids text)"
)
_BODY = f"SELECT body FROM ordertrail_snapshots WHERE {_OF} AND order_id = :order_id"
_CONTACT = "SELECT body FROM ordertrail_contacts WHERE destination = :to AND custom_id = :custom_id"
_SAVE_SNAPSHOTS = (
    "INSERT INTO ordertrail_snapshots"
    " (destination, source, order_id, content_hash, rank, planned, body, accepted_at)"
    " SELECT CAST(:to AS bigint), CAST(:source AS text), order_id, content_hash, rank, planned,"
    " body, CAST(:now AS bigint) FROM @rows(order_id text, content_hash text, rank int,"
    " planned text, body text) r WHERE true"
    " ON CONFLICT (destination, source, order_id) DO UPDATE SET"
    " content_hash = excluded.content_hash, rank = excluded.rank, planned = excluded.planned,"
    " body = excluded.body, accepted_at = excluded.accepted_at"
)
_SAVE_CONTACTS = (
    "INSERT INTO ordertrail_contacts (destination, custom_id, lane, body, changes, said_as_of)"
    " SELECT CAST(:to AS bigint), custom_id, lane, body, changes, said_as_of"
    " FROM @rows(custom_id text, lane text, body text, changes int, said_as_of text) r WHERE true"
    " ON CONFLICT (destination, custom_id) DO UPDATE SET lane = excluded.lane,"
    " body = excluded.body, changes = excluded.changes,"
    " said_as_of = excluded.said_as_of"
)
_SAVE_ACCOUNTS = (
    "INSERT INTO ordertrail_accounts"
    " (destination, source, shop_id, custom_id, as_of, lane, merges)"
    " SELECT CAST(:to AS bigint), CAST(:source AS text), shop_id, custom_id, as_of, lane, merges"
    " FROM @rows(shop_id text, custom_id text, as_of int, lane text, merges int) r WHERE true"
    " ON CONFLICT (destination, source, shop_id) DO UPDATE SET custom_id = excluded.custom_id,"
    " as_of = excluded.as_of, lane = excluded.lane, merges = excluded.merges"
)
_QUARANTINE = (
    "INSERT INTO ordertrail_quarantine"
    " (destination, source, order_id, reason, rank, refused_at)"
    " SELECT CAST(:to AS bigint), CAST(:source AS text), order_id, reason, rank,"
    " CAST(:now AS bigint) FROM @rows(order_id text, reason text, rank int) r WHERE true"
    " ON CONFLICT (destination, source, order_id) DO UPDATE SET"
    " reason = excluded.reason, rank = excluded.rank, refused_at = excluded.refused_at"
)
_RAISE_RANKS = (
    "UPDATE ordertrail_snapshots SET rank = r.raised FROM @rows(bumped text, raised int) r"
    f" WHERE {_OF} AND order_id = r.bumped"
)
_COUNT_OLDER = (
    "UPDATE ordertrail_snapshots SET older_count = older_count + r.times, older_at = :now"
    f" FROM @rows(older text, times int) r WHERE {_OF} AND order_id = r.older"
)
_RELEASE = f"DELETE FROM ordertrail_quarantine WHERE {_OF} AND order_id @in(ids text)"


@dataclass(frozen=True, slots=True)
class Route:
    """From which shop to which endpoint: its address, and its workspace if it tells one."""

    source: str
    destination: str


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where some orders are kept: the destination's number and the source, at one moment."""

    to: int
    source: str
    now: int


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of some orders: what tells whether a snapshot is news, and what was planned."""

    known: dict[str, Known] = field(default_factory=dict)
    planned: dict[str, PlannedOrder] = field(default_factory=dict)


def find(sql: Reading, to: int, source: str, order_ids: Collection[str]) -> Kept:
    """Return what is kept of each of these orders."""
    kept = Kept()
    rows = sql.fetch(_FIND, to=to, source=source, ids=list(order_ids))
    for order_id, digest, rank, planned, is_quarantined in rows:
        before = kept.known.get(order_id, Known())
        if is_quarantined:
            known = replace(before, is_quarantined=True, quarantine_rank=rank)
        else:
            known = replace(before, content_hash=digest, rank=rank)
            kept.planned[order_id] = planned_of(planned)
        kept.known[order_id] = known
    return kept


def contacts(sql: Reading, to: int, custom_ids: Collection[str]) -> dict[str, PlannedContact]:
    """Return what was planned for those of these contacts that were said before."""
    return {
        custom_id: PlannedContact(lane, json.loads(body), changes, json.loads(said_as_of))
        for custom_id, lane, body, changes, said_as_of in sql.fetch(
            _CONTACTS, to=to, ids=list(custom_ids)
        )
    }


def contact_body(sql: Reading, to: int, custom_id: str) -> dict[str, Any] | None:
    """Return everything that was planned to be said of a contact."""
    found = sql.fetch(_CONTACT, to=to, custom_id=custom_id)
    return json.loads(found[0][0]) if found else None


def accounts(
    sql: Reading, to: int, source: str, shop_ids: Collection[str]
) -> dict[str, PlannedAccount]:
    """Return which contact each of these shop accounts is, as far as known."""
    rows = sql.fetch(_ACCOUNTS, to=to, source=source, ids=list(shop_ids))
    return {shop_id: PlannedAccount(*rest) for shop_id, *rest in rows}


def body(sql: Reading, to: int, source: str, order_id: str) -> str | None:
    """Return the latest snapshot of an order as JSON text."""
    found = sql.fetch(_BODY, to=to, source=source, order_id=order_id)
    return found[0][0] if found else None


def save_snapshots(
    sql: Writing, shelf: Shelf, news: Iterable[News], planned: Mapping[str, PlannedOrder]
) -> None:
    """Keep the latest snapshot of each order, and what was planned for it."""
    latest = {each.order_id: each for each in news}
    rows: list[Row] = [
        (each.order_id, each.content_hash, each.rank, _text(planned[each.order_id]), each.body)
        for each in latest.values()
    ]
    if rows:
        sql.run(_SAVE_SNAPSHOTS, rows, to=shelf.to, source=shelf.source, now=shelf.now)


def save_contacts(sql: Writing, shelf: Shelf, kept: Mapping[str, PlannedContact]) -> None:
    """Keep what was planned for each contact."""
    rows: list[Row] = [
        (custom_id, each.lane, _text(each.body), each.changes, _text(each.said_as_of))
        for custom_id, each in kept.items()
    ]
    if rows:
        sql.run(_SAVE_CONTACTS, rows, to=shelf.to)


def save_accounts(sql: Writing, shelf: Shelf, kept: Mapping[str, PlannedAccount]) -> None:
    """Keep which contact each shop account is."""
    rows: list[Row] = [
        (shop_id, each.custom_id, each.as_of, each.lane, each.merges)
        for shop_id, each in kept.items()
    ]
    if rows:
        sql.run(_SAVE_ACCOUNTS, rows, to=shelf.to, source=shelf.source)


def raise_ranks(sql: Writing, shelf: Shelf, ranks: Mapping[str, int]) -> None:
    """Raise the ranks of orders that are as they were."""
    if ranks:
        sql.run(_RAISE_RANKS, list(ranks.items()), to=shelf.to, source=shelf.source)


def count_older(sql: Writing, shelf: Shelf, counts: Mapping[str, int]) -> None:
    """Note how many snapshots were older than the kept ones."""
    if counts:
        rows: list[Row] = list(counts.items())
        sql.run(_COUNT_OLDER, rows, to=shelf.to, source=shelf.source, now=shelf.now)


def quarantine(sql: Writing, shelf: Shelf, refused: Mapping[str, tuple[str, int | None]]) -> None:
    """Keep why each of these orders was refused."""
    if refused:
        rows: list[Row] = [(order_id, *each) for order_id, each in refused.items()]
        sql.run(_QUARANTINE, rows, to=shelf.to, source=shelf.source, now=shelf.now)


def release(sql: Writing, shelf: Shelf, order_ids: Collection[str]) -> None:
    """Let these orders out of quarantine."""
    if order_ids:
        sql.run(_RELEASE, to=shelf.to, source=shelf.source, ids=list(order_ids))


def planned_of(text: str) -> PlannedOrder:
    """Return what was planned for an order, from how it is kept."""
    kept = json.loads(text)
    return PlannedOrder(**{**kept, "events": frozenset(kept["events"])})


def _text(value: object) -> str:
    return json.dumps(value)
