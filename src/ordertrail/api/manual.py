"""The addresses and bodies in the manual, made from routes: `python -m ordertrail.api.manual`."""

import inspect
import re
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    Literal,
    Required,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

from ordertrail.api.route import Route
from ordertrail.api.routes import EVERY

WIDTH = 130

_TABLE = re.compile(r"^\| method \|.*?(?=^\n)", re.MULTILINE | re.DOTALL)
_BODIES = re.compile(r"^## Bodies\n.*?(?=^## )", re.MULTILINE | re.DOTALL)
_PLAIN = {str: "text", int: "number", float: "number", bool: "true or false", Any: "anything"}
_ABOUT = """
JSON objects, made of these fields; a **bold** one has to be there. Where attributes may be sent,
they stand beside them, each under its own name. A number may be sent as text, and an id of text
as a number; null counts as not sent or clears the field, and a time is UNIX seconds or ISO 8601,
as in `2026-01-31T18:00:00Z`.
"""


def rewritten(page: str) -> str:
    """Return the page with its table of addresses, and their bodies, as the routes are."""
    head = "| method | address | scope | what it does | body |\n|---|---|---|---|---|\n"
    table = head + "".join(map(_row, EVERY))
    page = _TABLE.sub(lambda _: table, page, count=1)
    return _BODIES.sub(lambda _: _bodies(), page, count=1)


def _row(route: Route) -> str:
    taken = "" if route.takes is None else f"[{route.takes.__name__}]"
    if route.sent_media:
        taken = "CSV"
    cells = (route.method, f"`{route.path}`", route.scope, route.says, taken)
    return f"| {' | '.join(cells)} |\n".replace("|  |", "| |")


def _bodies() -> str:
    shapes = _with_inner(dict.fromkeys(each.takes for each in EVERY if each.takes is not None))
    parts = ["## Bodies", _wrapped(_ABOUT), *map(_body, shapes)]
    links = [f"[{each.__name__}]: #{each.__name__.lower()}" for each in shapes]
    return "\n\n".join([*parts, "\n".join(links)]) + "\n\n"


def _with_inner(shapes: dict[Any, None]) -> list[Any]:
    """The shapes, each followed by those that stand in its fields."""
    found: dict[Any, None] = {}
    for shape in shapes:
        found[shape] = None
        for hint in get_type_hints(shape).values():
            found |= dict.fromkeys(each for each in _parts(hint) if is_typeddict(each))
    return list(found)


def _parts(hint: Any) -> Iterator[Any]:
    yield hint
    for each in get_args(hint):
        yield from _parts(each)


def _body(shape: Any) -> str:
    """What a shape is, and its fields by what they take."""
    by_type: dict[str, list[str]] = {}
    for name, hint in get_type_hints(shape, include_extras=True).items():
        is_needed = name in shape.__required_keys__
        shown = f"**`{name}`**" if is_needed else f"`{name}`"
        by_type.setdefault(_said(hint), []).append(shown)
    fields = [_wrapped(f"- {kind}: {', '.join(names)}") for kind, names in by_type.items()]
    about = _wrapped(inspect.getdoc(shape) or "")
    return "\n".join([f"### {shape.__name__}", "", about, "", *fields])


def _said(hint: Any) -> str:
    """What a field takes, in words; null is not one of them."""
    origin = get_origin(hint)
    if origin in (Required, Annotated):
        [meta] = getattr(hint, "__metadata__", (None,))
        return _said(get_args(hint)[0]) if meta is None else str(meta.title)
    if origin in (Union, UnionType):
        return _either([_said(each) for each in get_args(hint) if each is not NoneType])
    if origin is Literal:
        return f"one of {', '.join(f'`{each}`' for each in get_args(hint))}"
    if origin is list:
        [item] = get_args(hint)
        return f"list of {_said(item)}"
    if is_typeddict(hint):
        return f"[{hint.__name__}]"
    return _PLAIN.get(hint, "object")


def _either(kinds: list[str]) -> str:
    """The kind that is meant, which stands first, and lists of them; the others are spellings."""
    lists = [each for each in kinds if each.startswith("list")]
    return " or ".join([*[each for each in kinds if each not in lists][:1], *lists])


def _wrapped(text: str) -> str:
    """The text in lines of the manual's width; the parts of a list item stand below each other."""
    indent = "  " if text.startswith("- ") else ""
    return textwrap.fill(
        " ".join(text.split()),
        WIDTH,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


if __name__ == "__main__":
    for name in sys.argv[1:]:
        path = Path(name)
        path.write_text(rewritten(path.read_text("utf-8")), "utf-8")
