"""SQLite through apsw: one writer, read-only readers with a time limit, a lock against a twin.

WAL with synchronous=FULL: a commit is on disk before anyone is told. Checkpoints run in the
background (`kit.checkpoint`), because inside a commit they cost its latency.
"""

import contextlib
import fcntl
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import apsw

from ordertrail.kit import json
from ordertrail.kit.database import (
    Asked,
    DatabaseAway,
    DatabaseRefused,
    Dialect,
    QueryTooSlow,
    Reader,
    Tx,
    Value,
)
from ordertrail.kit.drivers import bound
from ordertrail.kit.wording import worded

T = TypeVar("T")

BUSY_WAIT_MS = 5_000
BUSY_WAIT_OF_LOG_MS = 20
STEPS_BETWEEN_CLOCK_READS = 20_000
LOOK_LIMIT_S = 0.02
"""How long a look-up may hold up the thread that asks for it."""

CACHE_KIB = 65_536
"""How much of the file the writer keeps in memory."""

_SEE_FOLDER = "see that its folder is there and may be written"
_ADVICE = {
    apsw.BusyError: "another process is writing; stop that one, or try again",
    apsw.LockedError: "another process is writing; stop that one, or try again",
    apsw.FullError: "make room on the disk",
    apsw.IOError: "see that the disk is there and in order",
    apsw.CantOpenError: _SEE_FOLDER,
}
_AWAY = tuple(_ADVICE)
_BROKEN = (apsw.CorruptError, apsw.NotADBError, apsw.ReadOnlyError, apsw.PermissionsError)


class SqliteTx:
    """Statements on one connection; begun and ended by whoever made it."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._execute = connection.execute

    def ahead(self, *asked: Asked) -> None:
        """Do nothing: the database is in this very process."""

    def rows(self, query: str, **parameters: Value) -> list[list[Any]]:
        """Return the rows of a query that yields them as one JSON array of arrays."""
        text = self._execute(worded(query, Dialect.SQLITE), bound(parameters)).get
        return json.loads(text) if text else []

    def fetch(self, query: str, **parameters: Value) -> list[tuple[Any, ...]]:
        """Return the rows of a query, or of a statement with a RETURNING clause."""
        return self._execute(worded(query, Dialect.SQLITE), bound(parameters)).fetchall()

    def run(self, statement: str, **parameters: Value) -> None:
        """Carry out one statement that returns nothing."""
        self._execute(worded(statement, Dialect.SQLITE), bound(parameters))


class Sqlite:
    """One database file. Each thread gets a reading connection of its own; writers take turns."""

    dialect = Dialect.SQLITE

    def __init__(
        self, path: Path, read_limit_s: float = 10.0, *, cache_kib: int = CACHE_KIB
    ) -> None:
        self.path = path
        self._read_limit_s = read_limit_s
        self._cache_kib = cache_kib
        self._writer: apsw.Connection | None = None
        self._writing = threading.Lock()
        self._local = threading.local()
        self._readers: list[apsw.Connection] = []

    def write(self, work: Callable[[Tx], T]) -> T:
        """Run the work in one write transaction and commit it durably; any error undoes it all."""
        with self._writing:
            try:
                connection = self._writer = self._writer or _open_writer(self.path, self._cache_kib)
                connection.execute("BEGIN IMMEDIATE")
                try:
                    result = work(SqliteTx(connection))
                    connection.execute("COMMIT")
                except BaseException:
                    if connection.in_transaction:
                        connection.execute("ROLLBACK")
                    raise
            except (*_AWAY, *_BROKEN) as error:
                raise _translated(error, self.path) from error
            return result

    def read(self, work: Callable[[Reader], T]) -> T:
        """Run the work on one snapshot, within the time limit of a read."""
        return self._read(work, self._read_limit_s)

    def look(self, work: Callable[[Reader], T]) -> T:
        """Look a few rows up on one snapshot; raises QueryTooSlow when it takes long."""
        return self._read(work, LOOK_LIMIT_S)

    def _read(self, work: Callable[[Reader], T], limit_s: float) -> T:
        try:
            connection = self._reader()
            self._local.until = time.monotonic() + limit_s
            connection.execute("BEGIN")
            try:
                return work(SqliteTx(connection))
            finally:
                connection.execute("ROLLBACK")
        except apsw.InterruptError as error:
            raise QueryTooSlow(f"a read was stopped after {limit_s:g} s") from error
        except (*_AWAY, *_BROKEN) as error:
            raise _translated(error, self.path) from error

    def copy_to(self, path: Path) -> None:
        """Write what is committed into a new file."""
        try:
            connection = apsw.Connection(str(self.path), flags=apsw.SQLITE_OPEN_READONLY)
            try:
                connection.execute("VACUUM INTO ?", (str(path),))
            finally:
                connection.close()
        except (*_AWAY, *_BROKEN) as error:
            raise _translated(error, self.path) from error

    def empty_log(self) -> bool:
        """Empty the write-ahead log, so that it stays bounded; False when readers prevent it."""
        with self._writing:
            if self._writer is None:
                return True
            self._writer.set_busy_timeout(BUSY_WAIT_OF_LOG_MS)
            try:
                [(is_busy, _, _)] = self._writer.execute(
                    "PRAGMA wal_checkpoint(TRUNCATE)"
                ).fetchall()
            except apsw.BusyError:
                return False
            finally:
                self._writer.set_busy_timeout(BUSY_WAIT_MS)
            return not is_busy

    def close(self) -> None:
        """Close every connection; the last one folds the write-ahead log into the file."""
        for connection in self._readers:
            connection.close()
        self._readers.clear()
        self._local = threading.local()
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def _reader(self) -> apsw.Connection:
        connection: apsw.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = apsw.Connection(str(self.path), flags=apsw.SQLITE_OPEN_READONLY)
            connection.set_busy_timeout(BUSY_WAIT_MS)
            connection.execute("PRAGMA query_only = ON")
            local = self._local
            connection.set_progress_handler(
                lambda: time.monotonic() > local.until, STEPS_BETWEEN_CLOCK_READS
            )
            self._local.connection = connection
            self._readers.append(connection)
        return connection


class ServerLock:
    """Held by the one server process of a database file; released when the process ends."""

    def __init__(self, path: Path) -> None:
        real = path.resolve()
        self._path = real.with_name(real.name + ".lock")
        self._descriptor: int | None = None

    @property
    def is_held(self) -> bool:
        """Whether this process holds it, through this very object."""
        return self._descriptor is not None

    def take(self) -> None:
        """Take the lock, or raise DatabaseRefused naming the process that holds it."""
        if self._descriptor is not None:
            return
        _make_folder(self._path.parent)
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise DatabaseRefused(f"{self._path}: {error.strerror}; {_SEE_FOLDER}") from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 20).decode().partition(" ")[0] or "unknown"
            os.close(descriptor)
            raise DatabaseRefused(
                f"{self._path.name.removesuffix('.lock')} is served by another process"
                f" (pid {holder}); stop that one, or give this one a database of its own"
            ) from None
        os.ftruncate(descriptor, 0)
        os.write(descriptor, str(os.getpid()).encode())
        self._descriptor = descriptor

    def tell(self, address: str) -> None:
        """Write down where the holder can be reached, for whoever asks `address`."""
        if self._descriptor is not None:
            os.pwrite(self._descriptor, f"{os.getpid()} {address}".encode(), 0)

    def address(self) -> str:
        """Return where the holder can be reached; empty when nobody holds the lock."""
        try:
            with self._path.open() as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return self._path.read_text().partition(" ")[2]
        except OSError:
            return ""
        return ""

    def release(self) -> None:
        """Give the lock back."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _open_writer(path: Path, cache_kib: int) -> apsw.Connection:
    _make_folder(path.parent)
    with contextlib.suppress(OSError):  # what is wrong is told when SQLite opens the file
        path.touch(mode=0o600)
    connection = apsw.Connection(str(path))
    connection.set_busy_timeout(BUSY_WAIT_MS)
    connection.execute("PRAGMA journal_mode = WAL").fetchall()
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA wal_autocheckpoint = 0").fetchall()
    connection.execute(f"PRAGMA cache_size = -{cache_kib}")
    return connection


def _make_folder(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DatabaseRefused(f"{path}: {error.strerror}; {_SEE_FOLDER}") from None


def _translated(error: apsw.Error, path: Path) -> Exception:
    if isinstance(error, _BROKEN):
        return DatabaseRefused(f"{path}: {error}; restore it from a backup, or check its rights")
    advice = next(said for kind, said in _ADVICE.items() if isinstance(error, kind))
    return DatabaseAway(f"{path}: {error}; {advice}")
