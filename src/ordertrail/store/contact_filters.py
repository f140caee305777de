"""Lists of contacts, by what they are like; one that was merged away is in none of them."""

from collections.abc import Sequence

from ordertrail.domain.contact import PROFILE, WORDS, Contact
from ordertrail.domain.filter import Filter
from ordertrail.kit.database import Reader
from ordertrail.kit.paging import Page, Place
from ordertrail.store import contacts, filters, listing
from ordertrail.store.belongings import bearing
from ordertrail.store.filters import Column, Kind
from ordertrail.store.listing import Condition

_TABLE = listing.Table("contacts", "c", contacts.COLUMNS, always="c.merged_into IS NULL")
_ATTRIBUTES = Column("c.attributes", Kind.JSON)
_LEADS_TO = "c.id IN (SELECT coalesce(k.merged_into, k.id) FROM contacts k @by("
_OURS = "WHERE k.workspace_id = :workspace_id AND"
_MEMBERS = "WHERE m.workspace_id = :workspace_id AND {}"
_PHONE = Column(
    "c.profile ->> 'phone_number'",
    exact=f"{_LEADS_TO}contacts_phone) {_OURS} k.profile ->> 'phone_number' = {{value}})",
)
_LAST_PAGE = Place(edge=0, is_back=True, count=0)


def _flag(name: str, unsaid: str) -> str:
    """A flag of the profile as SQL: 'true' or 'false', whatever the database calls them."""
    said = f"CASE CAST(c.profile ->> '{name}' AS TEXT) WHEN '1' THEN 'true' WHEN '0' THEN 'false'"
    return f"coalesce({said} ELSE CAST(c.profile ->> '{name}' AS TEXT) END, '{unsaid}')"


COLUMNS = {
    **dict.fromkeys(PROFILE, Column("c.profile", Kind.JSON)),
    "id": Column("c.id", Kind.NUMBER),
    "custom_id": Column(
        "c.custom_id", exact=f"{_LEADS_TO}contacts_custom_id) {_OURS} k.custom_id = {{value}})"
    ),
    "user_key": Column(
        "c.user_key", exact=f"{_LEADS_TO}contacts_user_key) {_OURS} k.user_key = {{value}})"
    ),
    "email": Column(
        "c.email_folded",
        Kind.EMAIL,
        exact=f"{_LEADS_TO}contacts_email) {_OURS} k.email_folded = {{value}})",
    ),
    "name": Column("trim(concat_ws(' ', c.profile ->> 'first_name', c.profile ->> 'last_name'))"),
    "phone": _PHONE,
    "phone_number": _PHONE,
    "gender": Column("coalesce(c.profile ->> 'gender', 'unknown')", words=WORDS["gender"]),
    "status": Column(
        "coalesce(c.profile ->> 'status',"
        " CASE WHEN c.email IS NULL THEN 'visitor' ELSE 'user' END)",
        words=WORDS["status"],
    ),
    "assigned_to": Column("CAST(c.profile ->> 'assigned_to' AS NUMERIC)", Kind.NUMBER),
    "score": Column("coalesce(CAST(c.profile ->> 'score' AS NUMERIC), 0)", Kind.NUMBER),
    "unsubscribed": Column(_flag("unsubscribed", "false"), Kind.FLAG),
    "notifications": Column(_flag("notifications", "true"), Kind.FLAG),
    "page_views": Column("0", Kind.NUMBER),
    "web_push_subscription": Column("'false'", Kind.FLAG),
    "tags": bearing("contact", "c"),
    "lists": Column(
        "m.list_id",
        Kind.NUMBER,
        within=f"c.id IN (SELECT m.contact_id FROM list_members m {_MEMBERS})",
    ),
    "companies": Column(
        "m.company_id",
        Kind.NUMBER,
        within=f"c.id IN (SELECT m.contact_id FROM company_members m {_MEMBERS})",
    ),
    "company_custom_id": Column(
        "o.custom_id",
        within="c.id IN (SELECT m.contact_id FROM companies o JOIN company_members m"
        f" ON m.workspace_id = o.workspace_id AND m.company_id = o.id {_MEMBERS})",
    ),
    "created_at": Column("c.created_at", Kind.MOMENT),
    "updated_at": Column("c.updated_at", Kind.MOMENT),
}
"""The standard fields of a contact; every other name is an attribute."""


def condition(sought: Sequence[Filter], *, with_email: bool | None = None) -> Condition:
    """Return the condition on contacts that all filters hold, and that they have an e-mail."""
    found = filters.compiled(sought, COLUMNS, _ATTRIBUTES)
    if with_email is None:
        return found
    wanted = "c.email_folded IS NOT NULL" if with_email else "c.email_folded IS NULL"
    return found.and_also(Condition(wanted))


def page(reader: Reader, workspace_id: int, sought: Condition, place: Place) -> Page[Contact]:
    """Return a page of the contacts that the condition allows, newest first."""
    return listing.page(
        reader, workspace_id, _TABLE, sought, place, contacts.from_row, lambda each: each.id
    )


def oldest(reader: Reader, workspace_id: int, sought: Condition) -> Contact | None:
    """Return the first of the contacts that the condition allows, or None when there is none."""
    found = page(reader, workspace_id, sought, _LAST_PAGE).items
    return found[-1] if found else None
