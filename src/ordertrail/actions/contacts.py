"""Contacts: create, upsert, change, and reading them back."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ordertrail.actions.contact_writing import Writing, nobody
from ordertrail.actions.outcomes import Written, of_each
from ordertrail.actions.touched_contacts import Known, emails_of, renamed
from ordertrail.domain import contact as rules
from ordertrail.domain.contact import Contact, ContactChange, ContactName
from ordertrail.domain.errors import Invalid, Refused, unknown
from ordertrail.domain.journal import Author
from ordertrail.kit.committer import Batch
from ordertrail.kit.database import Reader, Tx
from ordertrail.store import contacts, ids

NEWEST_MAX = 10
"""Against how many of the newest contacts with its e-mail a creation is held: one that is sent
again was carried out a moment ago."""


@dataclass(frozen=True, slots=True)
class Upsert:
    """Create or change the contact with this custom id; without one, with this e-mail.

    `user_key` is the key that a new contact gets. One that `is_keyed` finds its contact by the key
    that the change says, if it says one and no custom id: the e-mail does not count then.
    """

    change: ContactChange
    author: Author
    user_key: str
    is_keyed: bool = False

    @property
    def key(self) -> str | None:
        """The user key that tells who is meant, if it is that."""
        is_named = self.change.custom_id is not None
        return self.change.user_key if self.is_keyed and not is_named else None


@dataclass(frozen=True, slots=True)
class Create:
    """Create a contact; `user_key` is the key that it gets unless the change names one."""

    change: ContactChange
    author: Author
    user_key: str


@dataclass(frozen=True, slots=True)
class Change:
    """Change the contact of this name."""

    contact: ContactName
    change: ContactChange
    author: Author


@dataclass(frozen=True, slots=True)
class ChangeMany:
    """Change the contacts with these ids alike; ids that none has are skipped."""

    ids: tuple[int, ...]
    change: ContactChange
    author: Author

    @property
    def weight(self) -> int:
        """How many contacts it touches."""
        return len(self.ids)


@dataclass(frozen=True, slots=True)
class ChangedMany:
    """How many contacts there were to change, and what was not taken as it was sent."""

    found: int
    warnings: tuple[str, ...] = ()


def upsert(tx: Tx, batch: Batch[Upsert]) -> Sequence[Written[Contact] | Refused]:
    """Create or change contacts; a change of nothing writes nothing."""
    changes = [command.change for command in batch.commands]
    unkeyed = [each.change for each in batch.commands if each.key is None]
    emails = emails_of(each for each in unkeyed if each.custom_id is None)
    known = Known(tx, batch.workspace_id, changes, emails=emails)
    known.learn_aliases(
        tx, batch.workspace_id, [(ContactName(custom_id=each.custom_id), each) for each in changes]
    )
    keys = {command.key for command in batch.commands if command.key is not None}
    new_max = known.new_max + known.new_by_key_max(keys, unkeyed)
    numbers = ids.take(tx, batch.workspace_id, contact=new_max)["contact"]
    writing = Writing(tx, batch, known, changes)

    def decide(command: Upsert) -> Written[Contact]:
        change, warnings = writing.settled(command.change)
        key = command.key
        rules.check(change, is_known=key is not None)
        before = known.find(change) if key is None else known.keyed(key)
        if before is not None and key != before.user_key:
            is_alias = known.is_alias(before, change.email)
            change = rules.without_alias(before, change, is_alias=is_alias)
        contact = before or nobody(numbers, command.user_key, batch)
        return writing.take(contact, change, command.author, warnings, is_new=before is None)

    return _carried_out(tx, batch, writing, decide)


def create(tx: Tx, batch: Batch[Create]) -> Sequence[Written[Contact] | Refused]:
    """Create contacts; what says nothing new of one that is there creates nothing.

    A custom id that is there already refuses anything else. An e-mail may be that of several: what
    is sent is held against the oldest of them, and against the newest. A key that nobody has is
    enough: that of a browser whose owner is not known yet.
    """
    changes = [command.change for command in batch.commands]
    emails = emails_of(each for each in changes if each.custom_id is None)
    known = Known(tx, batch.workspace_id, changes, emails=emails, newest=NEWEST_MAX)
    numbers = ids.take(tx, batch.workspace_id, contact=len(changes))["contact"]
    writing = Writing(tx, batch, known, changes)

    def decide(command: Create) -> Written[Contact]:
        change, warnings = writing.settled(command.change)
        is_browser = change.custom_id is None and not change.email and change.user_key is not None
        rules.check(change, is_known=is_browser)
        found = known.alike(change)
        for each in found:
            if not writing.is_news(each, rules.without_alias(each, change)):
                return Written(each, False, warnings)
        if found and not (change.custom_id is None and change.email):
            field = "user_key" if is_browser else "custom_id"
            raise Invalid({field: "a contact with it is there already; change it by PUT"})
        contact = nobody(numbers, command.user_key, batch)
        return writing.take(contact, change, command.author, warnings, is_new=True)

    return _carried_out(tx, batch, writing, decide)


def change(tx: Tx, batch: Batch[Change]) -> Sequence[Written[Contact] | Refused]:
    """Change contacts; only what was sent is touched, a change of nothing writes nothing."""
    changes = [command.change for command in batch.commands]
    names = [command.contact for command in batch.commands]
    known = Known(tx, batch.workspace_id, changes, names=names)
    known.learn_aliases(tx, batch.workspace_id, zip(names, changes, strict=True))
    writing = Writing(tx, batch, known, changes)

    def decide(command: Change) -> Written[Contact]:
        contact = known.named(command.contact)
        change, warnings = writing.settled(command.change)
        rules.check(change, is_known=True)
        change = renamed(known, contact, command.contact, change)
        return writing.take(contact, change, command.author, warnings)

    return _carried_out(tx, batch, writing, decide)


def change_many(tx: Tx, batch: Batch[ChangeMany]) -> Sequence[ChangedMany | Refused]:
    """Change many contacts alike; a command that one of them refuses changes none."""
    changes = [command.change for command in batch.commands]
    asked = {number for command in batch.commands for number in command.ids}
    names = [ContactName(number) for number in asked]
    known = Known(tx, batch.workspace_id, changes, names=names)
    writing = Writing(tx, batch, known, changes)

    def decide(command: ChangeMany) -> ChangedMany:
        change, warnings = writing.settled(command.change)
        rules.check(change, is_known=True)
        found = known.numbered(command.ids)
        missing = sum(number not in found for number in command.ids)
        change = replace(change, custom_id=None)
        people = [known.by_id[contact_id] for contact_id in dict.fromkeys(found.values())]
        for contact in people:
            writing.check(contact, change)
        taken = [writing.take(contact, change, command.author) for contact in people]
        told = dict.fromkeys(warning for each in taken for warning in each.warnings)
        skipped = (f"ids: {missing} skipped: no contact has them",) if missing else ()
        return ChangedMany(len(people), (*warnings, *told, *skipped))

    outcomes = of_each(batch.commands, decide)
    writing.write(tx)
    return outcomes


def named(reader: Reader, workspace_id: int, name: ContactName) -> Contact:
    """Return the contact of this name, by its custom id or its id; or raise NotFound."""
    if name.custom_id is not None:
        found = contacts.by_custom_ids(reader, workspace_id, [name.custom_id]).get(name.custom_id)
    else:
        found = contacts.by_ids(reader, workspace_id, [name.id or 0]).get(name.id or 0)
    if found is None:
        raise unknown("contact", name)
    return found


def _carried_out(
    tx: Tx, batch: Batch[Any], writing: Writing, decide: Callable[..., Written[Contact]]
) -> Sequence[Written[Contact] | Refused]:
    outcomes = of_each(batch.commands, decide)
    writing.write(tx)
    return outcomes
