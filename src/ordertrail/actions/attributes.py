"""Attributes as they are sent: held against their definitions, which grow with them."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from ordertrail.domain import attribute
from ordertrail.domain.attribute import Attribute, ContentType
from ordertrail.domain.attribute_values import converted
from ordertrail.domain.errors import Invalid
from ordertrail.kit.database import Reader, Tx
from ordertrail.store import attributes, ids, workspaces

Values = Mapping[str, Any]


class Settling:
    """The attributes of one batch, of one kind of thing.

    In a strict workspace an attribute that nobody defined is refused, and so is a value that does
    not fit. Elsewhere the first is defined by its first value, and the second is left out, with a
    warning.
    """

    def __init__(
        self, tx: Tx, workspace_id: int, content_type: ContentType, sent: Iterable[Values]
    ) -> None:
        self._workspace_id = workspace_id
        self._content_type = content_type
        self._accepted: list[Values] = []
        names = {name for each in sent for name in each}
        self._known = attributes.by_names(tx, workspace_id, content_type, names) if names else {}
        self._is_strict = bool(names) and workspaces.one(tx, workspace_id).is_strict
        self._takes_all = not self._is_strict and all(
            each.is_inferred for each in self._known.values()
        )

    def settle(self, sent: Values) -> tuple[Values, tuple[str, ...]]:
        """Return the attributes as they are kept, and warnings; raises Invalid when strict."""
        if self._takes_all or not sent:
            return sent, ()
        kept: dict[str, Any] = {}
        wrong: dict[str, str] = {}
        for name, value in sent.items():
            known = self._known.get(name)
            if known is None:
                kept[name] = value
                if self._is_strict:
                    wrong[name] = "is no attribute of this workspace, which is strict; define it"
                continue
            try:
                kept[name] = converted(known, value)
            except Invalid as error:
                wrong.update(error.fields)
        if wrong and self._is_strict:
            raise Invalid(wrong)
        left_out = [f"{name}: left out: {reason}" for name, reason in wrong.items()]
        changed = [
            f"{name}: kept as the {self._known[name].value_type} that it is defined as"
            for name, value in kept.items()
            if value != sent[name] or type(value) is not type(sent[name])
        ]
        return kept, (*left_out, *changed)

    def accept(self, values: Values) -> None:
        """Take the attributes of a command that was not refused."""
        if values:
            self._accepted.append(values)

    def write(self, tx: Tx) -> None:
        """Define what was accepted for the first time, and widen inferred types."""
        learnt = attribute.learn(self._content_type, self._known, self._accepted)
        if not learnt:
            return
        new = [each for each in learnt.values() if each.id is None]
        numbers = ids.take(tx, self._workspace_id, attribute=len(new))["attribute"]
        named = [replace(each, id=number) for each, number in zip(new, numbers, strict=True)]
        attributes.add(tx, self._workspace_id, named)
        wider = [each for each in learnt.values() if each.id is not None]
        attributes.change(tx, self._workspace_id, wider)


def of_type(reader: Reader, workspace_id: int, content_type: ContentType) -> list[Attribute]:
    """Return all attribute definitions of one kind of thing, oldest first."""
    return attributes.of_type(reader, workspace_id, content_type)
