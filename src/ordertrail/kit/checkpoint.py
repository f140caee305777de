"""Keeps SQLite's write-ahead log small without costing a commit its latency."""

import threading
from pathlib import Path

import apsw

from ordertrail.kit.sqlite import Sqlite

FOLD_ABOVE_BYTES = 4 << 20
RESTART_ABOVE_BYTES = 32 << 20
WAIT_S = 0.2


class Checkpointer:
    """A thread that folds the log into the file when it has grown, and bounds its size."""

    def __init__(self, database: Sqlite) -> None:
        self._database = database
        self._log = Path(f"{database.path}-wal")
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="checkpoint", daemon=True)

    def start(self) -> None:
        """Begin to watch the log."""
        self._thread.start()

    def stop(self) -> None:
        """Stop watching; returns when the thread has ended."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        connection = apsw.Connection(str(self._database.path))
        connection.execute("PRAGMA wal_autocheckpoint = 0").fetchall()
        while not self._stop.wait(WAIT_S):
            size = self._log.stat().st_size if self._log.exists() else 0
            if size > FOLD_ABOVE_BYTES:
                fold(connection)
            if size > RESTART_ABOVE_BYTES:
                self._database.restart_log()
        connection.close()


def fold(connection: apsw.Connection) -> None:
    """Copy what readers no longer need from the log into the file, without waiting for anyone."""
    try:
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
    except (apsw.BusyError, apsw.LockedError):
        return
