"""Contacts: upsert, and reading them back."""

from collections.abc import Sequence
from dataclasses import dataclass

from ordertrail.actions import attributes
from ordertrail.domain import contact as rules
from ordertrail.domain.attribute import ContentType
from ordertrail.domain.contact import Contact, ContactChange
from ordertrail.domain.errors import NotFound, Refused
from ordertrail.domain.identity import folded_email
from ordertrail.domain.journal import Author, Entry, Subject
from ordertrail.kit.committer import Batch
from ordertrail.kit.database import Reader, Tx
from ordertrail.store import contacts, ids, journal


@dataclass(frozen=True, slots=True)
class Upsert:
    """Create or change the contact with this custom id; without one, with this e-mail.

    `user_key` is the key that a new contact gets.
    """

    change: ContactChange
    author: Author
    user_key: str


@dataclass(frozen=True, slots=True)
class Upserted:
    """The contact as it is now, and whether it is new."""

    contact: Contact
    is_new: bool


def upsert(tx: Tx, batch: Batch[Upsert]) -> Sequence[Upserted | Refused]:
    """Create or change contacts; a change of nothing writes nothing."""
    checked = [_check(command.change) for command in batch.commands]
    accepted = [c for c, refused in zip(batch.commands, checked, strict=True) if not refused]
    known = _known(tx, batch.workspace_id, accepted)
    missing = {_key(command.change) for command in accepted} - known.keys()
    new_ids = ids.take(tx, batch.workspace_id, contact=len(missing))["contact"]
    outcomes: list[Upserted | Refused] = []
    entries: list[Entry] = []
    for command, refused in zip(batch.commands, checked, strict=True):
        if refused:
            outcomes.append(refused)
            continue
        key = _key(command.change)
        before = known.get(key)
        contact = before or Contact(next(new_ids), command.user_key, batch.at, batch.at)
        contact, changes = rules.apply(contact, command.change, batch.at)
        known[key] = contact
        outcomes.append(Upserted(contact, before is None))
        if changes or before is None:
            entries.append(
                Entry(
                    Subject.CONTACT,
                    contact.id,
                    contact.id,
                    before is None,
                    changes,
                    command.author,
                    batch.at,
                )
            )
    _write(tx, batch.workspace_id, list(known.values()), entries)
    sent = [command.change.attributes for command in accepted]
    attributes.learn(tx, batch.workspace_id, ContentType.CONTACT, sent)
    return outcomes


def find(reader: Reader, workspace_id: int, custom_id: str) -> Contact:
    """Return the contact with this custom id, or raise NotFound."""
    contact = contacts.by_custom_ids(reader, workspace_id, [custom_id]).get(custom_id)
    if contact is None:
        raise NotFound("no contact with this custom_id; create it by users/update_or_create/")
    return contact


def get(reader: Reader, workspace_id: int, contact_id: int) -> Contact:
    """Return the contact with this id, or raise NotFound."""
    contact = contacts.by_ids(reader, workspace_id, [contact_id]).get(contact_id)
    if contact is None:
        raise NotFound(f"no contact with the id {contact_id}")
    return contact


def _check(change: ContactChange) -> Refused | None:
    try:
        rules.check(change)
    except Refused as refused:
        return refused
    return None


def _key(change: ContactChange) -> tuple[str, str]:
    if change.custom_id is not None:
        return "custom_id", change.custom_id
    return "email", folded_email(change.email or "")


def _write(tx: Tx, workspace_id: int, known: Sequence[Contact], entries: Sequence[Entry]) -> None:
    new = {entry.subject_id for entry in entries if entry.is_new}
    changed = {entry.subject_id for entry in entries} - new
    moved = {
        entry.subject_id
        for entry in entries
        if not entry.is_new and entry.changes.keys() & {"custom_id", "email"}
    }
    contacts.add(tx, workspace_id, [each for each in known if each.id in new])
    same = [each for each in known if each.id in changed - moved]
    contacts.change(tx, workspace_id, same, identity=False)
    other = [each for each in known if each.id in moved - new]
    contacts.change(tx, workspace_id, other, identity=True)
    journal.append(tx, workspace_id, entries)


def _known(tx: Tx, workspace_id: int, commands: Sequence[Upsert]) -> dict[tuple[str, str], Contact]:
    keys = {_key(command.change) for command in commands}
    custom_ids = [value for kind, value in keys if kind == "custom_id"]
    emails = [value for kind, value in keys if kind == "email"]
    by_custom_id = contacts.by_custom_ids(tx, workspace_id, custom_ids)
    by_email = contacts.by_emails(tx, workspace_id, emails)
    return {
        **{("custom_id", key): contact for key, contact in by_custom_id.items()},
        **{("email", key): contact for key, contact in by_email.items()},
    }
