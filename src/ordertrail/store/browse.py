"""Lists for people: rows with the names that belong to them, newest first, one page at a time."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from ordertrail.domain import money
from ordertrail.domain.deal import Status
from ordertrail.kit import clock
from ordertrail.kit.database import Reader, Value
from ordertrail.store import sql

NEWEST = (2**62, 2**62)
"""The place before the first row of a list."""

_PLACED_AT = sql.seconds("d.attributes ->> 'order_placed_at'")
_PLACED = f"coalesce({_PLACED_AT}, d.created_at / 1000000)"
_LAST_SECOND_SHOWN = 2**33
_CONTACT_STARTS = (
    "c.email_folded @like :start ESCAPE '\\'"
    " OR c.profile ->> 'first_name' @like :start ESCAPE '\\'"
    " OR c.profile ->> 'last_name' @like :start ESCAPE '\\'"
    " OR concat_ws(' ', c.profile ->> 'first_name', c.profile ->> 'last_name')"
    " @like :start ESCAPE '\\'"
)
_KEY_STARTS = (
    "{0}.custom_id @like :start ESCAPE '\\' OR {0}.user_key = :text"
    " OR {0}.email_folded @like :start ESCAPE '\\'"
    " OR {0}.profile ->> 'phone_number' @like :start ESCAPE '\\'"
)
_CONTACT_TEXT = (
    f"({_KEY_STARTS.format('c')} OR {_CONTACT_STARTS} OR c.id IN (SELECT k.merged_into"
    " FROM contacts k @by(contacts_merged) WHERE k.workspace_id = :workspace_id"
    f" AND k.merged_into IS NOT NULL AND ({_KEY_STARTS.format('k')})))"
)
_DEAL_TEXT = (
    "(d.custom_id @like :within ESCAPE '\\' OR d.name @like :within ESCAPE '\\'"
    " OR d.contact_id IN (SELECT coalesce(c.merged_into, c.id) FROM contacts c"
    f" WHERE c.workspace_id = :workspace_id AND ({_CONTACT_STARTS})))"
)
_OF_PRODUCT = (
    "d.id IN (SELECT deal_id FROM order_products"
    " WHERE workspace_id = :workspace_id AND product_id = :product_id"
    " UNION SELECT deal_id FROM deal_products"
    " WHERE workspace_id = :workspace_id AND product_id = :product_id)"
)
_CURRENCY = (
    "(SELECT o.currency FROM order_products o @by(order_products_product)"
    " WHERE o.workspace_id = :workspace_id AND o.product_id = {}"
    " ORDER BY o.deal_id DESC LIMIT 1)"
)
_DEAL_COLUMNS = (
    "id, custom_id, name, contact_id, email, first_name, last_name, stage_id, stage, status,"
    " value_minor, currency, lines, placed, created_at"
)


@dataclass(frozen=True, slots=True)
class DealFilter:
    """Which deals a list shows; None asks for all. `text` is looked for in ids and names."""

    stage_id: int | None = None
    status: Status | None = None
    text: str = ""
    contact_id: int | None = None
    product_id: int | None = None


@dataclass(frozen=True, slots=True)
class DealRow:
    """One deal in a list; `placed` is the time in whole seconds that the list is sorted by."""

    id: int
    custom_id: str | None
    name: str
    contact_id: int | None
    contact: str | None
    stage_id: int
    stage: str
    status: Status
    value: Decimal
    currency: str
    lines: int
    placed_at: datetime
    placed: int


@dataclass(frozen=True, slots=True)
class ContactRow:
    """One contact in a list."""

    id: int
    name: str
    email: str | None
    custom_id: str | None
    orders: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ProductRow:
    """One product in a list; the currency of its price is that of the newest line that has it."""

    id: int
    custom_id: str
    name: str
    price: Decimal | None
    currency: str | None
    orders: int
    created_at: datetime


def deals(
    reader: Reader, workspace_id: int, wanted: DealFilter, before: tuple[int, int], limit: int
) -> list[DealRow]:
    """Return deals placed before a place (second, id), newest first."""
    where, parameters = _deal_conditions(wanted)
    placed, last_id = before
    found = reader.rows(
        _deals(where, _index(wanted)),
        workspace_id=workspace_id,
        placed=placed,
        last_id=last_id,
        limit=limit,
        **parameters,
    )
    return [_deal_row(row) for row in found]


def count_deals(reader: Reader, workspace_id: int, wanted: DealFilter) -> int:
    """Return how many deals a list shows on all its pages."""
    where, parameters = _deal_conditions(wanted)
    source = f"deals d{_index(wanted)} WHERE {where}"
    query = f"SELECT json_array(json_array((SELECT count(*) FROM {source})))"
    [[count]] = reader.rows(query, workspace_id=workspace_id, **parameters)
    return int(count)


def contacts(
    reader: Reader, workspace_id: int, text: str, before_id: int, limit: int
) -> list[ContactRow]:
    """Return contacts with an id below `before_id`, newest first."""
    where, parameters = _contact_conditions(text)
    query = sql.rows(
        "id, email, custom_id, first_name, last_name, orders, created_at",
        "(SELECT c.id, c.email, c.custom_id, c.profile ->> 'first_name' AS first_name,"
        " c.profile ->> 'last_name' AS last_name, c.created_at,"
        " (SELECT count(*) FROM deals d WHERE d.workspace_id = :workspace_id"
        " AND d.contact_id = c.id) AS orders"
        f" FROM contacts c WHERE {where} AND c.id < :before_id ORDER BY c.id DESC LIMIT :limit) f",
    )
    found = reader.rows(
        query, workspace_id=workspace_id, before_id=before_id, limit=limit, **parameters
    )
    return [
        ContactRow(
            identity,
            called(identity, email, first, last),
            email,
            custom_id,
            orders,
            clock.from_micros(created_at),
        )
        for identity, email, custom_id, first, last, orders, created_at in found
    ]


def count_contacts(reader: Reader, workspace_id: int, text: str) -> int:
    """Return how many contacts a list shows on all its pages."""
    where, parameters = _contact_conditions(text)
    query = f"SELECT json_array(json_array((SELECT count(*) FROM contacts c WHERE {where})))"
    [[count]] = reader.rows(query, workspace_id=workspace_id, **parameters)
    return int(count)


def products(
    reader: Reader, workspace_id: int, text: str, before_id: int, limit: int
) -> list[ProductRow]:
    """Return products with an id below `before_id`, newest first."""
    where, parameters = _product_conditions(text)
    query = sql.rows(
        "id, custom_id, name, json(price), currency, orders, created_at",
        "(SELECT p.id, p.custom_id, coalesce(p.details ->> 'name', p.custom_id) AS name,"
        " p.details -> 'price' AS price, p.created_at,"
        f" {_CURRENCY.format('p.id')} AS currency,"
        " (SELECT count(DISTINCT o.deal_id) FROM order_products o"
        " WHERE o.workspace_id = :workspace_id AND o.product_id = p.id) AS orders"
        f" FROM products p WHERE {where} AND p.id < :before_id ORDER BY p.id DESC LIMIT :limit) f",
    )
    found = reader.rows(
        query, workspace_id=workspace_id, before_id=before_id, limit=limit, **parameters
    )
    return [
        ProductRow(
            identity,
            custom_id,
            name,
            None if price is None else Decimal(price),
            currency,
            orders,
            clock.from_micros(created_at),
        )
        for identity, custom_id, name, price, currency, orders, created_at in found
    ]


def count_products(reader: Reader, workspace_id: int, text: str) -> int:
    """Return how many products a list shows on all its pages."""
    where, parameters = _product_conditions(text)
    query = f"SELECT json_array(json_array((SELECT count(*) FROM products p WHERE {where})))"
    [[count]] = reader.rows(query, workspace_id=workspace_id, **parameters)
    return int(count)


def sales_of(reader: Reader, workspace_id: int, product_id: int) -> tuple[int, str | None]:
    """Return how many deals have a product, and the currency of the newest line that has it."""
    where, parameters = _deal_conditions(DealFilter(product_id=product_id))
    count = f"(SELECT count(*) FROM deals d WHERE {where})"
    query = f"SELECT json_array(json_array({count}, {_CURRENCY.format(':product_id')}))"
    [[deal_count, currency]] = reader.rows(query, workspace_id=workspace_id, **parameters)
    return deal_count, currency


def called(contact_id: int, email: str | None, first: object, last: object) -> str:
    """Return something to call a contact by, as `Contact.name` does."""
    names = " ".join(str(name) for name in (first, last) if name)
    return names or email or f"Contact {contact_id}"


def _deals(where: str, index: str) -> str:
    """A page of the list is found first; only its rows are joined with names."""
    return sql.rows(
        _DEAL_COLUMNS,
        "(SELECT d.id, d.custom_id, d.name, d.contact_id, c.email,"
        " c.profile ->> 'first_name' AS first_name, c.profile ->> 'last_name' AS last_name,"
        " d.stage_id, s.name AS stage, d.status, d.value_minor, d.currency, d.created_at,"
        " (SELECT count(*) FROM order_products o WHERE o.workspace_id = :workspace_id"
        " AND o.deal_id = d.id) AS lines, page.placed"
        f" FROM (SELECT d.id, {_PLACED} AS placed FROM deals d{index}"
        f" WHERE {where} AND ({_PLACED}, d.id) < (:placed, :last_id)"
        " ORDER BY placed DESC, d.id DESC LIMIT :limit) page"
        " CROSS JOIN deals d"
        " JOIN stages s ON s.workspace_id = d.workspace_id AND s.id = d.stage_id"
        " LEFT JOIN contacts c ON c.workspace_id = d.workspace_id AND c.id = d.contact_id"
        " WHERE d.workspace_id = :workspace_id AND d.id = page.id"
        " ORDER BY page.placed DESC, d.id DESC) f",
    )


def _index(wanted: DealFilter) -> str:
    return "" if wanted.contact_id is None else " @by(deals_contact)"


def _deal_conditions(wanted: DealFilter) -> tuple[str, dict[str, Value]]:
    where = ["d.workspace_id = :workspace_id"]
    parameters: dict[str, Value] = {}
    for name in ("stage_id", "status", "contact_id"):
        value: int | None = getattr(wanted, name)
        if value is not None:
            where.append(f"d.{name} = :{name}")
            parameters[name] = int(value)
    if wanted.product_id is not None:
        where.append(_OF_PRODUCT)
        parameters["product_id"] = wanted.product_id
    if wanted.text:
        where.append(_DEAL_TEXT)
        parameters |= _patterns(wanted.text)
    return " AND ".join(where), parameters


def _contact_conditions(text: str) -> tuple[str, dict[str, Value]]:
    where = "c.workspace_id = :workspace_id AND c.merged_into IS NULL"
    if not text:
        return where, {}
    return f"{where} AND {_CONTACT_TEXT}", {"start": _patterns(text)["start"], "text": text}


def _product_conditions(text: str) -> tuple[str, dict[str, Value]]:
    where = "p.workspace_id = :workspace_id"
    if not text:
        return where, {}
    wanted = (
        "p.custom_id @like :within ESCAPE '\\' OR p.details ->> 'name' @like :within ESCAPE '\\'"
    )
    return f"{where} AND ({wanted})", {"within": _patterns(text)["within"]}


def _patterns(text: str) -> dict[str, Value]:
    """What was typed, as it stands: its `%` and `_` are no wildcards."""
    plain = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return {"start": f"{plain}%", "within": f"%{plain}%"}


def _deal_row(row: list[Any]) -> DealRow:
    (identity, custom_id, name, contact_id, email, first, last, stage_id, stage, status) = row[:10]
    value_minor, currency, lines, placed, created_at = row[10:]
    is_shown = 0 <= placed < _LAST_SECOND_SHOWN
    return DealRow(
        id=identity,
        custom_id=custom_id,
        name=name,
        contact_id=contact_id,
        contact=None if contact_id is None else called(contact_id, email, first, last),
        stage_id=stage_id,
        stage=stage,
        status=Status(status),
        value=money.amount(value_minor, currency),
        currency=currency,
        lines=lines,
        placed_at=clock.from_micros(placed * 1_000_000 if is_shown else created_at),
        placed=placed,
    )
