"""Attribute definitions: making, finding and deleting them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from ordertrail.actions.outcomes import of_each
from ordertrail.domain import attribute
from ordertrail.domain.attribute import Attribute, ContentType
from ordertrail.domain.errors import Conflict, NotFound, Refused, unknown
from ordertrail.domain.journal import Author, Entry, Subject, told
from ordertrail.kit.committer import Batch
from ordertrail.kit.database import Reader, Tx
from ordertrail.kit.paging import Page, Place
from ordertrail.store import attributes, ids, journal


@dataclass(frozen=True, slots=True)
class Define:
    """Define an attribute, or find it defined so already; it has no id yet."""

    wanted: Attribute
    author: Author


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete the definition with this id."""

    id: int
    author: Author


@dataclass(frozen=True, slots=True)
class Defined:
    """The definition as it is now, and whether there was none of its name."""

    attribute: Attribute
    is_new: bool


def define(tx: Tx, batch: Batch[Define]) -> Sequence[Defined | Refused]:
    """Define attributes; what was inferred of one gives way, values that are there stay.

    Raises Conflict for a new one where there are `DEFINITIONS_MAX` of its kind.
    """
    names: dict[ContentType, set[str]] = {}
    for command in batch.commands:
        names.setdefault(command.wanted.content_type, set()).add(command.wanted.name)
    known: dict[tuple[ContentType, str], Attribute] = {
        (kind, name): found
        for kind, wanted in names.items()
        for name, found in attributes.by_names(tx, batch.workspace_id, kind, wanted).items()
    }
    missing = sum(map(len, names.values())) - len(known)
    room = {
        kind: attribute.DEFINITIONS_MAX - attributes.count(tx, batch.workspace_id, kind)
        for kind, wanted in names.items()
        if any((kind, name) not in known for name in wanted)
    }
    numbers = ids.take(tx, batch.workspace_id, attribute=missing)["attribute"]
    new: dict[int, Attribute] = {}
    changed: dict[int, Attribute] = {}
    entries: list[Entry] = []

    def decide(command: Define) -> Defined:
        key = command.wanted.content_type, command.wanted.name
        before = known.get(key)
        agreed = attribute.agreed(before, command.wanted)
        if before is None:
            if room[key[0]] <= 0:
                raise Conflict(_full(key[0]))
            room[key[0]] -= 1
            agreed = replace(agreed, id=next(numbers))
        if agreed is not before:
            (new if before is None else changed)[agreed.id or 0] = known[key] = agreed
            entries.extend(_told(before, agreed, command.author, batch.at))
        return Defined(agreed, before is None)

    outcomes = of_each(batch.commands, decide)
    attributes.add(tx, batch.workspace_id, list(new.values()))
    attributes.change(tx, batch.workspace_id, list(changed.values()))
    journal.append(tx, batch.workspace_id, entries)
    return outcomes


def delete(tx: Tx, batch: Batch[Delete]) -> Sequence[Attribute | Refused]:
    """Delete the definitions with these ids; values that were kept under them stay."""
    known = attributes.by_ids(tx, batch.workspace_id, {each.id for each in batch.commands})
    entries: list[Entry] = []

    def decide(command: Delete) -> Attribute:
        found = known.pop(command.id, None)
        if found is None:
            raise unknown("attribute", command.id)
        entries.extend(_told(found, None, command.author, batch.at))
        return found

    outcomes = of_each(batch.commands, decide)
    attributes.delete(tx, batch.workspace_id, [each.subject_id for each in entries])
    journal.append(tx, batch.workspace_id, entries)
    return outcomes


def get(reader: Reader, workspace_id: int, attribute_id: int) -> Attribute:
    """Return the definition with this id, or raise NotFound."""
    found = attributes.by_ids(reader, workspace_id, [attribute_id]).get(attribute_id)
    if found is None:
        raise unknown("attribute", attribute_id)
    return found


def find(reader: Reader, workspace_id: int, content_type: ContentType, name: str) -> Attribute:
    """Return the definition of this name, as values stand under it, or raise NotFound."""
    found = attributes.by_names(reader, workspace_id, content_type, [name]).get(name)
    if found is None:
        raise NotFound(f"no attribute of this name belongs to a {content_type}")
    return found


def page(
    reader: Reader, workspace_id: int, content_type: ContentType | None, place: Place
) -> Page[Attribute]:
    """Return a page of definitions, of one kind of thing or of all, newest first."""
    return attributes.page(reader, workspace_id, content_type, place)


def of_type(reader: Reader, workspace_id: int, content_type: ContentType) -> list[Attribute]:
    """Return all attribute definitions of one kind of thing, oldest first."""
    return attributes.of_type(reader, workspace_id, content_type)


def _told(
    before: Attribute | None, after: Attribute | None, author: Author, at: datetime
) -> tuple[Entry, ...]:
    identity = (after or before).id or 0  # type: ignore[union-attr]
    return told(Subject.ATTRIBUTE, identity, (_facts(before), _facts(after)), author, at)


def _facts(each: Attribute | None) -> Mapping[str, Any] | None:
    if each is None:
        return None
    return {
        "content_type": str(each.content_type),
        "name": each.name,
        "value_type": str(each.value_type),
        "is_inferred": each.is_inferred,
        "display_name": each.display_name,
        "description": each.description,
        "choices": list(each.choices),
        "allows_many": each.allows_many,
    }


def _full(kind: ContentType) -> str:
    return f"there are {attribute.DEFINITIONS_MAX} attributes of a {kind}; delete one first"
