"""Companies as rows, and who is a member of each."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from ordertrail.domain.company import DETAILS, Company
from ordertrail.domain.filter import Filter
from ordertrail.domain.tag import Tag
from ordertrail.kit import clock, json
from ordertrail.kit.database import Reader, Tx
from ordertrail.kit.paging import Page, Place
from ordertrail.store import filters, listing, sql
from ordertrail.store.belongings import MEMBERS_OF_COMPANY, bearing, tags_of
from ordertrail.store.filters import Column, Kind
from ordertrail.store.listing import Condition, Table

_COLUMNS = (
    "o.id, o.name, o.created_at, o.updated_at, o.custom_id, json(o.details), json(o.attributes),"
    f" {tags_of('company', 'o')}, {MEMBERS_OF_COMPANY}"
)
_BY_CUSTOM_ID = sql.rows(
    _COLUMNS,
    "@list(keys text) j CROSS JOIN companies o"
    " WHERE o.workspace_id = :workspace_id AND o.custom_id = j.value",
)
_BY_ID = sql.rows(
    _COLUMNS,
    "@list(ids int) j CROSS JOIN companies o"
    " WHERE o.workspace_id = :workspace_id AND o.id = j.value",
)
_ALL = "id custom_id name details attributes created_at updated_at"
_IDS = sql.rows(
    "o.custom_id, o.id",
    "@list(keys text) j CROSS JOIN companies o"
    " WHERE o.workspace_id = :workspace_id AND o.custom_id = j.value",
)
_KEYS = sql.rows(
    "o.id, o.custom_id",
    "@list(ids int) j CROSS JOIN companies o"
    " WHERE o.workspace_id = :workspace_id AND o.id = j.value",
)
_ADD = sql.insert("companies", _ALL)
_CHANGE = sql.update("companies", _ALL, "custom_id name details attributes updated_at")
_GONE = "@in(ids int)"
_DROP_MEMBERS = (
    f"DELETE FROM company_members WHERE workspace_id = :workspace_id AND company_id {_GONE}"
)
_DROP_TAGS = (
    "DELETE FROM taggings WHERE workspace_id = :workspace_id AND subject = 'company'"
    f" AND subject_id {_GONE}"
)
_DELETE = f"DELETE FROM companies WHERE workspace_id = :workspace_id AND id {_GONE}"
_PAIRS = sql.sent("pairs", "company_id", "contact_id")
_ADD_MEMBERS = (
    "INSERT INTO company_members (workspace_id, company_id, contact_id, created_at)"
    f" SELECT :workspace_id, company_id, contact_id, :at FROM {_PAIRS} r WHERE true"
    " ON CONFLICT DO NOTHING"
)
_REMOVE_MEMBERS = (
    "DELETE FROM company_members WHERE workspace_id = :workspace_id"
    f" AND (company_id, contact_id) IN (SELECT company_id, contact_id FROM {_PAIRS} r)"
)
_TABLE = Table("companies", "o", _COLUMNS)
_MEMBERS = Table("company_members", "m", "m.contact_id", key="contact_id")
COLUMNS = {
    **dict.fromkeys(DETAILS, Column("o.details", Kind.JSON)),
    "id": Column("o.id", Kind.NUMBER),
    "custom_id": Column("o.custom_id"),
    "name": Column("o.name"),
    "phone_numbers": Column(
        "j.value",
        within=f"EXISTS (SELECT 1 FROM {sql.items('o.details', 'phone_numbers')} j WHERE {{}})",
    ),
    "employees": Column(
        "m.contact_id",
        Kind.NUMBER,
        within="o.id IN (SELECT m.company_id FROM company_members m"
        " WHERE m.workspace_id = :workspace_id AND {})",
    ),
    "tags": bearing("company", "o"),
    "created_at": Column("o.created_at", Kind.MOMENT),
    "updated_at": Column("o.updated_at", Kind.MOMENT),
}
"""The standard fields of a company; every other name is an attribute."""

Pairs = Collection[tuple[int, int]]
"""Ids of companies, each with the id of a contact."""


def by_custom_ids(reader: Reader, workspace_id: int, keys: Collection[str]) -> dict[str, Company]:
    """Return the companies with these custom ids."""
    if not keys:
        return {}
    found = reader.rows(_BY_CUSTOM_ID, workspace_id=workspace_id, keys=list(keys))
    return {company.custom_id or "": company for company in map(_company, found)}


def ids(reader: Reader, workspace_id: int, keys: Collection[str]) -> dict[str, int]:
    """Return the ids of the companies with these custom ids."""
    found = reader.rows(_IDS, workspace_id=workspace_id, keys=list(keys)) if keys else []
    return dict(found)


def custom_ids(reader: Reader, workspace_id: int, ids: Collection[int]) -> dict[int, str | None]:
    """Return the custom ids of the companies with these ids, None for one without."""
    found = reader.rows(_KEYS, workspace_id=workspace_id, ids=list(ids)) if ids else []
    return dict(found)


def by_ids(reader: Reader, workspace_id: int, ids: Collection[int]) -> dict[int, Company]:
    """Return the companies with these ids."""
    found = reader.rows(_BY_ID, workspace_id=workspace_id, ids=list(ids)) if ids else []
    return {company.id: company for company in map(_company, found)}


def page(
    reader: Reader, workspace_id: int, sought: Sequence[Filter], place: Place
) -> Page[Company]:
    """Return a page of the companies that all filters allow, newest first."""
    found = filters.compiled(sought, COLUMNS, Column("o.attributes", Kind.JSON))
    return listing.page(reader, workspace_id, _TABLE, found, place, _company, lambda each: each.id)


def members(reader: Reader, workspace_id: int, company_id: int, place: Place) -> Page[int]:
    """Return a page of the ids of a company's members, newest first."""
    condition = Condition("m.company_id = :company_id", {"company_id": company_id})
    return listing.page(
        reader, workspace_id, _MEMBERS, condition, place, lambda row: int(row[0]), int
    )


def add(tx: Tx, workspace_id: int, companies: Sequence[Company]) -> None:
    """Insert new companies, without tags and members."""
    if companies:
        tx.run(_ADD, workspace_id=workspace_id, rows=[_row(each) for each in companies])


def change(tx: Tx, workspace_id: int, companies: Sequence[Company]) -> None:
    """Write companies that are there, without tags and members."""
    if companies:
        tx.run(_CHANGE, workspace_id=workspace_id, rows=[_row(each) for each in companies])


def delete(tx: Tx, workspace_id: int, ids: Collection[int]) -> None:
    """Delete companies; what they bore and who were their members stays."""
    if ids:
        for statement in (_DROP_MEMBERS, _DROP_TAGS, _DELETE):
            tx.run(statement, workspace_id=workspace_id, ids=list(ids))


def add_members(tx: Tx, workspace_id: int, pairs: Pairs, at: datetime) -> None:
    """Let contacts be members of companies from now on; who is one already stays so."""
    if pairs:
        rows, since = [list(pair) for pair in pairs], clock.to_micros(at)
        tx.run(_ADD_MEMBERS, workspace_id=workspace_id, pairs=rows, at=since)


def remove_members(tx: Tx, workspace_id: int, pairs: Pairs) -> None:
    """Let contacts be members of companies no longer."""
    if pairs:
        rows = [list(pair) for pair in pairs]
        tx.run(_REMOVE_MEMBERS, workspace_id=workspace_id, pairs=rows)


def _row(company: Company) -> list[Any]:
    return [
        company.id,
        company.custom_id,
        company.name,
        json.dumps(company.details),
        json.dumps(company.attributes),
        clock.to_micros(company.created_at),
        clock.to_micros(company.updated_at),
    ]


def _company(row: list[Any]) -> Company:
    identity, name, created_at, updated_at, custom_id, details, attributes, tags, member_ids = row
    return Company(
        identity,
        name,
        clock.from_micros(created_at),
        clock.from_micros(updated_at),
        custom_id,
        details,
        attributes,
        tuple(Tag(*tag) for tag in tags),
        tuple(member_ids),
    )
