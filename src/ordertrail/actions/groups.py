"""Tags and lists: making, renaming and removing them, and what is in each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from ordertrail.actions.deals import ReadDeal, as_read
from ordertrail.actions.outcomes import of_each
from ordertrail.domain.company import Company
from ordertrail.domain.contact import Contact
from ordertrail.domain.errors import Invalid, Refused, unknown
from ordertrail.domain.journal import Author, Entry, Subject, told
from ordertrail.domain.product import Product
from ordertrail.domain.tag import ContactList, Tag
from ordertrail.kit.committer import Batch
from ordertrail.kit.database import Reader, Tx
from ordertrail.kit.paging import Page, Place
from ordertrail.store import companies, contacts, deals, groups, ids, journal, products
from ordertrail.store.groups import Group

T = TypeVar("T", bound=Tag | ContactList)
V = TypeVar("V")

REMOVAL_WEIGHT = 500
"""What a removal counts for in a batch: it touches all that is in a group."""


@dataclass(frozen=True, slots=True)
class Create:
    """Make a group of this name, unless there is one."""

    name: str
    author: Author


@dataclass(frozen=True, slots=True)
class Rename:
    """Give the group with this id another name."""

    id: int
    name: str
    author: Author


@dataclass(frozen=True, slots=True)
class Remove:
    """Remove the group with this id; what is in it stays."""

    id: int
    author: Author

    @property
    def weight(self) -> int:
        """As much as a part: others have their turn between two of them."""
        return REMOVAL_WEIGHT


@dataclass(frozen=True, slots=True)
class Created(Generic[T]):
    """The group of a name, and whether there was none."""

    group: T
    is_new: bool


class Groups(Generic[T]):
    """The actions on one kind of group, which messages call by its `word`."""

    def __init__(self, group: Group[T], word: str) -> None:
        self._group: Group[T] = group
        self._word = word
        self._subject = Subject(word)

    def create(self, tx: Tx, batch: Batch[Create]) -> Sequence[Created[T] | Refused]:
        """Make groups of these names; a name that is there stands for the one it names."""
        known = self._group.by_names(tx, batch.workspace_id, {c.name for c in batch.commands})
        missing = dict.fromkeys(c.name for c in batch.commands if c.name not in known)
        numbers = ids.take(tx, batch.workspace_id, **{self._word: len(missing)})[self._word]
        pairs = zip(numbers, missing, strict=True)
        new = [self._group.made(number, name) for number, name in pairs]
        self._group.add(tx, batch.workspace_id, new, batch.at)
        made = {each.name: each for each in new}
        outcomes: list[Created[T] | Refused] = []
        entries: list[Entry] = []
        for command in batch.commands:
            fresh = made.pop(command.name, None)
            if fresh is not None:
                known[command.name] = fresh
                entries += self._told(fresh.id, None, command.name, command.author, batch)
            outcomes.append(Created(known[command.name], fresh is not None))
        journal.append(tx, batch.workspace_id, entries)
        return outcomes

    def rename(self, tx: Tx, batch: Batch[Rename]) -> Sequence[T | Refused]:
        """Give groups other names; raises Invalid for one that another group has."""
        workspace_id = batch.workspace_id
        known = self._group.by_ids(tx, workspace_id, {each.id for each in batch.commands})
        named = self._group.by_names(tx, workspace_id, {each.name for each in batch.commands})
        owners = {name: each.id for name, each in named.items()}
        entries: list[Entry] = []

        def decide(command: Rename) -> T:
            before = known.get(command.id)
            if before is None:
                raise unknown(self._word, command.id)
            if owners.setdefault(command.name, command.id) != command.id:
                raise Invalid({"name": f"another {self._word} has it"})
            if command.name != before.name:
                owners.pop(before.name, None)
                known[command.id] = self._group.made(command.id, command.name)
                self._group.rename(tx, workspace_id, known[command.id])
                names = before.name, command.name
                entries.extend(self._told(command.id, *names, command.author, batch))
            return known[command.id]

        outcomes = of_each(batch.commands, decide)
        journal.append(tx, workspace_id, entries)
        return outcomes

    def remove(self, tx: Tx, batch: Batch[Remove]) -> Sequence[int | Refused]:
        """Take out of groups what is in them, and remove them; return the id of each."""
        known = self._group.by_ids(tx, batch.workspace_id, {each.id for each in batch.commands})
        entries: list[Entry] = []

        def decide(command: Remove) -> int:
            found = known.pop(command.id, None)
            if found is None:
                raise unknown(self._word, command.id)
            entries.extend(self._told(command.id, found.name, None, command.author, batch))
            return command.id

        outcomes = of_each(batch.commands, decide)
        self._group.delete(tx, batch.workspace_id, [each.subject_id for each in entries])
        journal.append(tx, batch.workspace_id, entries)
        return outcomes

    def page(self, reader: Reader, workspace_id: int, place: Place) -> Page[T]:
        """Return a page of the groups, newest first."""
        return self._group.page(reader, workspace_id, place)

    def get(self, reader: Reader, workspace_id: int, group_id: int) -> T:
        """Return the group with this id, or raise NotFound."""
        found = self._group.by_ids(reader, workspace_id, [group_id]).get(group_id)
        if found is None:
            raise unknown(self._word, group_id)
        return found

    def _told(
        self, number: int, old: str | None, new: str | None, author: Author, batch: Batch[Any]
    ) -> tuple[Entry, ...]:
        """The entry about a group that had the one name, and has the other one now."""
        before = None if old is None else {"name": old}
        after = None if new is None else {"name": new}
        return told(self._subject, number, (before, after), author, batch.at)


TAGS = Groups(groups.TAGS, "tag")
LISTS = Groups(groups.LISTS, "list")


def contacts_tagged(reader: Reader, workspace_id: int, tag_id: int, place: Place) -> Page[Contact]:
    """Return a page of the contacts that bear a tag, newest first."""
    found = _bearers(reader, workspace_id, tag_id, Subject.CONTACT, place)
    return _things(found, contacts.by_ids(reader, workspace_id, found.items))


def companies_tagged(reader: Reader, workspace_id: int, tag_id: int, place: Place) -> Page[Company]:
    """Return a page of the companies that bear a tag, newest first."""
    found = _bearers(reader, workspace_id, tag_id, Subject.COMPANY, place)
    return _things(found, companies.by_ids(reader, workspace_id, found.items))


def deals_tagged(reader: Reader, workspace_id: int, tag_id: int, place: Place) -> Page[ReadDeal]:
    """Return a page of the deals that bear a tag, newest first."""
    found = _bearers(reader, workspace_id, tag_id, Subject.DEAL, place)
    known = list(deals.by_ids(reader, workspace_id, found.items).values())
    read = as_read(reader, workspace_id, known)
    return _things(found, {each.deal.id: each for each in read})


def products_tagged(reader: Reader, workspace_id: int, tag_id: int, place: Place) -> Page[Product]:
    """Return a page of the products that bear a tag, newest first."""
    found = _bearers(reader, workspace_id, tag_id, Subject.PRODUCT, place)
    return _things(found, products.by_ids(reader, workspace_id, found.items))


def contacts_listed(reader: Reader, workspace_id: int, list_id: int, place: Place) -> Page[Contact]:
    """Return a page of the contacts on a list, newest first."""
    LISTS.get(reader, workspace_id, list_id)
    found = groups.listed(reader, workspace_id, list_id, place)
    return _things(found, contacts.by_ids(reader, workspace_id, found.items))


def _bearers(
    reader: Reader, workspace_id: int, tag_id: int, subject: Subject, place: Place
) -> Page[int]:
    TAGS.get(reader, workspace_id, tag_id)
    return groups.bearers(reader, workspace_id, tag_id, subject, place)


def _things(found: Page[int], known: dict[int, V]) -> Page[V]:
    return found.showing([known[number] for number in found.items if number in known])
