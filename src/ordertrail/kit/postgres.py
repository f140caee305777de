"""PostgreSQL through psycopg: a connection for each thread, opened when it is first needed.

Statements name their parameters as `:name`, as everywhere. A lost connection is told as
DatabaseAway and a new one is made the next time; a transaction that the database gave up in favour
of another one is run again.
"""

import threading
from collections.abc import Callable
from typing import Any, TypeVar

import psycopg
from psycopg import errors

from ordertrail.kit import json
from ordertrail.kit.database import DatabaseAway, DatabaseRefused, Dialect, Reader, Tx, Value
from ordertrail.kit.pyformat import named

T = TypeVar("T")

TRIES_MAX = 5
CONNECT_WAIT_S = 10
_GIVEN_UP: tuple[type[psycopg.Error], ...] = (
    errors.SerializationFailure,
    errors.DeadlockDetected,
    errors.UniqueViolation,
)
_NOT_LET_IN = ("password", "authentication", "does not exist", "pg_hba.conf", "no encryption")


class PostgresTx:
    """Statements on one connection; begun and ended by whoever made it."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._execute = connection.execute

    def rows(self, query: str, **parameters: Value) -> list[list[Any]]:
        """Return the rows of a query that yields them as one JSON array of arrays."""
        found = self._execute(named(query), parameters).fetchone()
        text = found[0] if found else None
        return json.loads(text) if isinstance(text, str) else text or []

    def fetch(self, query: str, **parameters: Value) -> list[tuple[Any, ...]]:
        """Return the rows of a query, or of a statement with a RETURNING clause, one by one."""
        return self._execute(named(query), parameters).fetchall()

    def returning(self, statement: str, **parameters: Value) -> list[tuple[Any, ...]]:
        """Carry out one statement with a RETURNING clause and return its rows."""
        return self.fetch(statement, **parameters)

    def run(self, statement: str, **parameters: Value) -> None:
        """Carry out one statement that returns nothing."""
        self._execute(named(statement) if parameters else statement, parameters or None)


class Postgres:
    """One database at an address such as `postgresql://user@host/name`."""

    dialect = Dialect.POSTGRES

    def __init__(self, url: str) -> None:
        self.url = url
        self._local = threading.local()
        self._connections: set[psycopg.Connection[Any]] = set()
        self._changing = threading.Lock()

    def write(self, work: Callable[[Tx], T]) -> T:
        """Run the work in one transaction and commit it durably; any error undoes it all.

        The work may be run several times, when the database gives it up in favour of another.
        """
        for _ in range(TRIES_MAX - 1):
            try:
                return self._in_transaction(work)
            except _GIVEN_UP:
                continue
        try:
            return self._in_transaction(work)
        except (errors.SerializationFailure, errors.DeadlockDetected) as error:
            reason = "others change the same rows all the time; try again"
            raise DatabaseAway(f"PostgreSQL: {reason}") from error

    def read(self, work: Callable[[Reader], T]) -> T:
        """Run the work, each of its queries on the newest that is committed."""
        connection = self._connection()
        try:
            return work(PostgresTx(connection))
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            raise self._away(connection, error) from error

    def close(self) -> None:
        """Close every connection."""
        with self._changing:
            for connection in self._connections:
                connection.close()
            self._connections.clear()
            self._local = threading.local()

    def _in_transaction(self, work: Callable[[Tx], T]) -> T:
        connection = self._connection()
        try:
            with connection.transaction():
                return work(PostgresTx(connection))
        except _GIVEN_UP:
            raise
        except errors.InsufficientPrivilege as error:
            raise DatabaseRefused(f"PostgreSQL: {_first_line(error)}; grant it") from error
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            raise self._away(connection, error) from error

    def _connection(self) -> psycopg.Connection[Any]:
        connection: psycopg.Connection[Any] | None = getattr(self._local, "connection", None)
        if connection is None or connection.closed:
            connection = _connected(self.url)
            self._local.connection = connection
            with self._changing:
                self._connections = {e for e in self._connections if not e.closed} | {connection}
        return connection

    def _away(self, connection: psycopg.Connection[Any], error: psycopg.Error) -> DatabaseAway:
        """Return what to tell, after letting a connection go that may be of no use any more."""
        connection.close()
        return DatabaseAway(f"PostgreSQL: {_first_line(error)}; see that it runs, and try again")


def _connected(url: str) -> psycopg.Connection[Any]:
    try:
        return psycopg.connect(url, autocommit=True, connect_timeout=CONNECT_WAIT_S)
    except psycopg.ProgrammingError as error:
        raise DatabaseRefused(f"the address of PostgreSQL: {_first_line(error)}") from None
    except psycopg.OperationalError as error:
        reason = _first_line(error)
        if any(words in reason for words in _NOT_LET_IN):
            advice = "check user, password and name of the database in its address"
            raise DatabaseRefused(f"PostgreSQL: {reason}; {advice}") from None
        raise DatabaseAway(f"PostgreSQL: {reason}; see that it runs, and try again") from error


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
