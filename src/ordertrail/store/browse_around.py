"""What people see around one thing: names, sums, changes and the timeline, one statement each."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from ordertrail.domain import money
from ordertrail.domain.journal import Subject
from ordertrail.kit import clock
from ordertrail.kit.database import Reader
from ordertrail.store import names, sql
from ordertrail.store.names import Names, Thing

_NO_NUMBER = "CAST(NULL AS BIGINT)"
_FIGURES = sql.rows(
    "kind, id, a, b",
    "(SELECT kind, id, CAST(is_there AS INTEGER) AS a, name AS b"
    f" FROM {names.SOURCE} n UNION ALL"
    " SELECT 'order', count(*), value_minor, currency FROM deals @by(deals_contact)"
    " WHERE workspace_id = :workspace_id AND contact_id = :contact_id"
    " GROUP BY currency, value_minor UNION ALL"
    " SELECT 'timeline', count(*), NULL, NULL FROM events"
    " WHERE workspace_id = :workspace_id AND contact_id = :contact_id UNION ALL"
    " SELECT 'timeline', count(*), NULL, NULL FROM product_events"
    " WHERE workspace_id = :workspace_id AND contact_id = :contact_id UNION ALL"
    " SELECT 'timeline', count(*), NULL, NULL FROM journal"
    " WHERE workspace_id = :workspace_id AND contact_id = :contact_id) f",
)
_KEY = f" LEFT JOIN keys k ON k.workspace_id = :workspace_id AND k.id = {sql.KEY_OF_AUTHOR}"
_DEAL_OF = " LEFT JOIN deals d ON d.workspace_id = :workspace_id AND d.custom_id = "
_COLUMNS = (
    "kind, id, at, name, json(data), subject_id, is_new, author, key_name, origin,"
    " deal_id, deal_name, product_id, product_name"
)
_CHANGES = sql.rows(
    _COLUMNS,
    "(SELECT 'change' AS kind, j.id, j.at, j.subject AS name, j.changes AS data, j.subject_id,"
    " j.is_new, j.author, k.name AS key_name, j.origin, NULL AS deal_id, NULL AS deal_name,"
    " NULL AS product_id, NULL AS product_name"
    f" FROM journal j @by(journal_subject){_KEY}"
    " WHERE j.workspace_id = :workspace_id AND j.subject = :subject"
    " AND j.subject_id = :subject_id ORDER BY j.id DESC LIMIT :limit) f",
)


def _newest(table: str) -> str:
    return (
        f"(SELECT * FROM {table} WHERE workspace_id = :workspace_id AND contact_id = :contact_id"
        " AND (at, id) < (:at, :last_id) ORDER BY at DESC, id DESC LIMIT :limit)"
    )


_TIMELINE = sql.rows(
    _COLUMNS,
    "(SELECT * FROM (SELECT 'event' AS kind, e.id, e.at, t.name, e.data,"
    f" {_NO_NUMBER} AS subject_id, 1 AS is_new, NULL AS author, NULL AS key_name, e.origin,"
    f" d.id AS deal_id, d.name AS deal_name, {_NO_NUMBER} AS product_id, NULL AS product_name"
    f" FROM {_newest('events')} e"
    " JOIN event_types t ON t.workspace_id = :workspace_id AND t.id = e.event_type_id"
    f"{_DEAL_OF} e.data ->> 'order_id' UNION ALL"
    " SELECT 'product_event', e.id, e.at, e.event_type, e.custom_data, NULL, 1, NULL, NULL,"
    " e.origin, d.id, d.name, p.id, coalesce(p.details ->> 'name', p.custom_id)"
    f" FROM {_newest('product_events')} e"
    " JOIN products p ON p.workspace_id = :workspace_id AND p.id = e.product_id"
    f"{_DEAL_OF} e.custom_data ->> 'order_id' UNION ALL"
    " SELECT 'change', j.id, j.at, j.subject, j.changes, j.subject_id, j.is_new, j.author, k.name,"
    f" j.origin, d.id, d.name, NULL, NULL FROM {_newest('journal')} j{_KEY}"
    " LEFT JOIN deals d ON d.workspace_id = :workspace_id AND j.subject = 'deal'"
    " AND d.id = j.subject_id) h ORDER BY at DESC, id DESC LIMIT :limit) f",
)


@dataclass(frozen=True, slots=True)
class Total:
    """The orders of one currency: how many, and what they come to."""

    currency: str
    orders: int
    value: Decimal


@dataclass(frozen=True, slots=True)
class Figures:
    """A contact in numbers, and the names that were asked for with them."""

    names: Names
    totals: tuple[Total, ...]
    timeline: int


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that happened: an event, a product event, or a change of a contact or a deal.

    `name` is the event's name, the type of the product event, or what was changed; `data` are the
    event's data, or old and new values by field. `deal_id` is the deal that was changed, or that
    the data name as `order_id`.
    """

    kind: str
    id: int
    at: datetime
    name: str
    data: Mapping[str, Any]
    subject_id: int | None
    is_new: bool
    author: str | None
    key_name: str | None
    origin: str
    deal_id: int | None
    deal_name: str | None
    product_id: int | None
    product_name: str | None


def figures(
    reader: Reader, workspace_id: int, contact_id: int, things: Collection[Thing]
) -> Figures:
    """Return what the orders of a contact come to, how long its timeline is, and these names."""
    asked = names.asked(things)
    found = reader.rows(_FIGURES, workspace_id=workspace_id, contact_id=contact_id, asked=asked)
    orders: dict[str, int] = {}
    minor: dict[str, int] = {}
    for kind, n, value_minor, currency in found:
        if kind == "order":
            orders[currency] = orders.get(currency, 0) + n
            minor[currency] = minor.get(currency, 0) + n * value_minor
    return Figures(
        names=names.from_rows([row for row in found if row[0] not in ("order", "timeline")]),
        totals=tuple(
            Total(code, orders[code], money.amount(minor[code], code)) for code in sorted(orders)
        ),
        timeline=sum(n for kind, n, _, _ in found if kind == "timeline"),
    )


def changes(
    reader: Reader, workspace_id: int, subject: Subject, subject_id: int, limit: int
) -> list[Happening]:
    """Return the changes of one thing, newest first."""
    found = reader.rows(
        _CHANGES,
        workspace_id=workspace_id,
        subject=str(subject),
        subject_id=subject_id,
        limit=limit,
    )
    return [_happening(row) for row in found]


def timeline(
    reader: Reader, workspace_id: int, contact_id: int, before: tuple[int, int], limit: int
) -> list[Happening]:
    """Return what happened with a contact and its deals before a place (at, id), newest first."""
    at, last_id = before
    found = reader.rows(
        _TIMELINE,
        workspace_id=workspace_id,
        contact_id=contact_id,
        at=at,
        last_id=last_id,
        limit=limit,
    )
    return [_happening(row) for row in found]


def _happening(row: list[Any]) -> Happening:
    kind, identity, at, name, data, subject_id, is_new, *rest = row
    moment = clock.from_micros(at)
    return Happening(kind, identity, moment, name, data, subject_id, bool(is_new), *rest)
