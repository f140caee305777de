"""Lists of deals, by what they are like."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ordertrail.domain import money
from ordertrail.domain.deal import DETAILS, Deal
from ordertrail.domain.filter import Filter, Op
from ordertrail.kit.database import Reader
from ordertrail.kit.paging import Page, Place
from ordertrail.store import deals, filters, listing, sql
from ordertrail.store.belongings import bearing
from ordertrail.store.filters import Column, Kind


def _units() -> str:
    """How many minor units a major unit of the deal's currency has, as SQL."""
    codes: dict[int, list[str]] = {}
    for code, exponent in money.EXPONENTS.items():
        codes.setdefault(exponent, []).append(f"'{code}'")
    cases = "".join(
        f" WHEN d.currency IN ({', '.join(codes[each])}) THEN {10**each}.0"
        for each in sorted(codes)
        if each != 2
    )
    return f"CASE{cases} ELSE 100.0 END"


TABLE = listing.Table("deals", "d", deals.COLUMNS)
"""Deals as a list shows them."""

_ATTRIBUTES = Column("d.attributes", Kind.JSON)
_SAME_AS_K = "coalesce(k.merged_into, k.id)"
_CONTACT = (
    f"d.contact_id = (SELECT {_SAME_AS_K} FROM contacts k"
    " WHERE k.workspace_id = :workspace_id AND {})"
)
_KEY_OF_CONTACT = (
    "(SELECT k.{0} FROM contacts k WHERE k.workspace_id = :workspace_id AND k.id = d.contact_id)"
)
_USER_KEY = Column(
    _KEY_OF_CONTACT.format("user_key"), exact=_CONTACT.format("k.user_key = {value}")
)
_ABOUT = (
    "d.id IN (SELECT b.deal_id FROM products p JOIN"
    " (SELECT deal_id, product_id FROM order_products WHERE workspace_id = :workspace_id"
    " UNION ALL SELECT deal_id, product_id FROM deal_products WHERE workspace_id = :workspace_id) b"
    " ON b.product_id = p.id WHERE p.workspace_id = :workspace_id AND {})"
)
_OF_COMPANY = (
    "(SELECT o.{0} FROM companies o WHERE o.workspace_id = :workspace_id"
    " AND o.id = CAST(d.details ->> 'company_id' AS BIGINT))"
)
_NUMBERS = ("assigned_to", "loss_reason")
COLUMNS: Mapping[str, Column] = {
    **dict.fromkeys(DETAILS, Column("d.details", Kind.JSON)),
    **{name: Column(f"CAST(d.details ->> '{name}' AS NUMERIC)", Kind.NUMBER) for name in _NUMBERS},
    "id": Column("d.id", Kind.NUMBER),
    "custom_id": Column("d.custom_id"),
    "name": Column("d.name"),
    "user_id": Column("d.contact_id", Kind.NUMBER, exact=_CONTACT.format("k.id = {value}")),
    "user_custom_id": Column(
        _KEY_OF_CONTACT.format("custom_id"), exact=_CONTACT.format("k.custom_id = {value}")
    ),
    "user_key": _USER_KEY,
    "userkey": _USER_KEY,
    "pipeline": Column("d.pipeline_id", Kind.NUMBER),
    "stage": Column("d.stage_id", Kind.NUMBER),
    "status": Column("d.status", Kind.NUMBER),
    "value": Column(f"(d.value_minor / {_units()})", Kind.NUMBER),
    "currency": Column("d.currency"),
    "won_at": Column("d.won_at", Kind.MOMENT),
    "lost_at": Column("d.lost_at", Kind.MOMENT),
    "company_id": Column(_OF_COMPANY.format("id"), Kind.NUMBER),
    "company_custom_id": Column(_OF_COMPANY.format("custom_id")),
    "participants": Column(
        _SAME_AS_K,
        Kind.NUMBER,
        exact=f"{_SAME_AS_K} = (SELECT coalesce(x.merged_into, x.id) FROM contacts x"
        " WHERE x.workspace_id = :workspace_id AND x.id = {value})",
        within=f"EXISTS (SELECT 1 FROM {sql.items('d.details', 'participants')} j JOIN contacts k"
        " ON k.id = CAST(j.value AS BIGINT) WHERE k.workspace_id = :workspace_id AND {})",
    ),
    "products": Column("p.id", Kind.NUMBER, within=_ABOUT),
    "products_custom_id": Column("p.custom_id", within=_ABOUT),
    "tags": bearing("deal", "d"),
    "created_at": Column("d.created_at", Kind.MOMENT),
    "updated_at": Column("d.updated_at", Kind.MOMENT),
}
"""The standard fields of a deal; every other name is an attribute."""

_INDEXES = {
    "custom_id": "deals_custom_id",
    "user_id": "deals_contact",
    "user_custom_id": "deals_contact",
    "user_key": "deals_contact",
    "userkey": "deals_contact",
    "stage": "deals_stage",
}

DATES = ("created_at", "updated_at", "won_at", "lost_at")
"""The fields that are times."""


def page(reader: Reader, workspace_id: int, sought: Sequence[Filter], place: Place) -> Page[Deal]:
    """Return a page of the deals that all filters hold for, newest first."""
    condition = filters.compiled(sought, COLUMNS, _ATTRIBUTES)
    table = replace(TABLE, index=_index(sought))
    return listing.page(
        reader, workspace_id, table, condition, place, deals.from_row, lambda each: each.id
    )


def _index(sought: Sequence[Filter]) -> str:
    """The index by which the fewest deals are gone through, and those in the order of the list."""
    fields = {each.field for each in sought if each.op is Op.EXACT}
    return next((index for field, index in _INDEXES.items() if field in fields), "")
