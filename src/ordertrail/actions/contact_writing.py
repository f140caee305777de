"""Writing contacts: what a batch knows of them, how it changes them, and what it writes."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ordertrail.actions.attributes import Settling
from ordertrail.actions.company_members import Joining
from ordertrail.actions.tagging import Tagging
from ordertrail.domain import contact as rules
from ordertrail.domain.absent import ABSENT, Absent
from ordertrail.domain.attribute import ContentType
from ordertrail.domain.contact import Contact, ContactChange, ContactName
from ordertrail.domain.errors import Invalid, NotFound
from ordertrail.domain.identity import folded_email
from ordertrail.domain.journal import Author, Entry, Subject
from ordertrail.domain.tag import ContactList, Tag
from ordertrail.kit.committer import Batch
from ordertrail.kit.database import Tx
from ordertrail.store import contacts, journal, lists, tags

_IDENTITY = {"custom_id", "email", "user_key"}


@dataclass(frozen=True, slots=True)
class Written:
    """The contact as it is now, whether it is new, and what was not taken as it was sent.

    `new_tags` are the names of tags that nobody used before.
    """

    contact: Contact
    is_new: bool
    warnings: tuple[str, ...] = ()
    new_tags: tuple[str, ...] = ()


class Known:
    """The contacts that a batch touches, as they are at each point of it.

    One person may be named by custom id and by e-mail in one batch: both find the same contact.
    `emails`, in the form in which they are compared, are those whose contacts are looked for.
    """

    def __init__(
        self,
        tx: Tx,
        workspace_id: int,
        changes: Sequence[ContactChange],
        *,
        emails: Collection[str] = (),
        names: Sequence[ContactName] = (),
    ) -> None:
        self.by_id: dict[int, Contact] = {}
        self._by_custom_id: dict[str, int] = {}
        self._by_email: dict[str, set[int]] = {}
        custom_ids = {c.custom_id for c in changes if c.custom_id is not None}
        asked = custom_ids | {n.custom_id for n in names if n.custom_id is not None}
        by_custom_id = contacts.by_custom_ids(tx, workspace_id, asked)
        for email, found in contacts.by_emails(tx, workspace_id, emails).items():
            self._by_email[email] = {contact.id for contact in found}
            self.by_id.update({contact.id: contact for contact in found})
        for custom_id, contact in by_custom_id.items():
            self.keep(contact)
            self._by_custom_id[custom_id] = contact.id
        numbers = {n.id for n in names if n.id is not None}
        numbered = contacts.by_ids(tx, workspace_id, numbers)
        self._by_number = {number: contact.id for number, contact in numbered.items()}
        for contact in numbered.values():
            self.by_id.setdefault(contact.id, contact)
        keys = {c.user_key for c in changes if c.user_key is not None}
        keyed = contacts.by_user_keys(tx, workspace_id, keys)
        self._by_key = {key: contact.id for key, contact in keyed.items()}
        for contact in keyed.values():
            self.by_id.setdefault(contact.id, contact)
        touched = {contact.id for contact in by_custom_id.values()}
        settled = {e for e in emails if self._by_email.get(e, set()) - touched}
        self.new_max = len(asked) - len(by_custom_id) + len(emails) - len(settled)

    def find(self, change: ContactChange) -> Contact | None:
        """Return the contact that the change is about; of several with its e-mail, the oldest."""
        if change.custom_id is not None:
            contact_id = self._by_custom_id.get(change.custom_id)
        else:
            contact_id = min(self._by_email.get(_email_key(change), ()), default=None)
        return None if contact_id is None else self.by_id[contact_id]

    def alike(self, change: ContactChange) -> list[Contact]:
        """Return those whom the change may be about, oldest first.

        One with its custom id; without one all with its e-mail; without that one with its key.
        """
        if change.custom_id is None and change.email:
            found = sorted(self._by_email.get(_email_key(change), ()))
        elif change.custom_id is not None:
            found = [self._by_custom_id.get(change.custom_id, 0)]
        else:
            found = [self._by_key.get(change.user_key or "", 0)]
        return [self.by_id[contact_id] for contact_id in found if contact_id]

    def is_other_email(self, contact: Contact, email: str | None | Absent) -> bool:
        """Tell whether an e-mail leads to the contact and is not its own."""
        if not email or not contact.email or folded_email(email) == folded_email(contact.email):
            return False
        return contact.id in self._by_email.get(folded_email(email), ())

    def named(self, name: ContactName) -> Contact:
        """Return the contact of this name, or raise NotFound."""
        if name.custom_id is not None:
            found = self._by_custom_id.get(name.custom_id)
        else:
            found = self._by_number.get(name.id or 0)
        if found is None:
            raise NotFound("no such contact; create it by users/update_or_create/")
        return self.by_id[found]

    def numbered(self, numbers: Sequence[int]) -> dict[int, int]:
        """Return those of the ids that contacts have, each with the id that is meant today."""
        return {each: self._by_number[each] for each in numbers if each in self._by_number}

    def owner_of_custom_id(self, custom_id: str) -> int | None:
        """Return the id of the contact that this custom id leads to."""
        return self._by_custom_id.get(custom_id)

    def owner_of_key(self, user_key: str) -> int | None:
        """Return the id of the contact that this user key leads to."""
        return self._by_key.get(user_key)

    def keep(self, contact: Contact) -> None:
        """Take the contact in, in place of what it was before."""
        before = self.by_id.get(contact.id)
        if before is not None and before.email:
            self._by_email.setdefault(folded_email(before.email), set()).discard(contact.id)
        if before is not None and before.custom_id not in (None, contact.custom_id):
            self._by_custom_id.pop(before.custom_id or "", None)
        self.by_id[contact.id] = contact
        if contact.custom_id is not None:
            self._by_custom_id[contact.custom_id] = contact.id
        if contact.email:
            self._by_email.setdefault(folded_email(contact.email), set()).add(contact.id)

    def keep_key(self, contact: Contact, before: Contact) -> None:
        """Note whose user key is whose, after one was changed."""
        if contact.user_key != before.user_key:
            self._by_key.pop(before.user_key, None)
            self._by_key[contact.user_key] = contact.id


@dataclass(slots=True)
class _Changed:
    """What a batch has to write: contacts as they were before it, and what happened."""

    before: dict[int, Contact] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)


class Writing:
    """One batch of changes of contacts on its way."""

    def __init__(
        self,
        tx: Tx,
        batch: Batch[Any],
        known: Known,
        changes: Sequence[ContactChange],
        tag_names: Sequence[str] = (),
    ) -> None:
        self.known = known
        self._batch = batch
        workspace_id = batch.workspace_id
        self._settling = Settling(
            tx, workspace_id, ContentType.CONTACT, [change.attributes for change in changes]
        )
        named = {name for change in changes for name in change.tags}.union(tag_names)
        self.tagging = Tagging(tx, workspace_id, named)
        self._joining = Joining(tx, batch, (change.company_custom_id for change in changes))
        self._changed = _Changed()

    def settled(self, change: ContactChange) -> tuple[ContactChange, tuple[str, ...]]:
        """Return the change with its attributes as they are kept, and warnings."""
        attributes, warnings = self._settling.settle(change.attributes)
        if attributes is not change.attributes:
            change = replace(change, attributes=attributes)
        return change, warnings

    def is_news(self, contact: Contact, change: ContactChange) -> bool:
        """Tell whether the change says anything of the contact that is not so already."""
        change, _ = self._with_free_key(contact, change)
        _, changes = rules.apply(contact, change, self._batch.at)
        has_tags = set(change.tags) <= {tag.name for tag in contact.tags}
        is_member = self._joining.is_member(contact, change.company_custom_id)
        return bool(changes) or not has_tags or not is_member

    def take(
        self,
        contact: Contact,
        change: ContactChange,
        author: Author,
        warnings: tuple[str, ...] = (),
        *,
        is_new: bool = False,
    ) -> Written:
        """Change the contact, or create it so."""
        change, more = self._with_free_key(contact, change)
        changed, changes = rules.apply(contact, change, self._batch.at)
        new_tags: list[str] = []
        if change.tags:
            borne = {tag.name: tag for tag in changed.tags}
            for name in change.tags:
                borne[name], is_new_tag = self.tagging.tag(name)
                new_tags += [name] * is_new_tag
            changed, changes = self.with_tags(changed, list(borne.values()), changes)
        changed = self._joining.join(changed, change.company_custom_id, author)
        self._settling.accept(change.attributes)
        self.put(contact, changed, changes, author, is_new=is_new)
        return Written(changed, is_new, (*warnings, *more), tuple(new_tags))

    def with_tags(
        self, contact: Contact, borne: Sequence[Tag], changes: dict[str, tuple[Any, Any]]
    ) -> tuple[Contact, dict[str, tuple[Any, Any]]]:
        """Return the contact with these tags and no others, and what is different by now."""
        borne = sorted(borne, key=lambda tag: tag.id)
        if tuple(borne) == contact.tags:
            return contact, changes
        told = [tag.name for tag in contact.tags], [tag.name for tag in borne]
        contact = replace(contact, tags=tuple(borne), updated_at=self._batch.at)
        return contact, {**changes, "tags": told}

    def with_lists(
        self, contact: Contact, on: Sequence[ContactList]
    ) -> tuple[Contact, dict[str, tuple[Any, Any]]]:
        """Return the contact on these lists and no others, and what is different by now."""
        on = sorted(on, key=lambda each: each.id)
        if tuple(on) == contact.lists:
            return contact, {}
        told = [each.name for each in contact.lists], [each.name for each in on]
        contact = replace(contact, lists=tuple(on), updated_at=self._batch.at)
        return contact, {"lists": told}

    def put(
        self,
        before: Contact,
        after: Contact,
        changes: dict[str, tuple[Any, Any]],
        author: Author,
        *,
        is_new: bool = False,
    ) -> None:
        """Let the contact be written as it is after; without changes nothing is."""
        self.known.keep(after)
        self.known.keep_key(after, before)
        if changes or is_new:
            self._changed.before.setdefault(after.id, before)
            subject = Subject.CONTACT, after.id, after.id
            self._changed.entries.append(Entry(*subject, is_new, changes, author, self._batch.at))

    def write(self, tx: Tx) -> None:
        """Write everything that was decided."""
        workspace_id, entries = self._batch.workspace_id, self._changed.entries
        known = list(self.known.by_id.values())
        new = {entry.subject_id for entry in entries if entry.is_new}
        changed = {entry.subject_id for entry in entries} - new
        moved = {
            entry.subject_id
            for entry in entries
            if not entry.is_new and entry.changes.keys() & _IDENTITY
        }
        contacts.add(tx, workspace_id, [each for each in known if each.id in new])
        same = [each for each in known if each.id in changed - moved]
        contacts.change(tx, workspace_id, same, identity=False)
        other = [each for each in known if each.id in moved - new]
        contacts.change(tx, workspace_id, other, identity=True)
        self.tagging.write(tx, self._batch.at)
        self._write_groups(tx)
        self._joining.write(tx)
        journal.append(tx, workspace_id, entries)
        self._settling.write(tx)

    def _write_groups(self, tx: Tx) -> None:
        """Write who bears which tags and who is on which lists, where that is different."""
        workspace_id, subject = self._batch.workspace_id, Subject.CONTACT
        pairs = [
            (self._changed.before[entry.subject_id], self.known.by_id[entry.subject_id])
            for entry in self._changed.entries
            if entry.changes.keys() & {"tags", "lists"}
        ]
        had = {(old.id, tag.id) for old, _ in pairs for tag in old.tags}
        has = {(new.id, tag.id) for _, new in pairs for tag in new.tags}
        tags.attach(tx, workspace_id, subject, has - had)
        tags.detach(tx, workspace_id, subject, had - has)
        was_on = {(each.id, old.id) for old, _ in pairs for each in old.lists}
        is_on = {(each.id, new.id) for _, new in pairs for each in new.lists}
        lists.add_members(tx, workspace_id, is_on - was_on)
        lists.remove_members(tx, workspace_id, was_on - is_on)

    def _with_free_key(
        self, contact: Contact, change: ContactChange
    ) -> tuple[ContactChange, tuple[str, ...]]:
        """A user key that another contact has is not taken from it."""
        if change.user_key is None:
            return change, ()
        owner = self.known.owner_of_key(change.user_key)
        if owner is None:
            return change, ()
        change = replace(change, user_key=None)
        told = () if owner == contact.id else ("user_key: ignored: another contact has it",)
        return change, told


def renamed(
    known: Known, contact: Contact, name: ContactName, change: ContactChange
) -> ContactChange:
    """Return the change of a contact of this name; raises Invalid for a custom id of another one.

    Under the custom id of a contact that was merged into it, the e-mail of such a one is no news.
    """
    said = change.custom_id or name.custom_id
    if said not in (None, contact.custom_id) and known.is_other_email(contact, change.email):
        change = replace(change, email=ABSENT)
    if change.custom_id is None:
        return change
    owner = known.owner_of_custom_id(change.custom_id)
    if owner is None:
        return change
    if owner != contact.id:
        raise Invalid({"custom_id": "another contact has it; merge the two by users/merge/"})
    return replace(change, custom_id=None)


def nobody(numbers: Iterator[int], user_key: str, batch: Batch[Any]) -> Contact:
    """Return a contact of whom nothing is known yet."""
    return Contact(next(numbers), user_key, batch.at, batch.at)


def emails_of(changes: Iterable[ContactChange]) -> set[str]:
    """Return the e-mails that the changes say, in the form in which they are compared."""
    return {_email_key(each) for each in changes if each.email}


def _email_key(change: ContactChange) -> str:
    return folded_email(change.email or "")
