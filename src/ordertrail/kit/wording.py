"""Statements that are written once, and said to each database in its own words.

A statement names its parameters as `:name`. Where the databases differ there is a mark in it:

- `@rows(pairs: list_id int, note text)` are the rows of the list parameter `:pairs`, each a list
  with these columns; `@rows(id int, note text)` are those of `:rows`;
- `@list(ids int)` are the items of the list parameter `:ids`, in a column `value`;
- `@in(ids int)` says that something is one of them, which PostgreSQL then looks up one by one in
  an index;
- `@by(name)` is the index that SQLite is told to use: it takes a workspace for small while it has
  no statistics, and would go through all of its rows;
- `@like` compares with a pattern, whatever the case of ASCII letters;
- `@lock` and `@skip` stand where PostgreSQL locks rows, waiting for others or leaving theirs out;
- `@either[[…]]or[[…]]` says one thing to SQLite and another to PostgreSQL.

Types are `int`, `text`, `json` and `flag`, which is 0 or 1. The functions that make JSON have the
names that SQLite gives them. Both databases get a list as one JSON text: it costs the driver
nothing, and PostgreSQL reads it faster than arrays of its own (decision 19 has the figures).
"""

import re
from collections.abc import Callable
from functools import lru_cache

from ordertrail.kit.database import Dialect

_STATEMENTS_MAX = 2_048
_EITHER = re.compile(r"@either\[\[(.*?)\]\]or\[\[(.*?)\]\]", re.DOTALL)
_MARK = re.compile(r" ?@(?:(rows|list|in|by)\(([^)]*)\)|(like|lock|skip)\b)")
_TYPES = {"int": "bigint", "text": "text", "json": "json"}
_WORDS = {
    Dialect.SQLITE: {"like": " LIKE", "lock": "", "skip": ""},
    Dialect.POSTGRES: {"like": " ILIKE", "lock": " FOR UPDATE", "skip": " FOR UPDATE SKIP LOCKED"},
}
_CALLED = {
    "json_group_array": "json_agg",
    "json_group_object": "json_object_agg",
    "json_array": "json_build_array",
    "json_object": "json_build_object",
    "json": "",
    "instr": "strpos",
}
"""What PostgreSQL calls the functions that do the same; it embeds JSON without being told to."""

_FUNCTION = re.compile(rf"\b({'|'.join(_CALLED)})\(")


@lru_cache(maxsize=_STATEMENTS_MAX)
def worded(statement: str, dialect: Dialect) -> str:
    """Return a statement in a database's words."""
    is_sqlite = dialect is Dialect.SQLITE
    told = _EITHER.sub(r"\1" if is_sqlite else r"\2", statement)
    if not is_sqlite:
        told = _FUNCTION.sub(lambda found: f"{_CALLED[found[1]]}(", told)
    words, marks = _WORDS[dialect], _SQLITE if is_sqlite else _POSTGRES

    def expand(mark: re.Match[str]) -> str:
        kind, inside, word = mark.groups()
        return words[word] if word else f" {marks[kind](inside)}"

    return _MARK.sub(expand, told)


def either(sqlite: str, postgres: str) -> str:
    """Return what is said to SQLite and to PostgreSQL in a statement for both."""
    return f"@either[[{sqlite}]]or[[{postgres}]]"


def _sqlite_rows(inside: str) -> str:
    parameter, columns = _columns(inside)
    picked = ", ".join(f"value->>{place} AS {name}" for place, (name, _) in enumerate(columns))
    return f"(SELECT {picked} FROM json_each(:{parameter}))"


def _postgres_rows(inside: str) -> str:
    parameter, columns = _columns(inside)
    picked = ", ".join(
        f"CAST(value->>{place} AS {_TYPES[kind]}) AS {name}"
        for place, (name, kind) in enumerate(columns)
    )
    return f"(SELECT {picked} FROM jsonb_array_elements(CAST(:{parameter} AS jsonb)))"


def _sqlite_list(inside: str) -> str:
    return f"json_each(:{inside.split(maxsplit=1)[0]})"


def _postgres_list(inside: str) -> str:
    parameter, kind = inside.split()
    items = f"jsonb_array_elements_text(CAST(:{parameter} AS jsonb))"
    return f"(SELECT CAST(value AS {_TYPES[kind]}) AS value FROM {items})"


def _sqlite_in(inside: str) -> str:
    return f"IN (SELECT value FROM {_sqlite_list(inside)})"


def _postgres_in(inside: str) -> str:
    return f"= ANY (ARRAY{_postgres_list(inside)})"


def _columns(inside: str) -> tuple[str, list[list[str]]]:
    parameter, colon, columns = inside.partition(":")
    if not colon:
        parameter, columns = "rows", inside
    return parameter, [column.split() for column in columns.split(",")]


_Marks = dict[str, Callable[[str], str]]
_SQLITE: _Marks = {
    "rows": _sqlite_rows,
    "list": _sqlite_list,
    "in": _sqlite_in,
    "by": "INDEXED BY {}".format,
}
_POSTGRES: _Marks = {
    "rows": _postgres_rows,
    "list": _postgres_list,
    "in": _postgres_in,
    "by": lambda _index: "",
}
