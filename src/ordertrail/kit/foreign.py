"""Databases that somebody else opened: statements in their transaction, with their driver.

It takes connections of sqlite3, of psycopg and psycopg2, of SQLAlchemy and of Django, told apart
by what they can do, so that none of them has to be installed. Two libraries of SQLite must never
open one file in one process, therefore a shop's own driver is used for a shop's own file.
"""

import contextlib
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from ordertrail.kit import json
from ordertrail.kit.database import (
    DatabaseAway,
    DatabaseRefused,
    Dialect,
    Reader,
    Tx,
    Value,
)
from ordertrail.kit.pyformat import named

T = TypeVar("T")

_DRIVERS = {
    "sqlite3": Dialect.SQLITE,
    "pysqlite3": Dialect.SQLITE,
    "psycopg": Dialect.POSTGRES,
    "psycopg2": Dialect.POSTGRES,
}
_SPOKEN = {"sqlite": Dialect.SQLITE, "postgresql": Dialect.POSTGRES}
_NO_TRANSACTION = (
    "the connection commits every statement by itself: begin a transaction on it first, in which"
    " the order and its sync are saved together"
)
_AWAY = ("OperationalError", "InterfaceError")
_REFUSED = ("DatabaseError", "NotSupportedError")


class ForeignTx:
    """Statements in a transaction that somebody else began and will end."""

    def __init__(self, execute: Callable[[str, dict[str, Any]], Any], dialect: Dialect) -> None:
        self._execute = execute
        self.dialect = dialect

    def rows(self, query: str, **parameters: Value) -> list[list[Any]]:
        """Return the rows of a query that yields them as one JSON array of arrays."""
        ((text,),) = self.fetch(query, **parameters)
        return json.loads(text) if isinstance(text, str) else text or []

    def fetch(self, query: str, **parameters: Value) -> list[tuple[Any, ...]]:
        """Return the rows of a query, or of a statement with a RETURNING clause, one by one."""
        with contextlib.closing(self._executed(query, parameters)) as cursor:
            return [_row(row) for row in cursor.fetchall()]

    def returning(self, statement: str, **parameters: Value) -> list[tuple[Any, ...]]:
        """Carry out one statement with a RETURNING clause and return its rows."""
        return self.fetch(statement, **parameters)

    def run(self, statement: str, **parameters: Value) -> None:
        """Carry out one statement that returns nothing."""
        self._executed(statement, parameters).close()

    def _executed(self, statement: str, parameters: dict[str, Value]) -> Any:
        if self.dialect is Dialect.POSTGRES:
            return self._execute(named(statement) if parameters else statement, parameters)
        bound = {
            name: json.dumps(value) if isinstance(value, list) else value
            for name, value in parameters.items()
        }
        return self._execute(statement, bound)


class Foreign:
    """A database that is opened by a function of the shop's, one connection for each thread."""

    def __init__(self, connect: Callable[[], Any]) -> None:
        self._connect = connect
        self._local = threading.local()
        self._connections: list[Any] = []
        self._changing = threading.Lock()
        self.dialect = self._tx().dialect

    def write(self, work: Callable[[Tx], T]) -> T:
        """Run the work in one transaction and commit it; any error undoes it all."""
        tx, connection = self._tx(), self._local.connection
        try:
            if tx.dialect is Dialect.SQLITE and not connection.in_transaction:
                tx.run("BEGIN IMMEDIATE")
            result = work(tx)
            connection.commit()
        except BaseException as error:
            with contextlib.suppress(*_database_errors(error)):
                connection.rollback()
            raise self._translated(error) from error
        return result

    def read(self, work: Callable[[Reader], T]) -> T:
        """Run the work on what is committed."""
        tx, connection = self._tx(), self._local.connection
        try:
            result = work(tx)
            connection.rollback()
        except Exception as error:
            raise self._translated(error) from error
        return result

    def close(self) -> None:
        """Close the connections of this thread; those of others end with their threads."""
        with self._changing:
            mine = getattr(self._local, "connection", None)
            self._connections = [each for each in self._connections if each is not mine]
            self._local = threading.local()
        if mine is not None:
            mine.close()

    def _tx(self) -> ForeignTx:
        connection = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._connect()
            if hasattr(connection, "detach"):
                connection.detach()  # a pool must not wait for what a thread keeps
            with self._changing:
                self._connections.append(connection)
            self._local.connection = connection
            self._local.tx = tx_of(connection)
        tx: ForeignTx = self._local.tx
        return tx

    def _translated(self, error: BaseException) -> BaseException:
        """Return what to tell of a driver's error; every driver names them alike."""
        name = type(error).__name__
        is_drivers = type(error).__module__.split(".")[0] in _DRIVERS
        if is_drivers and (name in _AWAY or name in _REFUSED):
            if name in _AWAY:
                self._local = threading.local()
                return DatabaseAway(f"the shop's database: {error}; see that it is there")
            return DatabaseRefused(f"the shop's database: {error}; check the file, or its rights")
        return error


def joined(connection: Any) -> ForeignTx:
    """Return the transaction of a connection, begun if its driver has not done so yet.

    Raises DatabaseRefused where there is none and nobody would commit it.
    """
    tx = tx_of(connection)
    raw = _raw(connection)
    if tx.dialect is Dialect.SQLITE and not raw.in_transaction:
        if raw.isolation_level is None or getattr(raw, "autocommit", None) is True:
            raise DatabaseRefused(_NO_TRANSACTION)
        tx.run("BEGIN IMMEDIATE")
    elif tx.dialect is Dialect.POSTGRES and raw.autocommit and _is_idle(raw):
        raise DatabaseRefused(_NO_TRANSACTION)
    return tx


def tx_of(connection: Any) -> ForeignTx:
    """Return the transaction of a connection, which whoever gave it begins and ends.

    Raises DatabaseRefused for what is no connection of a kind that is known.
    """
    if hasattr(connection, "exec_driver_sql"):
        return ForeignTx(connection.exec_driver_sql, _spoken(connection.dialect.name))
    if hasattr(connection, "get_bind") and hasattr(connection, "connection"):
        return tx_of(connection.connection())
    if hasattr(connection, "ensure_connection"):
        connection.ensure_connection()
        return tx_of(connection.connection)
    if hasattr(connection, "dbapi_connection"):
        return tx_of(connection.dbapi_connection)
    driver = _driver(connection)
    if driver is None or not hasattr(connection, "cursor"):
        kind = f"{type(connection).__module__}.{type(connection).__name__}"
        raise DatabaseRefused(
            f"{kind} is no connection of sqlite3, psycopg, psycopg2, SQLAlchemy or Django"
        )
    return ForeignTx(_executing(connection), _DRIVERS[driver])


def _raw(connection: Any) -> Any:
    """Return the driver's own connection."""
    if hasattr(connection, "exec_driver_sql"):
        return connection.connection.dbapi_connection
    if hasattr(connection, "get_bind"):
        return _raw(connection.connection())
    if hasattr(connection, "ensure_connection"):
        return connection.connection
    return getattr(connection, "dbapi_connection", connection)


def _is_idle(raw: Any) -> bool:
    """Whether a connection of psycopg or psycopg2 is outside of a transaction."""
    if hasattr(raw, "get_transaction_status"):
        return bool(raw.get_transaction_status() == 0)
    return bool(raw.info.transaction_status == 0)


def _driver(connection: Any) -> str | None:
    tops = (kind.__module__.split(".")[0] for kind in type(connection).__mro__)
    return next((top for top in tops if top in _DRIVERS), None)


def _executing(connection: Any) -> Callable[[str, dict[str, Any]], Any]:
    def execute(statement: str, parameters: dict[str, Any]) -> Any:
        cursor = connection.cursor()
        if parameters:
            cursor.execute(statement, parameters)
        else:
            cursor.execute(statement)
        return cursor

    return execute


def _spoken(dialect: str) -> Dialect:
    if dialect not in _SPOKEN:
        raise DatabaseRefused(f"{dialect} is none of: {', '.join(_SPOKEN)}")
    return _SPOKEN[dialect]


def _row(row: Any) -> tuple[Any, ...]:
    """A row as a tuple, whatever the shop makes of its rows."""
    return tuple(row.values()) if isinstance(row, Mapping) else tuple(row)


def _database_errors(error: BaseException) -> Sequence[type[BaseException]]:
    """The kinds of failure that undoing may end in, after this one: those of the same driver."""
    return [type(error)] if isinstance(error, Exception) else []
