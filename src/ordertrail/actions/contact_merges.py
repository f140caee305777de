"""Merging contacts that are one person, and deleting contacts."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ordertrail.actions.outcomes import of_each
from ordertrail.actions.touched_contacts import Known
from ordertrail.domain import contact as rules
from ordertrail.domain.contact import Contact, ContactName
from ordertrail.domain.errors import Refused, unknown
from ordertrail.domain.journal import Author, Entry, Subject, became, gone
from ordertrail.kit.committer import Batch
from ordertrail.kit.database import Tx
from ordertrail.store import contact_merges, contacts, journal


@dataclass(frozen=True, slots=True)
class Merge:
    """Let the contacts with these ids become one with the parent."""

    parent: int
    others: tuple[int, ...]
    author: Author

    @property
    def weight(self) -> int:
        """How many contacts it touches."""
        return 1 + len(self.others)


@dataclass(frozen=True, slots=True)
class Merged:
    """The parent as it is now, and how many contacts became it."""

    contact: Contact
    count: int


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete the contact of this name, with all that it did; its deals stay."""

    contact: ContactName
    author: Author


@dataclass(frozen=True, slots=True)
class Deleted:
    """The id that the contact had."""

    id: int


def merge(tx: Tx, batch: Batch[Merge]) -> Sequence[Merged | Refused]:
    """Merge contacts; those that are merged already are no news.

    Of each field the parent's value wins, then that of the lowest id. Whatever led to one of the
    others leads to the parent from now on, and all that they had and did is the parent's.
    """
    merging = _Merging(tx, batch)
    outcomes = of_each(batch.commands, merging.decide)
    merging.write(tx)
    return outcomes


def delete(tx: Tx, batch: Batch[Delete]) -> Sequence[Deleted | Refused]:
    """Delete contacts, with those that were merged into them; their deals belong to nobody then.

    The journal keeps that they were there and which of their fields were changed, by whom and
    when, but no value.
    """
    known = Known(tx, batch.workspace_id, (), names=[each.contact for each in batch.commands])
    deleted: dict[int, Author] = {}

    def decide(command: Delete) -> Deleted:
        contact_id = known.named(command.contact).id
        if contact_id in deleted:
            raise unknown("contact", command.contact)
        deleted[contact_id] = command.author
        return Deleted(contact_id)

    outcomes = of_each(batch.commands, decide)
    contact_merges.delete(tx, batch.workspace_id, deleted, batch.at)
    entries = [
        Entry(Subject.CONTACT, each, each, False, gone(each), author, batch.at)
        for each, author in deleted.items()
    ]
    journal.append(tx, batch.workspace_id, entries)
    return outcomes


class _Merging:
    """One batch of merges on its way; each sees what those before it did."""

    def __init__(self, tx: Tx, batch: Batch[Merge]) -> None:
        self._batch = batch
        asked = {number for each in batch.commands for number in (each.parent, *each.others)}
        self._contacts = contacts.by_ids(tx, batch.workspace_id, asked)
        self._into: dict[int, int] = {}
        self._members: dict[int, list[int]] = {}
        self._authors: dict[int, Author] = {}
        self._after: dict[int, Contact] = {}
        self._entries: list[Entry] = []

    def decide(self, command: Merge) -> Merged:
        """Take one command into the batch, or raise NotFound."""
        parent = self._today(command.parent)
        found = {each.id: each for each in map(self._today, command.others)}
        others = [each for number, each in found.items() if number != parent.id]
        if not others:
            return Merged(parent, 0)
        merged, changes = rules.merge(parent, others, self._batch.at)
        self._after[merged.id] = merged
        for each in others:
            self._lead(each, merged)
            self._authors[each.id] = command.author
        subjects = [(merged.id, changes)]
        subjects += [(each.id, became(merged.id)) for each in others]
        self._entries += [
            Entry(Subject.CONTACT, number, merged.id, False, told, command.author, self._batch.at)
            for number, told in subjects
        ]
        return Merged(merged, len(others))

    def write(self, tx: Tx) -> None:
        """Write everything that was decided: first what gives an id away, then what takes it."""
        workspace_id = self._batch.workspace_id
        rows = sorted(self._after.values(), key=lambda each: each.custom_id is not None)
        contacts.change(tx, workspace_id, rows, identity=True)
        journal.append(tx, workspace_id, self._entries)
        for parent, led in self._members.items():
            by_whom = {each: self._authors[each] for each in led}
            contact_merges.merge(tx, workspace_id, parent, by_whom, self._batch.at)

    def _today(self, number: int) -> Contact:
        """The contact that an id leads to at this point of the batch."""
        found = self._contacts.get(number)
        if found is None:
            raise unknown("contact", number)
        return self._after.get(self._into.get(found.id, found.id), found)

    def _lead(self, member: Contact, parent: Contact) -> None:
        """Let the member, and those that it stands for, lead to the parent."""
        led = [member.id, *self._members.pop(member.id, ())]
        self._members.setdefault(parent.id, []).extend(led)
        self._into.update(dict.fromkeys(led, parent.id))
        if member.custom_id is not None and member.custom_id == parent.custom_id:
            self._after[member.id] = replace(member, custom_id=None, updated_at=self._batch.at)
