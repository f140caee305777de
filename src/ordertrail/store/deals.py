"""Deals as rows, with their lines and product links."""

from collections.abc import Collection, Sequence
from typing import Any

from ordertrail.domain.deal import Deal, DealName, OrderProduct, Status
from ordertrail.domain.money import Money
from ordertrail.domain.tag import Tag
from ordertrail.kit import clock, json
from ordertrail.kit.database import Reader, Tx
from ordertrail.store import sql
from ordertrail.store.belongings import tags_of

_LINES = sql.array(
    "json_array(o.product_id, o.product_custom_id, o.quantity, o.price_micros, o.currency)",
    "order_products o WHERE o.workspace_id = :workspace_id AND o.deal_id = d.id",
    "o.position",
)
_LINKS = sql.array(
    "l.product_id",
    "deal_products l WHERE l.workspace_id = :workspace_id AND l.deal_id = d.id",
    "l.product_id",
)
COLUMNS = f"""
d.id, d.custom_id, d.name, d.contact_id, d.pipeline_id, d.stage_id, d.status, d.value_minor,
d.currency, d.created_at, d.updated_at, d.won_at, d.lost_at, json(d.details), json(d.attributes),
{_LINES}, {_LINKS},
{tags_of("deal", "d")}
"""
IDS = sql.rows(
    "d.id",
    "@list(keys text) j CROSS JOIN deals d"
    " WHERE d.workspace_id = :workspace_id AND d.custom_id = j.value",
)
_BY_ID = sql.rows(
    COLUMNS,
    "@list(ids int) j CROSS JOIN deals d WHERE d.workspace_id = :workspace_id AND d.id = j.value",
)
_STATE = (
    "name pipeline_id stage_id status value_minor currency updated_at won_at lost_at"
    " details attributes"
)
_ALL = f"id custom_id contact_id created_at {_STATE}"
_ADD = sql.insert("deals", _ALL)
_CHANGE = sql.update("deals", _ALL, _STATE)
_CHANGE_ALL = sql.update("deals", _ALL, f"custom_id contact_id {_STATE}")
_GIVE_UP_CUSTOM_IDS = (
    "UPDATE deals SET custom_id = NULL WHERE workspace_id = :workspace_id AND id @in(ids int)"
)
_CLEAR_LINES = (
    "DELETE FROM order_products WHERE workspace_id = :workspace_id AND deal_id @in(ids int)"
)
_ADD_LINES = sql.insert(
    "order_products",
    "deal_id position product_id product_custom_id quantity price_micros currency",
)
_CLEAR_LINKS = (
    "DELETE FROM deal_products WHERE workspace_id = :workspace_id AND deal_id @in(ids int)"
)
_CLEAR_TAGS = (
    "DELETE FROM taggings WHERE workspace_id = :workspace_id AND subject = 'deal'"
    " AND subject_id @in(ids int)"
)
_DELETE = "DELETE FROM deals WHERE workspace_id = :workspace_id AND id @in(ids int)"
_ADD_LINKS = sql.insert("deal_products", "deal_id product_id")


def by_custom_ids(reader: Reader, workspace_id: int, keys: Collection[str]) -> dict[str, Deal]:
    """Return the deals with these custom ids."""
    # Most that are asked for are new: whether they are there is asked at a quarter of the cost.
    known = reader.rows(IDS, workspace_id=workspace_id, keys=sorted(keys)) if keys else []
    found = by_ids(reader, workspace_id, [deal_id for [deal_id] in known])
    return {deal.custom_id or "": deal for deal in found.values()}


def by_ids(reader: Reader, workspace_id: int, ids: Collection[int]) -> dict[int, Deal]:
    """Return the deals with these ids."""
    found = reader.rows(_BY_ID, workspace_id=workspace_id, ids=list(ids)) if ids else []
    return {deal.id: deal for deal in map(from_row, found)}


def by_names(
    reader: Reader, workspace_id: int, names: Collection[DealName]
) -> dict[DealName, Deal]:
    """Return the deals of these names."""
    keys = {name.custom_id for name in names if name.custom_id is not None}
    numbers = {name.id for name in names if name.id is not None}
    by_key, by_id = (
        by_custom_ids(reader, workspace_id, keys),
        by_ids(reader, workspace_id, numbers),
    )
    found = {
        name: by_id.get(name.id or 0) if name.custom_id is None else by_key.get(name.custom_id)
        for name in names
    }
    return {name: deal for name, deal in found.items() if deal is not None}


def add(tx: Tx, workspace_id: int, deals: Sequence[Deal]) -> None:
    """Insert new deals, without lines and links."""
    if deals:
        tx.run(_ADD, workspace_id=workspace_id, rows=[_row(deal) for deal in deals])


def change(tx: Tx, workspace_id: int, deals: Sequence[Deal], *, identity: bool) -> None:
    """Write deals that are there, without lines and links.

    Their custom ids and whose they are change only with `identity`.
    """
    if deals:
        statement = _CHANGE_ALL if identity else _CHANGE
        tx.run(statement, workspace_id=workspace_id, rows=[_row(deal) for deal in deals])


def give_up_custom_ids(tx: Tx, workspace_id: int, ids: list[int]) -> None:
    """Take the custom ids from deals that get another one, so that these can change places."""
    if ids:
        tx.run(_GIVE_UP_CUSTOM_IDS, workspace_id=workspace_id, ids=ids)


def delete(tx: Tx, workspace_id: int, ids: list[int]) -> None:
    """Delete deals with their lines, links and tags."""
    if ids:
        for statement in (_CLEAR_LINES, _CLEAR_LINKS, _CLEAR_TAGS, _DELETE):
            tx.run(statement, workspace_id=workspace_id, ids=ids)


def save_lines(tx: Tx, workspace_id: int, deals: Sequence[Deal], replaced: list[int]) -> None:
    """Write the lines of the deals; `replaced` are the ids of those that had other lines."""
    if replaced:
        tx.run(_CLEAR_LINES, workspace_id=workspace_id, ids=replaced)
    rows = [
        [
            deal.id,
            position,
            line.product_id,
            line.product_custom_id,
            line.quantity,
            line.price_micros,
            line.currency,
        ]
        for deal in deals
        for position, line in enumerate(deal.lines)
    ]
    if rows:
        tx.run(_ADD_LINES, workspace_id=workspace_id, rows=rows)


def save_links(tx: Tx, workspace_id: int, deals: Sequence[Deal], replaced: list[int]) -> None:
    """Write the product links that no line makes; `replaced` are the deals that had others."""
    if replaced:
        tx.run(_CLEAR_LINKS, workspace_id=workspace_id, ids=replaced)
    rows = [[deal.id, product_id] for deal in deals for product_id in deal.linked_ids]
    if rows:
        tx.run(_ADD_LINKS, workspace_id=workspace_id, rows=rows)


def _row(deal: Deal) -> list[Any]:
    return [
        deal.id,
        deal.custom_id,
        deal.contact_id,
        clock.to_micros(deal.created_at),
        deal.name,
        deal.pipeline_id,
        deal.stage_id,
        int(deal.status),
        deal.value.minor,
        deal.value.currency,
        clock.to_micros(deal.updated_at),
        clock.optional_micros(deal.won_at),
        clock.optional_micros(deal.lost_at),
        json.dumps(deal.details),
        json.dumps(deal.attributes),
    ]


def from_row(row: list[Any]) -> Deal:
    """Return the deal of a row of the columns."""
    return Deal(
        id=row[0],
        custom_id=row[1],
        name=row[2],
        contact_id=row[3],
        pipeline_id=row[4],
        stage_id=row[5],
        status=Status(row[6]),
        value=Money(row[7], row[8]),
        created_at=clock.from_micros(row[9]),
        updated_at=clock.from_micros(row[10]),
        won_at=clock.optional_moment(row[11]),
        lost_at=clock.optional_moment(row[12]),
        details=row[13],
        attributes=row[14],
        lines=tuple(OrderProduct(*line) for line in row[15]),
        linked_ids=tuple(row[16]),
        tags=tuple(Tag(*tag) for tag in row[17]),
    )
