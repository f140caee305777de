"""Data taken over exactly: every field is known and every value of its type, or it is refused.

A misspelt field must not vanish, so a field that the type lacks is refused by its name.
"""

import dataclasses
import difflib
import enum
import functools
import re
import typing
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from ordertrail.domain.errors import Invalid

SHOWN_CHARS_MAX = 40
DEPTH_MAX = 64
TIME_EXAMPLE = "2026-03-01T10:00:00Z"

_WORDS = {
    "int": "a whole number",
    "float": "a number with a fraction",
    "decimal": "a number",
    "str": "text",
    "bool": "true or false",
    "null": "null",
    "array": "a list",
    "object": "an object",
    "datetime": f"a time such as {TIME_EXAMPLE}",
}
_MESSAGE = re.compile(r"(?P<what>.*?)(?: - at `(?P<path>.*)`)?", re.DOTALL)
_EXPECTED = re.compile(r"Expected `([^`]*)`, got `([^`]*)`")
_MISSING = re.compile(r"Object missing required field `([^`]*)`")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Shape:
    """The fields that a dataclass has, and those of them that hold further dataclasses."""

    kind: type
    names: frozenset[str]
    single: tuple[tuple[str, "Shape"], ...]
    listed: tuple[tuple[str, "Shape"], ...]
    mapped: tuple[tuple[str, "Shape"], ...]

    def fits(self, data: object) -> bool:
        """Tell at once that nothing in the data is unknown; False says only that it may be."""
        flat = not (self.single or self.listed or self.mapped)
        return flat and isinstance(data, Mapping) and data.keys() <= self.names


@functools.cache
def shape(kind: type) -> Shape:
    """Return the shape of a dataclass."""
    single: list[tuple[str, Shape]] = []
    listed: list[tuple[str, Shape]] = []
    mapped: list[tuple[str, Shape]] = []
    for name, hint in typing.get_type_hints(kind).items():
        held = [each for each in (hint, *typing.get_args(hint)) if dataclasses.is_dataclass(each)]
        if not held:
            continue
        entry = (name, shape(typing.cast(type, held[0])))
        origin = typing.get_origin(hint)
        (listed if origin is tuple else mapped if origin is Mapping else single).append(entry)
    names = frozenset(field.name for field in dataclasses.fields(kind))
    return Shape(kind, names, tuple(single), tuple(listed), tuple(mapped))


def convert(data: object, kind: type[T]) -> T:
    """Return the data as a `kind`; raises Invalid with the path of what is wrong in it."""
    known = shape(typing.cast(typing.Hashable, kind))
    try:
        made = msgspec.convert(data, kind)
    except msgspec.ValidationError as error:
        raise Invalid(unknown(data, known) | _blamed(data, known, str(error))) from None
    except RecursionError:
        raise Invalid({"data": "is nested too deeply"}) from None
    if wrong := unknown(data, known):
        raise Invalid(wrong)
    return made


def unknown(data: object, known: Shape, path: str = "") -> dict[str, str]:
    """Return every field that the shape lacks, by its path, and what it may have been meant for."""
    if not isinstance(data, Mapping):
        return {}
    wrong: dict[str, str] = {}
    if not data.keys() <= known.names:
        for name in data.keys() - known.names:
            wrong[f"{path}{shown(name)}"] = not_one_of(name, known.names)
    for name, inner in known.single:
        if name in data:
            wrong.update(unknown(data[name], inner, f"{path}{name}."))
    for name, inner in known.listed:
        items = data.get(name)
        if isinstance(items, list | tuple):
            for place, item in enumerate(items):
                if not inner.fits(item):
                    wrong.update(unknown(item, inner, f"{path}{name}[{place}]."))
    for name, inner in known.mapped:
        items = data.get(name)
        if isinstance(items, Mapping):
            for key, item in items.items():
                wrong.update(unknown(item, inner, f"{path}{name}.{shown(key)}."))
    return wrong


def shown(name: object) -> str:
    """Return a name from outside cut short, in quotes unless it is a plain word."""
    text = str(name)
    return text if text.isidentifier() and len(text) <= SHOWN_CHARS_MAX else _quoted(text)


def _quoted(text: str) -> str:
    return ascii(text[:SHOWN_CHARS_MAX])


def not_one_of(name: object, known: Iterable[str]) -> str:
    """Return why a name was refused, and which of the known ones may have been meant."""
    close = difflib.get_close_matches(str(name)[:SHOWN_CHARS_MAX], sorted(known), 1)
    return f"is not known here; did you mean {close[0]}?" if close else "is not known here"


def _blamed(data: object, known: Shape, message: str) -> dict[str, str]:
    """What is wrong, by a path that has the names of a mapping, which the message lacks."""
    for name, inner in known.mapped if isinstance(data, Mapping) else ():
        items = typing.cast(Mapping[str, object], data).get(name)
        for key, item in items.items() if isinstance(items, Mapping) else ():
            try:
                msgspec.convert(item, inner.kind)
            except msgspec.ValidationError as error:
                found = _reasons(str(error), inner.kind)
                place = f"{name}.{shown(key)}"
                return {f"{place}.{path}": reason for path, reason in found.items()}
    return _reasons(message, known.kind)


def _reasons(message: str, kind: type) -> dict[str, str]:
    found = typing.cast(re.Match[str], _MESSAGE.fullmatch(message))
    path = re.sub(r"^\$\.?", "", found["path"] or "")
    what = found["what"]
    if missing := _MISSING.match(what):
        return {f"{path}.{missing[1]}".removeprefix("."): "is missing"}
    if what.startswith("Invalid enum value"):
        return {path: f"must be one of: {', '.join(_allowed(kind, path))}"}
    return {path or "data": _reason(what)}


def _allowed(kind: type, path: str) -> list[str]:
    """The values of the enumeration that stands at a path."""
    hints = [kind]
    for name in path.split("."):
        owner = next(each for each in hints if dataclasses.is_dataclass(each))
        hint = typing.get_type_hints(owner)[name]
        hints = [hint, *typing.get_args(hint)]
    return [
        str(value.value)
        for each in hints
        if isinstance(each, enum.EnumMeta)
        for value in typing.cast(Iterable[enum.Enum], each)
    ]


def _reason(what: str) -> str:
    if expected := _EXPECTED.match(what):
        wanted = [_WORDS.get(each, each) for each in expected[1].split(" | ")]
        return f"must be {' or '.join(wanted)}, not {_WORDS.get(expected[2], expected[2])}"
    if "datetime" in what:
        return f"is not a time such as {TIME_EXAMPLE}"
    if "decimal" in what:
        return "is not a number"
    return what[0].lower() + what[1:]
