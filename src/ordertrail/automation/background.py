"""Background work: named pieces, each done by one process at a time, whichever takes it.

A process takes a piece that is due under a lease. Every transaction of the piece holds the lease
anew, and is undone when it is another's by then; a process that was away for longer than its lease
writes nothing more, and one that died is followed by another within `LEASE_S` and `POLL_S`.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from ordertrail.actions import workspaces
from ordertrail.kit.database import Database, DatabaseAway, DatabaseRefused, Reader, Tx
from ordertrail.store import leases
from ordertrail.store.leases import Lease

T = TypeVar("T")

LEASE_S = 15.0
POLL_S = 2.0
WAIT_AFTER_FAILURE_S = 5.0

_log = logging.getLogger("ordertrail.background")


class LeaseLost(Exception):
    """The turn is over: another process has the piece, and this one writes nothing more of it."""


class Turn:
    """One process's turn at a piece: what it reads, and what it writes while the lease is its own.

    A piece that does other things than writing for longer than `LEASE_S` holds its lease between
    them by `hold`.
    """

    def __init__(
        self, database: Database, lease: Lease, lease_s: float, ending: threading.Event
    ) -> None:
        self._database = database
        self._lease_s = lease_s
        self._ending = ending
        self.lease = lease

    @property
    def is_ending(self) -> bool:
        """Whether the process was told to stop: what can wait for another turn should."""
        return self._ending.is_set()

    def read(self, work: Callable[[Reader], T]) -> T:
        """Run the work on one snapshot."""
        return self._database.read(work)

    def write(self, work: Callable[[Tx], T]) -> T:
        """Run the work in one transaction that is committed only if the lease is still held.

        Raises LeaseLost otherwise, before the work is run.
        """

        def fenced(tx: Tx) -> T:
            if not leases.keep(tx, self.lease, self._lease_s):
                raise LeaseLost(f"{self.lease.name}: turn {self.lease.turn} is over")
            return work(tx)

        return self._database.write(fenced)

    def hold(self) -> None:
        """Hold the lease for longer; raises LeaseLost."""
        self.write(lambda _: None)


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of work that is due `every_s` seconds; `work` returns how many things it did."""

    name: str
    every_s: float
    work: Callable[[Turn], int]


class Background:
    """Does the pieces that are due and that no other process holds, one after the other.

    The leases of all pieces are rows of the first workspace, which every installation has.
    """

    def __init__(
        self,
        database: Database,
        pieces: Sequence[Piece],
        holder: str,
        *,
        lease_s: float = LEASE_S,
        poll_s: float = POLL_S,
        failure_wait_s: float = WAIT_AFTER_FAILURE_S,
    ) -> None:
        self._database = database
        self._pieces = {piece.name: piece for piece in pieces}
        self._holder = holder
        self._lease_s = lease_s
        self._poll_s = poll_s
        self._failure_wait_s = failure_wait_s
        self._ending = threading.Event()
        self._is_known = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to work, in a thread."""
        self._thread = threading.Thread(target=self.run, name="background", daemon=True)
        self._thread.start()

    def tell_to_stop(self) -> None:
        """Let `run` return after the piece in hand."""
        self._ending.set()

    def stop(self) -> None:
        """Stop after the piece in hand; returns when the thread has ended."""
        self.tell_to_stop()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def run(self) -> None:
        """Work until told to stop; what goes wrong is logged, and tried again later."""
        wait_s = 0.0
        while not self._ending.wait(wait_s):
            try:
                wait_s = 0.0 if self.do_one() else self._poll_s
            except (DatabaseAway, DatabaseRefused) as error:
                _log.warning("background work waits: %s", error)
                wait_s = self._failure_wait_s
            except Exception as error:
                _log.error("background work failed", exc_info=error)
                wait_s = self._failure_wait_s

    def do_one(self) -> bool:
        """Do the piece that is due for the longest time; False when there is none to be had."""
        lease = self._database.write(self._take)
        self._is_known = True
        if lease is None:
            return False
        self._do(Turn(self._database, lease, self._lease_s, self._ending))
        return True

    def _take(self, tx: Tx) -> Lease | None:
        if not self._is_known:
            leases.add(tx, workspaces.DEFAULT_ID, self._pieces)
        return leases.take(tx, workspaces.DEFAULT_ID, self._pieces, self._holder, self._lease_s)

    def _do(self, turn: Turn) -> None:
        piece = self._pieces[turn.lease.name]
        try:
            done = piece.work(turn)
        except LeaseLost as error:
            _log.warning("another process has the work of this one: %s", error)
            return
        except (DatabaseAway, DatabaseRefused):
            raise
        except Exception as error:
            _log.error("background work %s failed", piece.name, exc_info=error)
            done = 0
        self._database.write(lambda tx: leases.give_back(tx, turn.lease, piece.every_s))
        level = logging.INFO if done else logging.DEBUG
        _log.log(level, "%s: turn %d did %d", piece.name, turn.lease.turn, done)
