"""A disk that fails: the real database, with a step before every statement and around commits."""

import random
from collections.abc import Callable
from typing import Any, TypeVar

from ordertrail.kit.database import DatabaseAway, Dialect, Reader, Tx, Value
from ordertrail.kit.sqlite import Sqlite
from simulation.faults import CALM, Faults
from simulation.process import Process

T = TypeVar("T")
SHOWN_CHARS = 60


class Disk:
    """What all processes of a machine share: its faults, and whether it is full."""

    def __init__(self, chance: random.Random, now: Callable[[], float]) -> None:
        self.faults: Faults = CALM
        self._chance = chance
        self._now = now
        self._full_until = 0.0

    def fill(self, seconds: float) -> None:
        """Let every write fail for so long."""
        self._full_until = self._now() + seconds

    def calm(self) -> None:
        """End everything that lasts."""
        self.faults = CALM
        self._full_until = 0.0

    def check_write(self) -> None:
        if self._now() < self._full_until:
            raise DatabaseAway("the disk is full; make room on the disk")

    def check(self) -> None:
        """Fail now and then, whatever the statement."""
        if self._chance.random() < self.faults.statement_fails:
            raise DatabaseAway("the disk does not answer; see that it is in order")

    def check_committed(self) -> None:
        """Lose the news of a commit now and then, as a connection does that breaks."""
        if self._chance.random() < self.faults.commit_unknown:
            raise DatabaseAway("the connection broke at the commit; it may be done or not")


class SteppingTx:
    """Statements of one process; it may be killed before each of them."""

    def __init__(self, inner: Tx, process: Process, disk: Disk) -> None:
        self._inner = inner
        self._process = process
        self._disk = disk

    def rows(self, query: str, **parameters: Value) -> list[list[Any]]:
        self._step(query)
        return self._inner.rows(query, **parameters)

    def fetch(self, query: str, **parameters: Value) -> list[tuple[Any, ...]]:
        self._step(query)
        if not query.startswith("SELECT"):
            self._disk.check_write()
        return self._inner.fetch(query, **parameters)

    def run(self, statement: str, **parameters: Value) -> None:
        self._step(statement)
        self._disk.check_write()
        self._inner.run(statement, **parameters)

    def _step(self, statement: str) -> None:
        self._process.step(statement[:SHOWN_CHARS])
        self._disk.check()


class SteppingDatabase:
    """The database as one process sees it."""

    def __init__(self, inner: Sqlite, process: Process, disk: Disk) -> None:
        self._inner = inner
        self._process = process
        self._disk = disk

    @property
    def dialect(self) -> Dialect:
        return self._inner.dialect

    def close(self) -> None:
        self._inner.close()

    def write(self, work: Callable[[Tx], T]) -> T:
        self._process.step("BEGIN")
        result = self._inner.write(lambda tx: self._worked(tx, work))
        self._process.step("COMMITTED")
        self._disk.check_committed()
        return result

    def read(self, work: Callable[[Reader], T]) -> T:
        self._process.step("READ")
        return self._inner.read(lambda tx: work(self._stepping(tx)))

    def _worked(self, tx: Tx, work: Callable[[Tx], T]) -> T:
        result = work(self._stepping(tx))
        self._process.step("COMMIT")
        return result

    def _stepping(self, tx: Any) -> SteppingTx:
        return SteppingTx(tx, self._process, self._disk)
