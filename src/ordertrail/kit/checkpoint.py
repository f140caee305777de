"""Keeps SQLite's write-ahead log small without costing a commit its latency."""

import logging
import threading
from pathlib import Path

import apsw

from ordertrail.kit.database import DatabaseAway, DatabaseRefused
from ordertrail.kit.sqlite import Sqlite

FOLD_ABOVE_BYTES = 4 << 20
EMPTY_ABOVE_BYTES = 32 << 20
WAIT_S = 0.2
WAIT_AFTER_FAILURE_S = 2.0

_log = logging.getLogger("ordertrail.checkpoint")


class Checkpointer:
    """A thread that folds the log into the file when it has grown, and bounds its size."""

    def __init__(self, database: Sqlite) -> None:
        self._database = database
        self._log = Path(f"{database.path}-wal")
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to watch the log, also after it was stopped."""
        self._stop.clear()
        self._thread = threading.Thread(target=self._run, name="checkpoint", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop watching; returns when the thread has ended."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _run(self) -> None:
        wait_s = WAIT_S
        while not self._stop.wait(wait_s):
            wait_s = WAIT_S
            try:
                is_done = self._tend()
            except (apsw.Error, OSError, DatabaseAway, DatabaseRefused) as error:
                _log.error("the write-ahead log cannot be folded: %s", error)
                is_done = False
            if not is_done:
                wait_s = WAIT_AFTER_FAILURE_S

    def _tend(self) -> bool:
        """Do what the log's size asks for; False when somebody was in the way."""
        size = self._size()
        if size > FOLD_ABOVE_BYTES:
            fold(self._database.path)
        return size <= EMPTY_ABOVE_BYTES or self._database.empty_log()

    def _size(self) -> int:
        try:
            return self._log.stat().st_size
        except FileNotFoundError:
            return 0


def fold(path: Path) -> None:
    """Copy what readers no longer need from the log into the file, without waiting for anyone."""
    connection = apsw.Connection(str(path))
    try:
        connection.execute("PRAGMA wal_autocheckpoint = 0").fetchall()
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
    except (apsw.BusyError, apsw.LockedError):
        return
    finally:
        connection.close()
