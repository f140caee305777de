"""Attributes: typed custom fields of contacts, companies, deals and products.

An attribute that nobody defined is created with the type of its first value; when a later value
does not fit, an inferred type is widened to one that holds both, so that no value is lost.
"""

import enum
import functools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from ordertrail.domain.errors import Invalid

NAME_LENGTH_MAX = 64
ATTRIBUTES_MAX = 500
DEFINITIONS_MAX = 2_000
"""How many attributes of one kind of thing a workspace defines, itself or by what is sent."""

DISPLAY_NAME_LENGTH_MAX = 32
"""The longest name of an attribute that is defined by hand."""

DESCRIPTION_LENGTH_MAX = 1_000
CHOICES_MAX = 100
CHOICE_LENGTH_MAX = 256


class ContentType(enum.StrEnum):
    """What an attribute belongs to, as the API names it."""

    ACTIVITY = "activity"
    COMPANY = "company"
    CONTACT = "clientuser"
    DEAL = "deal"
    EVENT = "event"
    PRODUCT = "product"
    TICKET = "ticket"


class ValueType(enum.StrEnum):
    """The eight types of the API."""

    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME = "datetime"
    FIXED = "fixed"
    FLOAT = "float"
    INTEGER = "integer"
    JSON = "json"
    STRING = "string"


_JOINED = (
    ({ValueType.DATE, ValueType.DATETIME}, ValueType.DATETIME),
    ({ValueType.INTEGER, ValueType.FLOAT}, ValueType.FLOAT),
)
"""Types besides text and JSON that hold the values of two."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """The definition of one custom field: `name` is the key of its values.

    `display_name` is what it was called by whoever defined it. `choices` are what an attribute of
    the type "fixed" may be; with `allows_many` it is a list of them.
    """

    content_type: ContentType
    name: str
    value_type: ValueType
    is_inferred: bool = True
    id: int | None = None
    display_name: str = ""
    description: str = ""
    choices: tuple[str, ...] = ()
    allows_many: bool = False


def standard_name(name: str) -> str:
    """Return the name under which values are kept: lower case, with underscores."""
    if len(name) > 2 * NAME_LENGTH_MAX:
        raise Invalid({name[:NAME_LENGTH_MAX]: f"a name has 1 to {NAME_LENGTH_MAX} characters"})
    return _standard_name(name)


def lenient_name(name: str) -> str | None:
    """Return the name under which values are kept, or None for what can be no name."""
    try:
        return standard_name(name)
    except Invalid:
        return None


@functools.lru_cache(maxsize=10_000)
def _standard_name(name: str) -> str:
    folded = re.sub(r"\W+", "_", name.strip().lower()).strip("_")
    if not folded or len(folded) > NAME_LENGTH_MAX:
        field = name[:NAME_LENGTH_MAX].strip() or "body"
        raise Invalid({field: f"the name of a field has 1 to {NAME_LENGTH_MAX} characters"})
    return folded


def check(wanted: Attribute) -> None:
    """Raise Invalid, naming what is wrong with a definition that somebody asks for."""
    wrong: dict[str, str] = {}
    if not 0 < len(wanted.display_name) <= DISPLAY_NAME_LENGTH_MAX:
        wrong["name"] = f"must be text of 1 to {DISPLAY_NAME_LENGTH_MAX} characters"
    if len(wanted.description) > DESCRIPTION_LENGTH_MAX:
        wrong["description"] = f"must have at most {DESCRIPTION_LENGTH_MAX} characters"
    if wanted.value_type is ValueType.FIXED and not wanted.choices:
        wrong["choices"] = "are needed: the values that a fixed attribute may have"
    if len(set(wanted.choices)) < len(wanted.choices):
        wrong["choices"] = "must differ from each other"
    if wrong:
        raise Invalid(wrong)


def agreed(known: Attribute | None, wanted: Attribute) -> Attribute:
    """Return the definition that holds when somebody asks for one: what was inferred gives way.

    A definition like the wanted one stays as it is; raises Invalid for any other.
    """
    if known is None or known.is_inferred:
        return replace(wanted, id=None if known is None else known.id)
    if _terms(known) == _terms(wanted):
        return known
    raise Invalid({"name": f"is defined already, as {known.value_type}; delete that one first"})


def _terms(attribute: Attribute) -> tuple[ValueType, frozenset[str], bool]:
    return attribute.value_type, frozenset(attribute.choices), attribute.allows_many


def merged(
    old: Mapping[str, Any], sent: Mapping[str, Any], dropped: Iterable[str] = ()
) -> dict[str, Any]:
    """Return the attributes of a thing after some were sent and some taken away.

    However many there are: `check_count` tells whether they are too many.
    """
    both = {**old, **sent}
    for name in dropped:
        if name in old:
            del both[name]
    return both


def changed(
    old: Mapping[str, Any], sent: Mapping[str, Any], dropped: Iterable[str] = ()
) -> dict[str, Any]:
    """Do as `merged` does; raises Invalid when the thing would have too many attributes."""
    both = merged(old, sent, dropped)
    check_count(old, both)
    return both


def check_count(old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    """Raise Invalid when a thing has too many attributes, and more than it had."""
    if len(new) > ATTRIBUTES_MAX and len(new) > len(old):
        raise Invalid({"attributes": f"one thing has at most {ATTRIBUTES_MAX} attributes"})


def infer(value: object) -> ValueType:
    """Return the type that a value shows; numbers are floats, because amounts grow decimals."""
    if isinstance(value, bool):
        return ValueType.BOOLEAN
    if isinstance(value, int | Decimal):
        return ValueType.FLOAT
    if isinstance(value, list | dict):
        return ValueType.JSON
    return _infer_text(value) if isinstance(value, str) else ValueType.STRING


def widen(known: ValueType, seen: ValueType) -> ValueType:
    """Return the narrowest type that holds values of both."""
    if known is seen:
        return known
    for pair, wider in _JOINED:
        if {known, seen} == pair:
            return wider
    return ValueType.JSON if ValueType.JSON in (known, seen) else ValueType.STRING


def learn(
    content_type: ContentType,
    known: Mapping[str, Attribute],
    values: Iterable[Mapping[str, Any]],
) -> dict[str, Attribute]:
    """Return the definitions that are new, or wider than the known ones, given these values."""
    learnt: dict[str, Attribute] = {}
    for sent in values:
        for name, value in sent.items():
            if value is None:
                continue
            before = learnt.get(name) or known.get(name)
            if before is None:
                learnt[name] = Attribute(content_type, name, infer(value))
                continue
            wider = widen(before.value_type, infer(value))
            if before.is_inferred and wider is not before.value_type:
                learnt[name] = replace(before, value_type=wider)
    return learnt


def _infer_text(text: str) -> ValueType:
    if text[4:5] != "-" or not 10 <= len(text) <= 40:
        return ValueType.STRING
    for value_type, parse in ((ValueType.DATE, date), (ValueType.DATETIME, datetime)):
        try:
            parse.fromisoformat(text)
        except ValueError:
            continue
        return value_type
    return ValueType.STRING
