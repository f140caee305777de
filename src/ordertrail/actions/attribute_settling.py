"""Attributes as they are sent: held against their definitions, which grow with them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ordertrail.domain import attribute
from ordertrail.domain.attribute import Attribute, ContentType
from ordertrail.domain.attribute_values import converted
from ordertrail.domain.errors import Invalid
from ordertrail.kit.database import Tx
from ordertrail.store import attributes, ids, workspaces
from ordertrail.store.workspaces import Workspace

Values = Mapping[str, Any]


class Settling:
    """The attributes of one batch, of one kind of thing.

    In a strict workspace an attribute that nobody defined is refused, and so is a value that does
    not fit. Elsewhere the first is defined by its first value, and the second is left out, with a
    warning; where `DEFINITIONS_MAX` are defined already, the first is kept without a definition.
    `workspace` is read unless it is given.
    """

    def __init__(
        self,
        tx: Tx,
        workspace_id: int,
        content_type: ContentType,
        sent: Iterable[Values],
        workspace: Workspace | None = None,
    ) -> None:
        self._workspace_id = workspace_id
        self._content_type = content_type
        self._accepted: list[Values] = []
        sent = tuple(sent)
        names = {name for each in sent for name in each}
        self._known = attributes.by_names(tx, workspace_id, content_type, names) if names else {}
        self._is_strict = bool(names) and (workspace or workspaces.one(tx, workspace_id)).is_strict
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
        told = [each for name, each in learnt.items() if name not in self._undefined]
        _define(tx, self._workspace_id, told)

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
        wider = [each for each in learnt.values() if each.id is not None]
        _define(tx, self._workspace_id, [*new, *wider])


def _define(tx: Tx, workspace_id: int, learnt: Sequence[Attribute]) -> None:
    """Write definitions: those without an id are new, the others have got wider types."""
    new = [each for each in learnt if each.id is None]
    numbers = ids.take(tx, workspace_id, attribute=len(new))["attribute"]
    named = [replace(each, id=number) for each, number in zip(new, numbers, strict=True)]
    attributes.add(tx, workspace_id, named)
    attributes.change(tx, workspace_id, [each for each in learnt if each.id is not None])
