"""PostgreSQL through psycopg: a connection for each thread, opened when it is first needed.

Statements name their parameters as `:name`, as everywhere. A lost connection is told as
DatabaseAway and a new one is made the next time; a transaction that the database gave up in favour
of another one is run again. What is written is on disk when it is committed, and what is read is
one snapshot, whatever the server's settings; each transaction says so itself, so that it holds
behind a pooler too.
"""

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import psycopg
from psycopg import errors

from ordertrail.kit import json
from ordertrail.kit.database import (
    Asked,
    CommitLost,
    DatabaseAway,
    DatabaseRefused,
    Dialect,
    QueryTooSlow,
    Reader,
    Tx,
    Value,
)
from ordertrail.kit.drivers import (
    ADVICE_BY_STATE,
    DURABLE,
    GIVEN_UP,
    SEE_IT_RUNS,
    TRIES_MAX,
    bound,
    first_line,
)
from ordertrail.kit.postgres_connecting import Connection, Door
from ordertrail.kit.pyformat import named
from ordertrail.kit.wording import worded

T = TypeVar("T")

PREPARE_AFTER = 5
"""How often a statement is run before the server keeps it prepared; as psycopg does by itself."""

PREPARING_LOOK_S = 0.05
"""How often those who wait for the first one look whether the server is known to be away."""

IDLE_LIMIT_S = 10.0
LOCK_LIMIT_S = 30.0
_IDLE = "SELECT set_config('idle_in_transaction_session_timeout', '{}', true)"
_BY_INDEX = (
    "set_config('plan_cache_mode', 'force_generic_plan', true),"
    " set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true),"
    " set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true),"
    " set_config('join_collapse_limit', '1', true)"
)
"""Lets a write look each thing up by its index: the plan that is kept with its statement may have
been made while the tables were empty, and the planner took them for small for ever. Tables are
joined in the order in which a statement names them, as SQLite does where it says CROSS JOIN."""

_HEARD = (
    "set_config('tcp_keepalives_idle', '4', true),"
    " set_config('tcp_keepalives_interval', '2', true),"
    " set_config('tcp_keepalives_count', '3', true)"
)
"""Lets the server notice within 10 s that the machine of a writer is gone, in whatever state."""

_BEGIN_WRITE = (
    "BEGIN ISOLATION LEVEL READ COMMITTED",
    f"{_IDLE}, set_config('lock_timeout', '{{}}', true), {_HEARD}, {_BY_INDEX}, ({DURABLE})",
)
_BEGIN_READ = (
    "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY",
    f"{_IDLE}, set_config('statement_timeout', '{{}}', true)",
)
Begin = tuple[str, str]
"""The statement that begins a transaction, and the one that settles its limits."""

_GIVEN_UP = tuple(errors.lookup(state) for state in GIVEN_UP)
_NOT_PREPARED = (errors.InvalidSqlStatementName, errors.DuplicatePreparedStatement)
_PLAN_OUTLIVED = "RevalidateCachedQuery"
"""Where the server finds that a prepared statement would return other columns than it did."""

_AWAY = (
    psycopg.OperationalError,
    psycopg.InterfaceError,
    errors.ReadOnlySqlTransaction,
    errors.IdleInTransactionSessionTimeout,
)


class _BrokenOff(DatabaseAway):
    """The connection was lost before the commit: nothing of the transaction was kept."""


class PostgresTx:
    """Statements on one connection; begun and ended by whoever made it."""

    def __init__(self, connection: Connection, pipeline: psycopg.Pipeline) -> None:
        self._execute = connection.execute
        self._sync = pipeline.sync
        self._ahead: dict[str, tuple[dict[str, Value], psycopg.Cursor[Any]]] = {}

    def ahead(self, *asked: Asked) -> None:
        """Send queries whose rows are asked for next, so that their ways there are one."""
        for query, parameters in asked:
            cursor = self._execute(named(query), bound(parameters))
            self._ahead[query] = parameters, cursor

    def rows(self, query: str, **parameters: Value) -> list[list[Any]]:
        """Return the rows of a query that yields them as one JSON array of arrays."""
        found = self._asked(query, parameters).fetchone()
        return json.loads(found[0]) if found and found[0] else []

    def fetch(self, query: str, **parameters: Value) -> list[tuple[Any, ...]]:
        """Return the rows of a query, or of a statement with a RETURNING clause, one by one."""
        return self._asked(query, parameters).fetchall()

    def run(self, statement: str, **parameters: Value) -> None:
        """Carry out one statement that returns nothing."""
        if parameters:
            self._execute(named(statement), bound(parameters))
        else:
            self._execute(worded(statement, Dialect.POSTGRES))

    def _asked(self, query: str, parameters: dict[str, Value]) -> psycopg.Cursor[Any]:
        """Wait for all that was sent; only then does the server count how long it hears nothing."""
        told, cursor = self._ahead.pop(query, (None, None))
        if cursor is None or told != parameters:
            cursor = self._execute(named(query), bound(parameters))
        if cursor.pgresult is None:
            self._sync()
        return cursor


class Postgres:
    """One database at an address such as `postgresql://user@host/name`.

    `prepare_threshold` is None where nothing may be kept prepared, as behind a pooler that gives
    each transaction another connection; it becomes so by itself where prepared statements get
    lost. A query that takes longer than `read_limit_s` is stopped. A transaction is undone when
    nothing is heard of it for `idle_limit_s`: others may wait for what it has locked.
    """

    dialect = Dialect.POSTGRES

    def __init__(
        self,
        url: str,
        *,
        prepare_threshold: int | None = PREPARE_AFTER,
        read_limit_s: float = 10.0,
        idle_limit_s: float = IDLE_LIMIT_S,
    ) -> None:
        self.url = url
        self._read_limit_s = read_limit_s
        self._begin_write = _begin(_BEGIN_WRITE, idle_limit_s, LOCK_LIMIT_S)
        self._begin_read = _begin(_BEGIN_READ, idle_limit_s, read_limit_s)
        self._door = Door(url, prepare_threshold)
        self._local = threading.local()
        self._connections: dict[threading.Thread, Connection] = {}
        self._changing = threading.Lock()
        self._preparing = threading.RLock()
        self._is_preparing = False
        self.at_first: Callable[[], None] | None = None
        """What has to be done before all else, by whoever comes first when the server is there."""

    def write(self, work: Callable[[Tx], T]) -> T:
        """Run the work in one transaction and commit it durably; any error undoes it all.

        The work may be run several times, when the database gives it up in favour of another.
        After a CommitLost it may have been committed.
        """
        for _ in range(TRIES_MAX - 1):
            with contextlib.suppress(*_GIVEN_UP, *_NOT_PREPARED):
                return self._run(self._begin_write, work)
        try:
            return self._run(self._begin_write, work)
        except errors.UniqueViolation:
            raise  # nobody else's doing, so often: whoever called has to find the guilty one
        except _GIVEN_UP as error:
            reason = f"others write the same rows all the time ({first_line(error)})"
            raise DatabaseAway(f"PostgreSQL: {reason}; try again") from error

    def read(self, work: Callable[[Reader], T]) -> T:
        """Run the work on one snapshot, each of its queries within the time limit of a read."""
        try:
            with contextlib.suppress(*_NOT_PREPARED, CommitLost):
                return self._run(self._begin_read, work)
            return self._run(self._begin_read, work)
        except DatabaseAway as error:
            if isinstance(error.__cause__, errors.QueryCanceled):
                raise QueryTooSlow(f"a read was stopped after {self._read_limit_s:g} s") from error
            raise

    def close(self) -> None:
        """Close every connection."""
        with self._changing:
            for connection in self._connections.values():
                connection.close()
            self._connections.clear()
            self._local = threading.local()

    def _run(self, begin: Begin, work: Callable[[PostgresTx], T]) -> T:
        """Run the work in a transaction, and again if the connection breaks off before its end."""
        if self.at_first is not None:
            self._prepare()
        with contextlib.suppress(_BrokenOff):
            return self._once(begin, work)
        return self._once(begin, work)

    def _once(self, begin: Begin, work: Callable[[PostgresTx], T]) -> T:
        """Run the work in a transaction; what the driver raises is told in our words."""
        connection = self._connection()
        try:
            with _transaction(connection, begin) as pipeline:
                return work(PostgresTx(connection, pipeline))
        except _NOT_PREPARED:
            self._door.prepare_threshold = None
            connection.close()
            raise
        except errors.FeatureNotSupported as error:
            if error.diag.source_function != _PLAN_OUTLIVED:
                raise
            connection.close()  # what was prepared on it was made for other columns
            raise _BrokenOff(f"PostgreSQL: {first_line(error)}; try again") from error
        except _GIVEN_UP:
            raise
        except errors.InsufficientPrivilege as error:
            raise DatabaseRefused(f"PostgreSQL: {first_line(error)}; grant it") from error
        except _AWAY as error:
            kind = _BrokenOff if connection.closed else DatabaseAway
            connection.close()  # it may be of no use any more
            raise kind(f"PostgreSQL: {first_line(error)}; {_advice(error)}") from error

    def _prepare(self) -> None:
        """Do what has to be done first; others wait for it, unless the server is known to be away.

        Then they are told at once.
        """
        with self._first_in_turn():
            if self.at_first is None or self._is_preparing:
                return
            self._is_preparing = True
            try:
                self.at_first()
                self.at_first = None
            finally:
                self._is_preparing = False

    @contextlib.contextmanager
    def _first_in_turn(self) -> Iterator[None]:
        while not self._preparing.acquire(timeout=PREPARING_LOOK_S):
            if self._door.away:
                raise DatabaseAway(self._door.away)
        try:
            yield
        finally:
            self._preparing.release()

    def _connection(self) -> Connection:
        connection: Connection | None = getattr(self._local, "connection", None)
        if connection is None or connection.closed:
            connection = self._door.connect()
            self._local.connection = connection
            with self._changing:
                for thread in [each for each in self._connections if not each.is_alive()]:
                    self._connections.pop(thread).close()
                self._connections[threading.current_thread()] = connection
        return connection


@contextlib.contextmanager
def _transaction(connection: Connection, begin: Begin) -> Iterator[psycopg.Pipeline]:
    """Send what nobody waits for along with what is waited for next: the way there is the cost."""
    is_kept = False
    try:
        with connection.pipeline() as pipeline:
            try:
                for statement in begin:
                    connection.execute(statement)
                yield pipeline
                _commit(connection, pipeline)
                is_kept = True
            except BaseException as failure:
                _undo(connection, pipeline, failure)
                raise
    except psycopg.Error:
        if not is_kept:
            raise
        connection.close()  # it was lost after the commit was answered, which stands


def _undo(connection: Connection, pipeline: psycopg.Pipeline, failure: BaseException) -> None:
    """Roll back; the first failure is the one to tell, without its details, which quote the row."""
    if isinstance(failure, psycopg.Error):
        failure.args = (first_line(failure),)
    with contextlib.suppress(psycopg.Error):
        pipeline.sync()
    with contextlib.suppress(psycopg.Error):
        connection.rollback()


def _commit(connection: Connection, pipeline: psycopg.Pipeline) -> None:
    try:
        connection.execute("COMMIT")
        pipeline.sync()
    except psycopg.OperationalError as error:
        if not connection.closed:
            raise
        advice = "it may have been kept; try again, which keeps nothing twice"
        reason = f"the connection was lost at the commit ({first_line(error)})"
        raise CommitLost(f"PostgreSQL: {reason}; {advice}") from error


def _advice(error: psycopg.Error) -> str:
    return ADVICE_BY_STATE.get(error.sqlstate or "", SEE_IT_RUNS)


def _begin(statements: Begin, *limits_s: float) -> Begin:
    first, limits = statements
    return first, limits.format(*map(_ms, limits_s))


def _ms(seconds: float) -> int:
    return max(1, round(seconds * 1_000))
