"""The outbox's statements, written once for both databases, and how they get their parameters.

A statement says `:name` for a value and `:to` for the destination's number. Besides, it may say

- `@rows(id int, reason text)` for a table of the rows that it is given,
- `@list(ids int)` for a table of one column that is called like the parameter,
- `@in(ids int)` for being one of a list, which PostgreSQL then looks up one by one in an index,
- `@lock` and `@skip` where PostgreSQL locks rows, waiting for others or leaving theirs out.

SQLite gets whole lists as one JSON text, PostgreSQL as arrays.
"""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, Protocol

from ordertrail.kit import json
from ordertrail.kit.database import Database, Dialect, Reader, Tx, Value

Row = Sequence[str | int | None]

_STATEMENTS_MAX = 512
_MARK = re.compile(r"@(?:(rows|list|in)\(([^)]*)\)|(lock|skip))")
_TYPES = {"int": "bigint", "text": "text"}
_LOCKS = {"lock": "FOR UPDATE", "skip": "FOR UPDATE SKIP LOCKED"}


class OutboxDatabase(Database, Protocol):
    """A database that an outbox may live in."""

    @property
    def dialect(self) -> Dialect:
        """Whose words it understands."""
        ...

    def close(self) -> None:
        """Close every connection."""
        ...


class Reading:
    """Queries of the outbox on one transaction, in the words of its database."""

    def __init__(self, reader: Reader, dialect: Dialect) -> None:
        self._reader = reader
        self.dialect = dialect

    @property
    def is_sqlite(self) -> bool:
        """Whether there is one writer at a time, so that nobody needs to lock anything."""
        return self.dialect is Dialect.SQLITE

    def fetch(
        self, query: str, rows: Iterable[Row] | None = None, **parameters: Value
    ) -> list[tuple[Any, ...]]:
        """Return the rows of a query, or of a statement with a RETURNING clause."""
        text, columns = worded(query, self.dialect)
        return self._reader.fetch(text, **self._given(columns, rows), **parameters)

    def _given(self, columns: tuple[str, ...], rows: Iterable[Row] | None) -> dict[str, Value]:
        if rows is None:
            return {}
        if self.dialect is Dialect.SQLITE:
            return {"rows": json.dumps(list(rows))}
        by_column = list(zip(*rows, strict=True)) or [()] * len(columns)
        return {f"rows_{name}": list(each) for name, each in zip(columns, by_column, strict=True)}


class Writing(Reading):
    """Statements of the outbox in one write transaction that somebody else commits."""

    def __init__(self, tx: Tx, dialect: Dialect) -> None:
        super().__init__(tx, dialect)
        self._tx = tx

    def run(self, statement: str, rows: Iterable[Row] | None = None, **parameters: Value) -> None:
        """Carry out a statement that returns nothing."""
        text, columns = worded(statement, self.dialect)
        self._tx.run(text, **self._given(columns, rows), **parameters)


@lru_cache(maxsize=_STATEMENTS_MAX)
def worded(statement: str, dialect: Dialect) -> tuple[str, tuple[str, ...]]:
    """Return the statement in a database's words, and the columns of the rows that it takes."""
    taken: list[str] = []
    is_sqlite = dialect is Dialect.SQLITE

    def expand(mark: re.Match[str]) -> str:
        kind, inside, lock = mark.groups()
        if lock:
            return "" if is_sqlite else _LOCKS[lock]
        columns = [(name, kind) for name, kind in map(str.split, inside.split(","))]
        if kind == "rows":
            taken.extend(name for name, _ in columns)
            return _sqlite_rows(columns) if is_sqlite else _postgres_rows(columns)
        ((name, column_type),) = columns
        if kind == "in" and is_sqlite:
            return f"IN (SELECT value FROM json_each(:{name}))"
        if kind == "in":
            return f"= ANY (CAST(:{name} AS {_TYPES[column_type]}[]))"
        if is_sqlite:
            return f"(SELECT value AS {name} FROM json_each(:{name}))"
        return f"(SELECT unnest(CAST(:{name} AS {_TYPES[column_type]}[])) AS {name})"

    text = _MARK.sub(expand, statement)
    return text, tuple(taken)


def _sqlite_rows(columns: Sequence[tuple[str, str]]) -> str:
    picked = ", ".join(f"value->>{place} AS {name}" for place, (name, _) in enumerate(columns))
    return f"(SELECT {picked} FROM json_each(:rows))"


def _postgres_rows(columns: Sequence[tuple[str, str]]) -> str:
    arrays = ", ".join(f"CAST(:rows_{name} AS {_TYPES[kind]}[])" for name, kind in columns)
    names = ", ".join(name for name, _ in columns)
    return f"(SELECT * FROM unnest({arrays}) AS given ({names}))"
