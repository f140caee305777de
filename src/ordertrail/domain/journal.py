"""The journal: what was changed, when, by whom. Append only, one growing number.

An event's and a product event's own row is its entry; all other changes are `Entry` rows.
"""

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any


class Origin(enum.StrEnum):
    """Why a change arrived; automations act on `live` alone unless told otherwise."""

    LIVE = "live"
    BACKFILL = "backfill"
    REPLAY = "replay"


class Subject(enum.StrEnum):
    """What a journal entry is about."""

    ATTRIBUTE = "attribute"
    COMPANY = "company"
    CONTACT = "contact"
    DEAL = "deal"
    LIST = "list"
    PIPELINE = "pipeline"
    PRODUCT = "product"
    STAGE = "stage"
    TAG = "tag"
    WORKSPACE = "workspace"


class Verb(enum.StrEnum):
    """What an entry tells of its subject."""

    CREATED = "created"
    CHANGED = "changed"
    DELETED = "deleted"
    MERGED = "merged"


Changes = Mapping[str, tuple[Any, Any]]
"""Each field that differs, with its old and its new value."""


@dataclass(frozen=True, slots=True)
class Author:
    """Who asked for a change: a key or a person, and with which origin."""

    name: str
    origin: Origin = Origin.LIVE


@dataclass(frozen=True, slots=True)
class Entry:
    """One accepted change of a thing, or that there is a new one."""

    subject: Subject
    subject_id: int
    contact_id: int | None
    is_new: bool
    changes: Changes
    author: Author
    at: datetime
    id: int | None = None

    @property
    def verb(self) -> Verb:
        """What it tells of the thing."""
        return verb(self.subject, self.changes, is_new=self.is_new)


def verb(subject: Subject, changes: Changes, *, is_new: bool) -> Verb:
    """Return what an entry with these changes tells of the thing that it is about."""
    if is_new:
        return Verb.CREATED
    if changes.get("id", _STAYS)[1] is None:
        return Verb.DELETED
    is_merge = subject is Subject.CONTACT and any(map(changes.__contains__, _OF_MERGES))
    return Verb.MERGED if is_merge else Verb.CHANGED


Fields = Mapping[str, Any]
"""The fields of a thing that the journal tells of."""


def gone(identity: int, had: Fields = MappingProxyType({})) -> dict[str, tuple[Any, None]]:
    """Return the changes that say that a thing with this id was deleted, and what it had."""
    return {name: (value, None) for name, value in {"id": identity, **had}.items()}


def took_in(identities: Sequence[int]) -> dict[str, tuple[None, list[int]]]:
    """Return the change that says that the contacts with these ids became one with this one."""
    return {"merged": (None, list(identities))}


def became(identity: int) -> dict[str, tuple[None, int]]:
    """Return the change that says that a contact became one with that of this id."""
    return {"merged_into": (None, identity)}


_STAYS = (0, 0)
_OF_MERGES = took_in(()).keys() | became(0).keys()


def same_json(one: object, other: object) -> bool:
    """Tell whether two values are one in JSON, at every depth: 1 is not true there."""
    if one != other:
        return False
    if isinstance(one, dict) and isinstance(other, dict):
        return all(same_json(value, other[name]) for name, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return all(map(same_json, one, other))
    return isinstance(one, bool) is isinstance(other, bool)


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Return the fields of `new` that differ from `old`, each with both values."""
    return {name: (old.get(name), v) for name, v in new.items() if not same_json(old.get(name), v)}


def told(
    subject: Subject,
    identity: int,
    facts: tuple[Fields | None, Fields | None],
    author: Author,
    at: datetime,
) -> tuple[Entry, ...]:
    """Return the entry of what somebody defined, by its facts before and after, if they differ.

    Without facts before it is new, without facts after it is gone.
    """
    before, after = facts
    had = before or {}
    changes = gone(identity, had) if after is None else differences(had, after)
    if not changes:
        return ()
    return (Entry(subject, identity, None, before is None, changes, author, at),)
