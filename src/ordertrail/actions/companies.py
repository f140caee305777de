"""Companies: create, upsert, change, tag and delete them, who is a member, and reading them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ordertrail.actions import filtering
from ordertrail.actions.company_writing import Writing
from ordertrail.actions.known_contacts import KnownContacts
from ordertrail.actions.outcomes import Written, of_each
from ordertrail.domain import company as rules
from ordertrail.domain.attribute import ContentType
from ordertrail.domain.company import Company, CompanyChange, CompanyName
from ordertrail.domain.contact import Contact, ContactName
from ordertrail.domain.errors import Invalid, Refused, unknown
from ordertrail.domain.filter import Filter
from ordertrail.domain.journal import Author
from ordertrail.kit.committer import Batch
from ordertrail.kit.database import Reader, Tx
from ordertrail.kit.paging import Page, Place
from ordertrail.store import companies, contacts


@dataclass(frozen=True, slots=True)
class Upsert:
    """Create or change the company with the change's custom id."""

    change: CompanyChange
    author: Author


@dataclass(frozen=True, slots=True)
class Create:
    """Create a company."""

    change: CompanyChange
    author: Author


@dataclass(frozen=True, slots=True)
class Change:
    """Change the company of this name."""

    company: CompanyName
    change: CompanyChange
    author: Author


@dataclass(frozen=True, slots=True)
class Untag:
    """Let the company no longer bear this tag."""

    company: CompanyName
    tag: str
    author: Author


@dataclass(frozen=True, slots=True)
class Member:
    """Let the contact be a member of the company, or no longer."""

    company: CompanyName
    contact: ContactName
    author: Author
    is_member: bool = True


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete the company of this name; its members stay."""

    company: CompanyName
    author: Author


def upsert(tx: Tx, batch: Batch[Upsert]) -> Sequence[Written[Company] | Refused]:
    """Create or change companies; a change of nothing writes nothing."""
    changes = [command.change for command in batch.commands]
    writing = Writing(tx, batch, changes, creating=True)

    def decide(command: Upsert) -> Written[Company]:
        change, warnings = writing.settled(command.change)
        if change.custom_id is None:
            raise Invalid({"custom_id": "is required: the shop's id of the company"})
        before = writing.known.with_custom_id(change.custom_id)
        if before is None:
            return writing.create(change, command.author, warnings)
        return writing.change(before, change, command.author, warnings)

    return _carried_out(tx, batch, writing, decide)


def create(tx: Tx, batch: Batch[Create]) -> Sequence[Written[Company] | Refused]:
    """Create companies; what says nothing new of one that is there creates nothing.

    A custom id that is there already refuses anything else, unless that is all that is known.
    """
    changes = [command.change for command in batch.commands]
    writing = Writing(tx, batch, changes, creating=True)

    def decide(command: Create) -> Written[Company]:
        change, warnings = writing.settled(command.change)
        rules.check_new(change)
        same = writing.known.with_custom_id(change.custom_id)
        if same is None:
            return writing.create(change, command.author, warnings)
        if rules.is_stub(same):
            return writing.change(same, change, command.author, warnings)
        _, changes = rules.apply(same, change, batch.at)
        if changes or not set(change.tags) <= {tag.name for tag in same.tags}:
            raise Invalid({"custom_id": "a company with it is there already; change it by PUT"})
        return Written(same, False, warnings)

    return _carried_out(tx, batch, writing, decide)


def change(tx: Tx, batch: Batch[Change]) -> Sequence[Written[Company] | Refused]:
    """Change companies; only what was sent is touched, a change of nothing writes nothing."""
    changes = [command.change for command in batch.commands]
    writing = Writing(tx, batch, changes, [command.company for command in batch.commands])

    def decide(command: Change) -> Written[Company]:
        company = writing.known.named(command.company)
        change, warnings = writing.settled(command.change)
        owner = writing.known.with_custom_id(change.custom_id)
        if owner is not None and owner.id != company.id:
            raise Invalid({"custom_id": "another company has it"})
        return writing.change(company, change, command.author, warnings)

    return _carried_out(tx, batch, writing, decide)


def untag(tx: Tx, batch: Batch[Untag]) -> Sequence[Written[Company] | Refused]:
    """Take tags off companies."""
    writing = Writing(tx, batch, names=[command.company for command in batch.commands])

    def decide(command: Untag) -> Written[Company]:
        company = writing.known.named(command.company)
        return writing.untag(company, command.tag, command.author)

    return _carried_out(tx, batch, writing, decide)


def set_members(tx: Tx, batch: Batch[Member]) -> Sequence[Written[Company] | Refused]:
    """Let contacts be members of companies, or no longer."""
    writing = Writing(tx, batch, names=[command.company for command in batch.commands])
    named = KnownContacts(tx, batch.workspace_id, [each.contact for each in batch.commands])

    def decide(command: Member) -> Written[Company]:
        before = writing.known.named(command.company)
        contact_id = named.id_of(command.contact)
        rule = rules.with_member if command.is_member else rules.without_member
        after = rule(before, contact_id, batch.at)
        if after is not before:
            told = (None, contact_id) if command.is_member else (contact_id, None)
            changes = {"employees": told}
            writing.put(before, after, changes, command.author, contact_id=contact_id)
        return Written(after)

    return _carried_out(tx, batch, writing, decide)


def delete(tx: Tx, batch: Batch[Delete]) -> Sequence[Written[Company] | Refused]:
    """Delete companies."""
    writing = Writing(tx, batch, names=[command.company for command in batch.commands])

    def decide(command: Delete) -> Written[Company]:
        company = writing.known.named(command.company)
        writing.remove(company, command.author)
        return Written(company)

    return _carried_out(tx, batch, writing, decide)


def named(reader: Reader, workspace_id: int, name: CompanyName) -> Company:
    """Return the company of this name, or raise NotFound."""
    if name.custom_id is not None:
        found = companies.by_custom_ids(reader, workspace_id, [name.custom_id])
        company = found.get(name.custom_id)
    else:
        number = name.id or 0
        company = companies.by_ids(reader, workspace_id, [number]).get(number)
    if company is None:
        raise unknown("company", name)
    return company


def page(
    reader: Reader, workspace_id: int, filters: Sequence[Filter], place: Place
) -> filtering.Found[Company]:
    """Return a page of the companies that all filters allow, newest first."""
    listed = companies.page(reader, workspace_id, filters, place)
    standard = companies.COLUMNS
    return filtering.found(reader, workspace_id, ContentType.COMPANY, filters, standard, listed)


def members(reader: Reader, workspace_id: int, name: CompanyName, place: Place) -> Page[Contact]:
    """Return a page of the members of a company, newest first; raises NotFound."""
    company = named(reader, workspace_id, name)
    found = companies.members(reader, workspace_id, company.id, place)
    known = contacts.by_ids(reader, workspace_id, found.items)
    return found.showing([known[number] for number in found.items if number in known])


def _carried_out(
    tx: Tx, batch: Batch[Any], writing: Writing, decide: Callable[..., Written[Company]]
) -> Sequence[Written[Company] | Refused]:
    outcomes = of_each(batch.commands, decide)
    writing.write(tx)
    return outcomes
