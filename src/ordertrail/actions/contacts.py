"""Contacts: upsert, and reading them back."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ordertrail.actions.attributes import Settling
from ordertrail.actions.outcomes import of_each
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
    """The contact as it is now, whether it is new, and what was not taken as it was sent."""

    contact: Contact
    is_new: bool
    warnings: tuple[str, ...] = ()


def upsert(tx: Tx, batch: Batch[Upsert]) -> Sequence[Upserted | Refused]:
    """Create or change contacts; a change of nothing writes nothing."""
    changes = [command.change for command in batch.commands]
    known = _Known(tx, batch.workspace_id, changes)
    new_ids = ids.take(tx, batch.workspace_id, contact=known.new_max)["contact"]
    settling = Settling(
        tx, batch.workspace_id, ContentType.CONTACT, [change.attributes for change in changes]
    )
    entries: list[Entry] = []
    outcomes = of_each(
        batch.commands,
        lambda command: _decide(command, batch, known, new_ids, settling, entries),
    )
    _write(tx, batch.workspace_id, list(known.by_id.values()), entries)
    settling.write(tx)
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


def _decide(
    command: Upsert,
    batch: Batch[Upsert],
    known: "_Known",
    new_ids: Iterator[int],
    settling: Settling,
    entries: list[Entry],
) -> Upserted:
    attributes, warnings = settling.settle(command.change.attributes)
    change = replace(command.change, attributes=attributes)
    rules.check(change)
    before = known.find(change)
    if before is not None and before.custom_id is not None and change.custom_id is not None:
        # The id may be that of a contact that was merged into this one.
        change = replace(change, custom_id=before.custom_id)
    contact = before or Contact(next(new_ids), command.user_key, batch.at, batch.at)
    contact, changes = rules.apply(contact, change, batch.at)
    known.keep(contact)
    settling.accept(attributes)
    is_new = before is None
    if changes or is_new:
        entries.append(
            Entry(
                Subject.CONTACT, contact.id, contact.id, is_new, changes, command.author, batch.at
            )
        )
    return Upserted(contact, is_new, warnings)


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


class _Known:
    """The contacts that a batch touches, as they are at each point of it.

    One person may be named by custom id and by e-mail in one batch: both find the same contact.
    """

    def __init__(self, tx: Tx, workspace_id: int, changes: Sequence[ContactChange]) -> None:
        self.by_id: dict[int, Contact] = {}
        self._by_custom_id: dict[str, int] = {}
        self._by_email: dict[str, set[int]] = {}
        custom_ids = {c.custom_id for c in changes if c.custom_id is not None}
        emails = {_email_key(c) for c in changes if c.custom_id is None}
        by_custom_id = contacts.by_custom_ids(tx, workspace_id, custom_ids)
        for email, found in contacts.by_emails(tx, workspace_id, emails).items():
            self._by_email[email] = {contact.id for contact in found}
            self.by_id.update({contact.id: contact for contact in found})
        for custom_id, contact in by_custom_id.items():
            self.keep(contact)
            self._by_custom_id[custom_id] = contact.id
        touched = {contact.id for contact in by_custom_id.values()}
        settled = {e for e in emails if self._by_email.get(e, set()) - touched}
        self.new_max = len(custom_ids) - len(by_custom_id) + len(emails) - len(settled)

    def find(self, change: ContactChange) -> Contact | None:
        """Return the contact that the change is about; of several with its e-mail, the oldest."""
        if change.custom_id is not None:
            contact_id = self._by_custom_id.get(change.custom_id)
        else:
            contact_id = min(self._by_email.get(_email_key(change), ()), default=None)
        return None if contact_id is None else self.by_id[contact_id]

    def keep(self, contact: Contact) -> None:
        """Take the contact in, in place of what it was before."""
        before = self.by_id.get(contact.id)
        if before is not None and before.email:
            self._by_email.setdefault(folded_email(before.email), set()).discard(contact.id)
        self.by_id[contact.id] = contact
        if contact.custom_id is not None:
            self._by_custom_id[contact.custom_id] = contact.id
        if contact.email:
            self._by_email.setdefault(folded_email(contact.email), set()).add(contact.id)


def _email_key(change: ContactChange) -> str:
    return folded_email(change.email or "")
