"""What actions and reports see of a database: statements with named parameters, and rows.

A query is written so that it yields one JSON text holding all its rows, and a write takes all
its rows as one JSON text. Each is then a single step of the database, however long the batch:
a step gives up the interpreter's lock, and winning it back from a busy thread is what costs.
"""

import enum
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

T = TypeVar("T")

Value = str | int | bytes | bool | list[Any] | None
"""A parameter; a list is handed to the database as one JSON text."""


class Dialect(enum.StrEnum):
    """Whose words a statement is in."""

    SQLITE = "sqlite"
    POSTGRES = "postgres"


class DatabaseAway(Exception):
    """The database cannot serve now: locked, full, gone. Ask again later."""


class CommitLost(DatabaseAway):
    """The connection was lost at the commit: what was written may have been kept, or not."""


class DatabaseRefused(Exception):
    """The database cannot be used as it is: a person has to change something."""


class QueryTooSlow(Exception):
    """A read ran longer than its limit and was stopped."""


Asked = tuple[str, dict[str, Value]]
"""A query and its parameters."""


class Reader(Protocol):
    """A consistent view of the database."""

    def ahead(self, *asked: Asked) -> None:
        """Send queries whose `rows` are asked for next, so that their ways there are one.

        Nothing that they read may be written before that. Where there is no way, nothing is done.
        """
        ...

    def rows(self, query: str, **parameters: Value) -> list[list[Any]]:
        """Return the rows of a query that yields them as one JSON array of arrays."""
        ...

    def fetch(self, query: str, **parameters: Value) -> list[tuple[Any, ...]]:
        """Return the rows of a query, or of a statement with a RETURNING clause."""
        ...


class Tx(Reader, Protocol):
    """A write transaction that somebody else begins and commits."""

    def run(self, statement: str, **parameters: Value) -> None:
        """Carry out one statement that returns nothing."""
        ...


class Database(Protocol):
    """A place where tables are, with one writer and any number of readers."""

    @property
    def dialect(self) -> Dialect:
        """Whose words it understands."""
        ...

    def write(self, work: Callable[[Tx], T]) -> T:
        """Run the work in one write transaction and commit it durably; any error undoes it all."""
        ...

    def read(self, work: Callable[[Reader], T]) -> T:
        """Run the work on one snapshot, within the time limit of a read."""
        ...


class Near(Protocol):
    """A database in this very process: looking a row up costs less than asking another thread."""

    def look(self, work: Callable[[Reader], T]) -> T:
        """Look a few rows up on one snapshot; raises QueryTooSlow when it takes long."""
        ...
