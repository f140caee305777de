"""Contacts as rows."""

from collections.abc import Collection, Sequence
from typing import Any

from ordertrail.domain.contact import Contact, Membership
from ordertrail.domain.identity import folded_email
from ordertrail.domain.tag import ContactList, Tag
from ordertrail.kit import clock, json
from ordertrail.kit.database import Reader, Tx
from ordertrail.kit.wording import either
from ordertrail.store import sql
from ordertrail.store.belongings import COMPANIES_OF_CONTACT, LISTS_OF_CONTACT, tags_of

COLUMNS = (
    "c.id, c.user_key, c.created_at, c.updated_at, c.custom_id, c.email,"
    f" json(c.profile), json(c.attributes), {tags_of('contact', 'c')},"
    f" {LISTS_OF_CONTACT}, {COMPANIES_OF_CONTACT}"
)
"""What `from_row` makes a contact of."""

# A contact that was merged into another keeps its row, which only leads to that one.
_LEADS_TO = (
    " CROSS JOIN contacts c"
    " WHERE k.workspace_id = :workspace_id AND c.workspace_id = :workspace_id"
    " AND c.id = coalesce(k.merged_into, k.id)"
)
_BY_CUSTOM_ID = sql.rows(
    f"j.value, {COLUMNS}",
    f"@list(keys text) j CROSS JOIN contacts k{_LEADS_TO} AND k.custom_id = j.value",
)
_BY_ID = sql.rows(
    f"j.value, {COLUMNS}",
    f"@list(ids int) j CROSS JOIN contacts k{_LEADS_TO} AND k.id = j.value",
)
_BY_USER_KEY = sql.rows(
    f"j.value, {COLUMNS}",
    f"@list(keys text) j CROSS JOIN contacts k{_LEADS_TO} AND k.user_key = j.value",
)


_THAT_IS = f" CROSS JOIN contacts k{_LEADS_TO} AND k.id "


def _sharing(order: str) -> str:
    """The contacts with each e-mail, so many of them: any number may share one."""
    theirs = (
        "(SELECT n.id FROM contacts n @by(contacts_email)"
        " WHERE n.workspace_id = :workspace_id AND n.email_folded = j.value"
        f" AND NOT (n.id @in(but int)) ORDER BY n.id {order} LIMIT :count_max)"
    )
    return sql.rows(
        f"j.value, k.id, {COLUMNS}",
        "@list(emails text) j"
        + either("", f" CROSS JOIN LATERAL {theirs} n")
        + _THAT_IS
        + either(f"IN {theirs}", "= n.id"),
    )


_OLDEST_BY_EMAIL = _sharing("ASC")
_NEWEST_BY_EMAIL = _sharing("DESC")
_ALIASES = sql.rows(
    "p.email, p.contact_id",
    f"{sql.sent('pairs', 'email', 'contact_id')} p WHERE EXISTS"
    " (SELECT 1 FROM contacts k @by(contacts_merged)"
    " WHERE k.workspace_id = :workspace_id AND k.merged_into = p.contact_id"
    " AND k.email_folded = p.email)",
)
IDS = sql.rows(
    "k.custom_id, coalesce(k.merged_into, k.id)",
    "@list(keys text) j CROSS JOIN contacts k"
    " WHERE k.workspace_id = :workspace_id AND k.custom_id = j.value",
)
_KNOWN = sql.rows(
    "k.id, coalesce(k.merged_into, k.id)",
    "@list(ids int) j CROSS JOIN contacts k"
    " WHERE k.workspace_id = :workspace_id AND k.id = j.value",
)
_IDS_BY_USER_KEY = sql.rows(
    "k.user_key, coalesce(k.merged_into, k.id)",
    "@list(keys text) j CROSS JOIN contacts k"
    " WHERE k.workspace_id = :workspace_id AND k.user_key = j.value",
)
_ALL = "id user_key created_at updated_at custom_id email email_folded profile attributes"
_ADD = sql.insert("contacts", _ALL)
_CHANGE = sql.update("contacts", _ALL, "updated_at profile attributes")
_CHANGE_ALL = sql.update(
    "contacts", _ALL, "updated_at custom_id user_key email email_folded profile attributes"
)


def by_custom_ids(reader: Reader, workspace_id: int, keys: Collection[str]) -> dict[str, Contact]:
    """Return the contacts by these custom ids; one of a merged contact leads to its parent."""
    return _by(reader, _BY_CUSTOM_ID, workspace_id, keys=list(keys))


def by_ids(reader: Reader, workspace_id: int, ids: Collection[int]) -> dict[int, Contact]:
    """Return the contacts by these ids; that of a merged contact leads to its parent."""
    return _by(reader, _BY_ID, workspace_id, ids=list(ids))


def by_user_keys(reader: Reader, workspace_id: int, keys: Collection[str]) -> dict[str, Contact]:
    """Return the contacts by these user keys; that of a merged contact leads to its parent."""
    return _by(reader, _BY_USER_KEY, workspace_id, keys=list(keys))


def by_emails(
    reader: Reader,
    workspace_id: int,
    emails: Collection[str],
    count_max: int = 1,
    *,
    newest: bool = False,
    but: Collection[int] = (),
) -> dict[str, dict[int, Contact]]:
    """Return the oldest contacts by these folded e-mails, or the newest, so many for each e-mail.

    They stand by the ids under which they have the e-mail, oldest first: that of a merged contact
    leads to its parent. Those that have it under one of the ids `but` are left out.
    """
    found: dict[str, dict[int, Contact]] = {}
    if emails:
        query = _NEWEST_BY_EMAIL if newest else _OLDEST_BY_EMAIL
        rows = reader.rows(
            query,
            workspace_id=workspace_id,
            emails=list(emails),
            but=list(but),
            count_max=count_max,
        )
        for email, number, *row in sorted(rows, key=lambda each: each[1]):
            found.setdefault(email, {})[number] = from_row(row)
    return found


def aliases(
    reader: Reader, workspace_id: int, pairs: Collection[tuple[str, int]]
) -> set[tuple[str, int]]:
    """Return those pairs of a folded e-mail and a contact that was merged with one who has it."""
    if not pairs:
        return set()
    asked = [list(pair) for pair in pairs]
    return {(e, n) for e, n in reader.rows(_ALIASES, workspace_id=workspace_id, pairs=asked)}


def ids(reader: Reader, workspace_id: int, keys: Collection[str]) -> dict[str, int]:
    """Return the ids of the contacts by these custom ids, merged ones as their parents'."""
    found = reader.rows(IDS, workspace_id=workspace_id, keys=sorted(keys)) if keys else []
    return dict(found)


def known(reader: Reader, workspace_id: int, ids: Collection[int]) -> dict[int, int]:
    """Return those of the ids that contacts have, each with the id that is meant today."""
    found = reader.rows(_KNOWN, workspace_id=workspace_id, ids=list(ids)) if ids else []
    return dict(found)


def ids_by_user_keys(reader: Reader, workspace_id: int, keys: Collection[str]) -> dict[str, int]:
    """Return the ids of the contacts by these user keys, merged ones as their parents'."""
    if not keys:
        return {}
    return dict(reader.rows(_IDS_BY_USER_KEY, workspace_id=workspace_id, keys=list(keys)))


def add(tx: Tx, workspace_id: int, contacts: Sequence[Contact]) -> None:
    """Insert new contacts."""
    if contacts:
        tx.run(_ADD, workspace_id=workspace_id, rows=[_row(contact) for contact in contacts])


def change(tx: Tx, workspace_id: int, contacts: Sequence[Contact], *, identity: bool) -> None:
    """Write contacts that are there; what they are found by only with `identity`."""
    if contacts:
        statement = _CHANGE_ALL if identity else _CHANGE
        tx.run(statement, workspace_id=workspace_id, rows=[_row(contact) for contact in contacts])


def _by(reader: Reader, query: str, workspace_id: int, **asked: list[Any]) -> dict[Any, Contact]:
    if not any(asked.values()):
        return {}
    found = reader.rows(query, workspace_id=workspace_id, **asked)
    return {key: from_row(row) for key, *row in found}


def _folded(contact: Contact) -> str | None:
    return folded_email(contact.email) if contact.email else None


def _row(contact: Contact) -> list[Any]:
    return [
        contact.id,
        contact.user_key,
        clock.to_micros(contact.created_at),
        clock.to_micros(contact.updated_at),
        contact.custom_id,
        contact.email,
        _folded(contact),
        json.dumps(contact.profile),
        json.dumps(contact.attributes),
    ]


def from_row(row: list[Any]) -> Contact:
    """Return the contact that a row of `COLUMNS` is."""
    identity, user_key, created_at, updated_at, custom_id, email, profile, attributes = row[:8]
    tags, lists, companies = row[8:]
    return Contact(
        identity,
        user_key,
        clock.from_micros(created_at),
        clock.from_micros(updated_at),
        custom_id,
        email,
        profile,
        attributes,
        tuple(Tag(*tag) for tag in tags),
        tuple(ContactList(*each) for each in lists),
        tuple(Membership(number, name, clock.from_micros(at)) for number, name, at in companies),
    )
