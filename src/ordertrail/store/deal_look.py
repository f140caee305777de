"""One deal and all that belongs to it: plain rows, which cost half of what JSON does for one."""

from collections.abc import Sequence
from typing import Any

from ordertrail.domain.deal import Deal, OrderProduct, Status
from ordertrail.domain.money import Money
from ordertrail.domain.tag import Tag
from ordertrail.kit import clock, json
from ordertrail.kit.database import Reader, Value

_COLUMNS = (
    "SELECT d.id, d.custom_id, d.name, d.contact_id, d.pipeline_id, d.stage_id, d.status,"
    " d.value_minor, d.currency, d.created_at, d.updated_at, d.won_at, d.lost_at, d.details,"
    " d.attributes,"
    " EXISTS (SELECT 1 FROM deal_products l"
    " WHERE l.workspace_id = :workspace_id AND l.deal_id = d.id),"
    " EXISTS (SELECT 1 FROM taggings g"
    " WHERE g.workspace_id = :workspace_id AND g.subject = 'deal' AND g.subject_id = d.id)"
    " FROM deals d WHERE d.workspace_id = :workspace_id"
)
_BY_CUSTOM_ID = f"{_COLUMNS} AND d.custom_id = :key"
_BY_ID = f"{_COLUMNS} AND d.id = :key"
_LINES = (
    "SELECT o.product_id, o.product_custom_id, o.quantity, o.price_micros, o.currency"
    " FROM order_products o WHERE o.workspace_id = :workspace_id AND o.deal_id = :deal_id"
    " ORDER BY o.position"
)
_LINKS = (
    "SELECT l.product_id, p.custom_id FROM deal_products l CROSS JOIN products p"
    " WHERE p.workspace_id = :workspace_id AND p.id = l.product_id"
    " AND l.workspace_id = :workspace_id AND l.deal_id = :deal_id ORDER BY l.product_id"
)
_TAGS = (
    "SELECT t.id, t.name FROM taggings g CROSS JOIN tags t"
    " WHERE t.workspace_id = :workspace_id AND t.id = g.tag_id"
    " AND g.workspace_id = :workspace_id AND g.subject = 'deal' AND g.subject_id = :deal_id"
    " ORDER BY t.id"
)

Found = tuple[Deal, dict[int, str]]
"""A deal, and the shop's ids of the products that it is about."""


def by_custom_id(reader: Reader, workspace_id: int, custom_id: str) -> Found | None:
    """Return the deal with this custom id."""
    return _found(reader, _BY_CUSTOM_ID, workspace_id, custom_id)


def by_id(reader: Reader, workspace_id: int, deal_id: int) -> Found | None:
    """Return the deal with this id."""
    return _found(reader, _BY_ID, workspace_id, deal_id)


def _found(reader: Reader, query: str, workspace_id: int, key: Value) -> Found | None:
    rows = reader.fetch(query, workspace_id=workspace_id, key=key)
    if not rows:
        return None
    [(*row, has_links, has_tags)] = rows
    named = {"workspace_id": workspace_id, "deal_id": row[0]}
    lines = tuple(OrderProduct(*each) for each in reader.fetch(_LINES, **named))
    links = dict(reader.fetch(_LINKS, **named)) if has_links else {}
    tags = tuple(Tag(*each) for each in reader.fetch(_TAGS, **named)) if has_tags else ()
    custom_ids = {line.product_id: line.product_custom_id for line in lines} | links
    return _deal(row, lines, tuple(links), tags), custom_ids


def _deal(
    row: Sequence[Any],
    lines: tuple[OrderProduct, ...],
    linked_ids: tuple[int, ...],
    tags: tuple[Tag, ...],
) -> Deal:
    return Deal(
        row[0],
        row[1],
        row[2],
        row[3],
        row[4],
        row[5],
        Status(row[6]),
        Money(row[7], row[8]),
        clock.from_micros(row[9]),
        clock.from_micros(row[10]),
        clock.optional_moment(row[11]),
        clock.optional_moment(row[12]),
        json.loads(row[13]),
        json.loads(row[14]),
        lines,
        linked_ids,
        tags,
    )
