"""Writing contacts: what a batch knows of them, how it changes them, and what it writes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ordertrail.actions.attribute_settling import Settling
from ordertrail.actions.company_members import Joining
from ordertrail.actions.contact_belongings import BELONGINGS, Belongings
from ordertrail.actions.outcomes import Written
from ordertrail.actions.touched_contacts import Known
from ordertrail.domain import contact as rules
from ordertrail.domain.attribute import ContentType
from ordertrail.domain.contact import Contact, ContactChange
from ordertrail.domain.journal import Author, Entry, Subject
from ordertrail.kit.committer import Batch
from ordertrail.kit.database import Tx
from ordertrail.store import contacts, journal

_IDENTITY = {"custom_id", "email", "user_key"}


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
        self._settling = Settling(
            tx, batch.workspace_id, ContentType.CONTACT, [each.attributes for each in changes]
        )
        self.belongings = Belongings(tx, batch, changes, tag_names)
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
        joins = self._joining.is_news(contact, change.company_custom_id)
        return bool(changes) or not has_tags or joins

    def check(self, contact: Contact, change: ContactChange) -> None:
        """Raise Invalid if the contact cannot be changed so."""
        rules.apply(contact, change, self._batch.at)

    def take(
        self,
        contact: Contact,
        change: ContactChange,
        author: Author,
        warnings: tuple[str, ...] = (),
        *,
        is_new: bool = False,
    ) -> Written[Contact]:
        """Change the contact, or create it so."""
        change, more = self._with_free_key(contact, change)
        changed, changes = rules.apply(contact, change, self._batch.at)
        changed, told, new_tags = self.belongings.tagging.put_on(
            changed, change.tags, self._batch.at
        )
        changed, joined, full = self._joining.join(changed, change.company_custom_id, author)
        changes |= told | joined
        self._settling.accept(change.attributes)
        self.put(contact, changed, changes, author, is_new=is_new)
        return Written(changed, is_new, (*warnings, *more, *full), new_tags)

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
        moved = {each.subject_id for each in entries if each.changes.keys() & _IDENTITY} - new
        same = {each.subject_id for each in entries} - new - moved
        for changed, identity in ((same, False), (moved, True)):
            rows = [each for each in known if each.id in changed]
            contacts.change(tx, workspace_id, rows, identity=identity)
        # Behind those that gave up a custom id or a key that a new one has.
        contacts.add(tx, workspace_id, [each for each in known if each.id in new])
        self.belongings.write(
            tx,
            [
                (self._changed.before[entry.subject_id], self.known.by_id[entry.subject_id])
                for entry in entries
                if entry.changes.keys() & BELONGINGS
            ],
        )
        self._joining.write(tx)
        journal.append(tx, workspace_id, entries)
        self._settling.write(tx)

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


def nobody(numbers: Iterator[int], user_key: str, batch: Batch[Any]) -> Contact:
    """Return a contact of whom nothing is known yet."""
    return Contact(next(numbers), user_key, batch.at, batch.at)
