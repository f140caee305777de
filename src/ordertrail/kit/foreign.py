"""Databases that somebody else opened: statements in their transaction, with their driver.

It takes connections of sqlite3, of psycopg and psycopg2, of SQLAlchemy and of Django, told apart
by what they can do, so that none of them has to be installed. Two libraries of SQLite must never
open one file in one process, therefore a shop's own driver is used for a shop's own file.
"""

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar, cast

from ordertrail.kit import json
from ordertrail.kit.database import (
    Asked,
    DatabaseAway,
    DatabaseRefused,
    Dialect,
    Reader,
    Tx,
    Value,
)
from ordertrail.kit.drivers import DURABLE, TRIES_MAX, bound
from ordertrail.kit.foreign_errors import is_given_up, library_errors, told
from ordertrail.kit.pyformat import named
from ordertrail.kit.wording import worded

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
_IN_USE = (
    "the connection is in a transaction already, which is not ours to commit: hand it over as"
    " `connection`, or let the function connect anew"
)
_WRITE = {
    Dialect.SQLITE: ["BEGIN IMMEDIATE"],
    Dialect.POSTGRES: ["SET TRANSACTION ISOLATION LEVEL READ COMMITTED", DURABLE],
}
_READ = {
    Dialect.SQLITE: ["BEGIN"],
    Dialect.POSTGRES: ["SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"],
}


class ForeignTx:
    """Statements in a transaction that somebody else began and will end."""

    def __init__(self, execute: Callable[[str, dict[str, Any]], Any], dialect: Dialect) -> None:
        self._execute = execute
        self.dialect = dialect

    def ahead(self, *asked: Asked) -> None:
        """Do nothing: only some of the drivers can send ahead."""

    def rows(self, query: str, **parameters: Value) -> list[list[Any]]:
        """Return the rows of a query that yields them as one JSON array of arrays."""
        ((text,),) = self.fetch(query, **parameters)
        return json.loads(text) if isinstance(text, str) else text or []

    def fetch(self, query: str, **parameters: Value) -> list[tuple[Any, ...]]:
        """Return the rows of a query, or of a statement with a RETURNING clause, one by one."""
        with contextlib.closing(self._executed(query, parameters)) as cursor:
            return [_row(row) for row in cursor.fetchall()]

    def run(self, statement: str, **parameters: Value) -> None:
        """Carry out one statement that returns nothing."""
        self._executed(statement, parameters).close()

    def _executed(self, statement: str, parameters: dict[str, Value]) -> Any:
        if self.dialect is Dialect.POSTGRES:
            told = named(statement) if parameters else worded(statement, self.dialect)
        else:
            told = worded(statement, self.dialect)
        return self._execute(told, bound(parameters))


class Foreign:
    """A database that is opened by a function of the shop's, one connection for each thread.

    The function may give what the thread uses besides, as `django.db.connection`: a transaction
    that is going on there is read in and left alone, and never written in.
    """

    def __init__(self, connect: Callable[[], Any]) -> None:
        self._connect = connect
        self._local = threading.local()
        self._dialect: Dialect | None = None

    @property
    def dialect(self) -> Dialect:
        """Whose words it understands; connects to find out."""
        if self._dialect is None:
            self._dialect = self.read(lambda tx: cast("ForeignTx", tx).dialect)
        return self._dialect

    def write(self, work: Callable[[Tx], T]) -> T:
        """Run the work in one transaction and commit it; any error undoes it all.

        The work may be run several times, when the database gives it up in favour of another.
        """
        for _ in range(TRIES_MAX - 1):
            try:
                return self._write(work)
            except DatabaseAway as error:
                if error.__cause__ is None or not is_given_up(error.__cause__):
                    raise
        return self._write(work)

    def read(self, work: Callable[[Reader], T]) -> T:
        """Run the work on one snapshot of what is committed."""
        with self._telling():
            connection = self._connection()
            is_within = _is_within(connection)
            tx, raw = tx_of(connection), _raw(connection)
            if is_within:
                return work(tx)
            with _undone(connection, raw, tx):
                for statement in _beginnings(_READ, raw, tx.dialect):
                    tx.run(statement)
                return work(tx)

    def close(self) -> None:
        """Close the connection of this thread; those of others end with their threads.

        One in a transaction of the shop's stays open.
        """
        connection: Any = getattr(self._local, "connection", None)
        self._local.connection = None
        with contextlib.suppress(*library_errors()):  # it may be closed, or dead, by then
            if hasattr(connection, "close") and not _is_within(connection):
                connection.close()

    def _write(self, work: Callable[[Tx], T]) -> T:
        with self._telling():
            connection = self._connection()
            if _is_within(connection):
                raise DatabaseRefused(_IN_USE)
            tx, raw = tx_of(connection), _raw(connection)
            with _undone(connection, raw, tx, after_all=False):
                for statement in _beginnings(_WRITE, raw, tx.dialect):
                    tx.run(statement)
                result = work(tx)
                _end(connection, raw, tx, "COMMIT")
            return result

    def _connection(self) -> Any:
        connection: Any = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._connect()
            if hasattr(connection, "detach"):
                connection.detach()  # a pool must not wait for what a thread keeps
            self._local.connection = connection
        return connection

    @contextlib.contextmanager
    def _telling(self) -> Iterator[None]:
        """Tell of a driver's error in our words, and let a connection go that may be dead."""
        try:
            yield
        except Exception as error:
            meant = told(error)
            if meant is error:
                raise
            if isinstance(meant, DatabaseAway) and not is_given_up(error):
                self.close()
            raise meant from error


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
        dialect = _spoken(connection.dialect.name)
        if _driver(_raw(connection)) is None:
            raise DatabaseRefused(f"{connection.dialect.driver} is none of: {', '.join(_DRIVERS)}")
        return ForeignTx(connection.exec_driver_sql, dialect)
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


def _is_within(connection: Any) -> bool:
    """Whether somebody has begun a transaction; a driver that is never outside of one has not."""
    if hasattr(connection, "exec_driver_sql") or hasattr(connection, "get_bind"):
        return bool(connection.in_transaction())
    if getattr(connection, "in_atomic_block", False):
        return True
    raw = _raw(connection)
    if hasattr(raw, "in_transaction"):
        return bool(raw.in_transaction) and getattr(raw, "autocommit", None) is not False
    return _driver(raw) is not None and not raw.closed and not _is_idle(raw)


def _beginnings(kind: dict[Dialect, list[str]], raw: Any, dialect: Dialect) -> list[str]:
    """Return the statements that begin a transaction, where the driver does not do it by itself."""
    if dialect is Dialect.SQLITE:
        return [] if raw.in_transaction else kind[dialect]
    return ["BEGIN", *kind[dialect]] if raw.autocommit else kind[dialect]


def _end(connection: Any, raw: Any, tx: ForeignTx, how: str) -> None:
    """Commit or roll back; by a statement, where the driver's own method does nothing."""
    if tx.dialect is Dialect.POSTGRES and raw.autocommit:
        tx.run(how)
    elif how == "COMMIT":
        connection.commit()
    else:
        connection.rollback()


@contextlib.contextmanager
def _undone(connection: Any, raw: Any, tx: ForeignTx, *, after_all: bool = True) -> Iterator[None]:
    """Roll the transaction back after a failure, which is the one to tell, and else if asked."""
    try:
        yield
    except BaseException:
        with contextlib.suppress(*library_errors()):
            _end(connection, raw, tx, "ROLLBACK")
        raise
    if after_all:
        _end(connection, raw, tx, "ROLLBACK")


def _driver(connection: Any) -> str | None:
    tops = (kind.__module__.split(".")[0] for kind in type(connection).__mro__)
    return next((top for top in tops if top in _DRIVERS), None)


def _executing(connection: Any) -> Callable[[str, dict[str, Any]], Any]:
    def execute(statement: str, parameters: dict[str, Any]) -> Any:
        cursor = connection.cursor()
        if hasattr(cursor, "row_factory"):  # not what the shop makes of its rows
            cursor.row_factory = None if hasattr(connection, "in_transaction") else _tuples
        if parameters:
            cursor.execute(statement, parameters)
        else:
            cursor.execute(statement)
        return cursor

    return execute


def _tuples(_cursor: Any) -> Callable[[Sequence[Any]], tuple[Any, ...]]:
    """Make tuples of rows, in the way of psycopg."""
    return tuple


def _spoken(dialect: str) -> Dialect:
    if dialect not in _SPOKEN:
        raise DatabaseRefused(f"{dialect} is none of: {', '.join(_SPOKEN)}")
    return _SPOKEN[dialect]


def _row(row: Any) -> tuple[Any, ...]:
    """A row as a tuple, whatever the shop makes of its rows."""
    return tuple(row.values()) if isinstance(row, Mapping) else tuple(row)
