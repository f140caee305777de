"""Attributes as they are sent: held against their definitions, which grow with them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from ordertrail.actions.outcomes import of_each
from ordertrail.domain import attribute
from ordertrail.domain.attribute import Attribute, ContentType
from ordertrail.domain.attribute_values import converted
from ordertrail.domain.errors import Conflict, Invalid, NotFound, Refused
from ordertrail.domain.journal import Author, Entry, Subject, told
from ordertrail.kit.committer import Batch
from ordertrail.kit.database import Reader, Tx
from ordertrail.kit.paging import Page, Place
from ordertrail.store import attributes, ids, journal, workspaces

Values = Mapping[str, Any]


class Settling:
    """The attributes of one batch, of one kind of thing.

    In a strict workspace an attribute that nobody defined is refused, and so is a value that does
    not fit. Elsewhere the first is defined by its first value, and the second is left out, with a
    warning; where `DEFINITIONS_MAX` are defined already, the first is kept without a definition.
    """

    def __init__(
        self, tx: Tx, workspace_id: int, content_type: ContentType, sent: Iterable[Values]
    ) -> None:
        self._workspace_id = workspace_id
        self._content_type = content_type
        self._accepted: list[Values] = []
        sent = tuple(sent)
        names = {name for each in sent for name in each}
        self._known = attributes.by_names(tx, workspace_id, content_type, names) if names else {}
        self._is_strict = bool(names) and workspaces.one(tx, workspace_id).is_strict
        self._undefined = frozenset() if self._is_strict else self._beyond_limit(tx, sent)
        self._takes_all = (
            not self._is_strict
            and not self._undefined
            and all(each.is_inferred for each in self._known.values())
        )

    def settle(self, sent: Values) -> tuple[Values, tuple[str, ...]]:
        """Return the attributes as they are kept, and warnings; raises Invalid when strict."""
        if self._takes_all or not sent:
            return sent, ()
        kept: dict[str, Any] = {}
        wrong: dict[str, str] = {}
        for name, value in sent.items():
            known = self._known.get(name)
            try:
                if known is not None and not known.is_inferred:
                    kept[name] = converted(known, value)
                elif self._is_strict:
                    wrong[name] = "is not defined, and this workspace is strict; define it first"
                else:
                    kept[name] = value
            except Invalid as error:
                wrong.update(error.fields)
        if wrong and self._is_strict:
            raise Invalid(wrong)
        warnings = [f"{name}: left out: {reason}" for name, reason in wrong.items()]
        undefined = len(self._undefined & kept.keys())
        if undefined:
            said = f"{undefined} kept without a definition: there are {attribute.DEFINITIONS_MAX}"
            warnings.append(f"attributes: {said} of this kind")
        return kept, tuple(warnings)

    def accept(self, values: Values) -> None:
        """Take the attributes of a command that was not refused."""
        if values:
            self._accepted.append(values)

    def write(self, tx: Tx) -> None:
        """Define what was accepted for the first time, and widen inferred types."""
        learnt = attribute.learn(self._content_type, self._known, self._accepted)
        for name in self._undefined:
            learnt.pop(name, None)
        if not learnt:
            return
        new = [each for each in learnt.values() if each.id is None]
        numbers = ids.take(tx, self._workspace_id, attribute=len(new))["attribute"]
        named = [replace(each, id=number) for each, number in zip(new, numbers, strict=True)]
        attributes.add(tx, self._workspace_id, named)
        wider = [each for each in learnt.values() if each.id is not None]
        attributes.change(tx, self._workspace_id, wider)

    def _beyond_limit(self, tx: Tx, sent: Sequence[Values]) -> frozenset[str]:
        """Those of the unknown names for which there is no room, the last ones sent."""
        said = (name for each in sent for name, value in each.items() if value is not None)
        unknown = [name for name in dict.fromkeys(said) if name not in self._known]
        if not unknown:
            return frozenset()
        count = attributes.count(tx, self._workspace_id, self._content_type)
        return frozenset(unknown[max(0, attribute.DEFINITIONS_MAX - count) :])


class EventAttributes:
    """What the data of events hold on their first level, defined on the way; data stay as sent.

    A workspace has at most so many of them as one thing may have.
    """

    def __init__(self, tx: Tx, workspace_id: int, sent: Iterable[Values]) -> None:
        self._workspace_id = workspace_id
        named = {attribute.lenient_name(name) for each in sent for name in each}
        names = [name for name in named if name is not None]
        kind = ContentType.EVENT
        self._known = attributes.by_names(tx, workspace_id, kind, names) if names else {}
        self._accepted: list[Values] = []

    def accept(self, data: Values) -> None:
        """Take the data of an event that was recorded."""
        named = {attribute.lenient_name(name): value for name, value in data.items()}
        self._accepted.append({name: v for name, v in named.items() if name is not None})

    def write(self, tx: Tx) -> None:
        """Define what was seen for the first time, and widen inferred types."""
        kind = ContentType.EVENT
        learnt = attribute.learn(kind, self._known, self._accepted)
        new = [each for each in learnt.values() if each.id is None]
        if new:
            count = attributes.count(tx, self._workspace_id, kind)
            new = new[: max(0, attribute.ATTRIBUTES_MAX - count)]
        numbers = ids.take(tx, self._workspace_id, attribute=len(new))["attribute"]
        named = [replace(each, id=number) for each, number in zip(new, numbers, strict=True)]
        attributes.add(tx, self._workspace_id, named)
        wider = [each for each in learnt.values() if each.id is not None]
        attributes.change(tx, self._workspace_id, wider)


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
            raise _unknown(command.id)
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
        raise _unknown(attribute_id)
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


def _unknown(attribute_id: int) -> NotFound:
    return NotFound(f"no attribute with the id {attribute_id}")
