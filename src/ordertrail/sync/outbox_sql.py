"""How the outbox asks its database: rows given as any iterable, and whose words it understands.

Statements name the destination's number as `:to`, and have the marks of `kit.wording`.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from ordertrail.kit.database import Database, Dialect, Reader, Tx, Value

Row = Sequence[str | int | None]


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
    """Queries of the outbox on one transaction."""

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
        return self._reader.fetch(query, **_given(rows), **parameters)


class Writing(Reading):
    """Statements of the outbox in one write transaction that somebody else commits."""

    def __init__(self, tx: Tx, dialect: Dialect) -> None:
        super().__init__(tx, dialect)
        self._tx = tx

    def run(self, statement: str, rows: Iterable[Row] | None = None, **parameters: Value) -> None:
        """Carry out a statement that returns nothing."""
        self._tx.run(statement, **_given(rows), **parameters)


def _given(rows: Iterable[Row] | None) -> dict[str, Value]:
    return {} if rows is None else {"rows": list(rows)}
