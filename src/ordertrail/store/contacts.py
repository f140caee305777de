"""Contacts as rows."""

from collections.abc import Collection, Sequence
from typing import Any

from ordertrail.domain.contact import Contact
from ordertrail.domain.identity import folded_email
from ordertrail.kit import clock, json
from ordertrail.kit.database import Reader, Tx
from ordertrail.store import sql

_COLUMNS = (
    "c.id, c.user_key, c.created_at, c.updated_at, c.custom_id, c.email,"
    " json(c.profile), json(c.attributes)"
)
_BY_CUSTOM_ID = sql.rows(
    _COLUMNS,
    "json_each(:keys) j CROSS JOIN contacts c"
    " WHERE c.workspace_id = :workspace_id AND c.custom_id = j.value",
)
_BY_ID = sql.rows(
    _COLUMNS,
    "json_each(:ids) j CROSS JOIN contacts c"
    " WHERE c.workspace_id = :workspace_id AND c.id = j.value",
)
_BY_EMAIL = sql.rows(
    _COLUMNS,
    "json_each(:emails) j CROSS JOIN contacts c INDEXED BY contacts_email"
    " WHERE c.workspace_id = :workspace_id AND c.email_folded = j.value",
)
_IDS = sql.rows(
    "c.custom_id, c.id",
    "json_each(:keys) j CROSS JOIN contacts c"
    " WHERE c.workspace_id = :workspace_id AND c.custom_id = j.value",
)
_KNOWN = sql.rows(
    "c.id",
    "json_each(:ids) j CROSS JOIN contacts c"
    " WHERE c.workspace_id = :workspace_id AND c.id = j.value",
)
_ALL = "id user_key created_at updated_at custom_id email email_folded profile attributes"
_ADD = sql.insert("contacts", _ALL)
_CHANGE = sql.update("contacts", _ALL, "updated_at profile attributes")
_CHANGE_ALL = sql.update(
    "contacts", _ALL, "updated_at custom_id email email_folded profile attributes"
)


def by_custom_ids(reader: Reader, workspace_id: int, keys: Collection[str]) -> dict[str, Contact]:
    """Return the contacts with these custom ids."""
    if not keys:
        return {}
    found = reader.rows(_BY_CUSTOM_ID, workspace_id=workspace_id, keys=list(keys))
    return {contact.custom_id or "": contact for contact in map(_contact, found)}


def by_ids(reader: Reader, workspace_id: int, ids: Collection[int]) -> dict[int, Contact]:
    """Return the contacts with these ids."""
    found = reader.rows(_BY_ID, workspace_id=workspace_id, ids=list(ids)) if ids else []
    return {contact.id: contact for contact in map(_contact, found)}


def by_emails(reader: Reader, workspace_id: int, emails: Collection[str]) -> list[Contact]:
    """Return all contacts with these e-mails; e-mails are compared folded."""
    if not emails:
        return []
    found = reader.rows(_BY_EMAIL, workspace_id=workspace_id, emails=list(emails))
    return [_contact(row) for row in found]


def ids(reader: Reader, workspace_id: int, keys: Collection[str]) -> dict[str, int]:
    """Return the ids of the contacts with these custom ids."""
    found = reader.rows(_IDS, workspace_id=workspace_id, keys=list(keys)) if keys else []
    return dict(found)


def known(reader: Reader, workspace_id: int, ids: Collection[int]) -> set[int]:
    """Return those of the ids that contacts have."""
    found = reader.rows(_KNOWN, workspace_id=workspace_id, ids=list(ids)) if ids else []
    return {row[0] for row in found}


def add(tx: Tx, workspace_id: int, contacts: Sequence[Contact]) -> None:
    """Insert new contacts."""
    if contacts:
        tx.run(_ADD, workspace_id=workspace_id, rows=[_row(contact) for contact in contacts])


def change(tx: Tx, workspace_id: int, contacts: Sequence[Contact], *, identity: bool) -> None:
    """Write contacts that are there; their custom ids and e-mails only with `identity`."""
    if contacts:
        statement = _CHANGE_ALL if identity else _CHANGE
        tx.run(statement, workspace_id=workspace_id, rows=[_row(contact) for contact in contacts])


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


def _contact(row: list[Any]) -> Contact:
    identity, user_key, created_at, updated_at, custom_id, email, profile, attributes = row
    return Contact(
        identity,
        user_key,
        clock.from_micros(created_at),
        clock.from_micros(updated_at),
        custom_id,
        email,
        profile,
        attributes,
    )
