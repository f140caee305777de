"""Tags on things: put on by their names, taken off, and written for a whole batch."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from ordertrail.domain.company import Company
from ordertrail.domain.contact import Contact
from ordertrail.domain.deal import Deal
from ordertrail.domain.journal import Subject
from ordertrail.domain.tag import Tag
from ordertrail.kit.database import Tx
from ordertrail.store import ids, tags

T = TypeVar("T", Contact, Company, Deal)
Changes = dict[str, tuple[list[str], list[str]]]


class Tagging:
    """The tags of one batch; a name that no tag has becomes one when it is put on something."""

    def __init__(self, tx: Tx, workspace_id: int, subject: Subject, names: Iterable[str]) -> None:
        asked = set(names)
        self._workspace_id = workspace_id
        self._subject = subject
        self._known = tags.ids_by_names(tx, workspace_id, asked)
        missing = len(asked) - len(self._known)
        self._numbers = ids.take(tx, workspace_id, tag=missing)["tag"]
        self._new: list[Tag] = []

    def put_on(
        self, thing: T, names: Collection[str], at: datetime
    ) -> tuple[T, Changes, tuple[str, ...]]:
        """Return the thing with these tags too, what is different, and the names that are new."""
        if not names:
            return thing, {}, ()
        borne: dict[str, Tag] = {tag.name: tag for tag in thing.tags}
        before = len(self._new)
        for name in names:
            borne[name] = borne.get(name) or self._tag(name)
        new = tuple(tag.name for tag in self._new[before:])
        changed, changes = _retagged(thing, list(borne.values()), at)
        return changed, changes, new

    def write(self, tx: Tx, pairs: Sequence[tuple[T | None, T]], at: datetime) -> None:
        """Write which tags things have that were so before, None when new, and are so now."""
        had = {(old.id, tag.id) for old, _ in pairs if old is not None for tag in old.tags}
        has = {(new.id, tag.id) for _, new in pairs for tag in new.tags}
        tags.add(tx, self._workspace_id, self._new, at)
        tags.attach(tx, self._workspace_id, self._subject, has - had)
        tags.detach(tx, self._workspace_id, self._subject, had - has)

    def _tag(self, name: str) -> Tag:
        if name not in self._known:
            self._known[name] = next(self._numbers)
            self._new.append(Tag(self._known[name], name))
        return Tag(self._known[name], name)


def taken_off(thing: T, names: Collection[str], at: datetime) -> tuple[T, Changes]:
    """Return the thing without tags of these names, and what is different by that."""
    return _retagged(thing, [tag for tag in thing.tags if tag.name not in names], at)


def _retagged(thing: T, borne: Iterable[Tag], at: datetime) -> tuple[T, Changes]:
    """The thing with these tags and no others, and what is different by that."""
    tags = tuple(sorted(borne, key=lambda tag: tag.id))
    if tags == thing.tags:
        return thing, {}
    told = [tag.name for tag in thing.tags], [tag.name for tag in tags]
    return replace(thing, tags=tags, updated_at=at), {"tags": told}
