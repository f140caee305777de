"""Operations that were planned and not sent: how they follow a newer snapshot."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ordertrail.client.calls import Call
from ordertrail.kit import json
from ordertrail.sync.operations import Kind


@dataclass(frozen=True, slots=True)
class Unsent:
    """An operation of the order that can still be changed: it waits, or it is parked.

    A contact or deal may be said anew whatever became of earlier attempts; an event only while it
    `is_fresh`, which means that it was surely never carried out.
    """

    id: int
    key: str
    kind: Kind
    method: str
    path: str
    body: Mapping[str, Any]
    is_fresh: bool = True


@dataclass(frozen=True, slots=True)
class Rewritten:
    """An operation that waits in its old place under a new key, or the same, with a new call."""

    id: int
    key: str
    call: Call


def fold(
    waiting: Sequence[Unsent],
    said: Mapping[str, Any],
    key: str,
    rewritten: list[Rewritten],
    withdrawn: list[int],
) -> None:
    """Let the first of some upserts of one thing say all that they and the newest one say."""
    first, *rest = waiting
    body: dict[str, Any] = {}
    for each in waiting:
        body |= each.body
    rewritten.append(Rewritten(first.id, key, Call(first.method, first.path, body | dict(said))))
    withdrawn += [each.id for each in rest]


def renew(
    waiting: Sequence[Unsent], wanted: Mapping[str, Call], rewritten: list[Rewritten]
) -> None:
    """Let events that were not sent say what is wanted of them now."""
    for each in waiting:
        call = wanted.get(each.key)
        if call is None or not each.is_fresh:
            continue
        if call.path != each.path or json.read_back(call.body) != each.body:
            rewritten.append(Rewritten(each.id, each.key, call))
