"""The one write path: every write that waits joins one transaction, answered after its commit.

The committer takes what waits and never sleeps to fill a batch, so a lone writer pays nothing
for the grouping. A batch touches one workspace. When it fails in the database, its commands run
again one by one, so that only the guilty one fails; when the database itself is away, nobody is
guilty and all of them are told.
"""

import asyncio
import itertools
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar

from ordertrail.kit.clock import Clock, utc_now
from ordertrail.kit.database import CommitLost, Database, DatabaseAway, DatabaseRefused, Tx
from ordertrail.kit.histogram import Histogram

C = TypeVar("C")
R = TypeVar("R")

RIDERS_WAIT_S = 1.0
LOST_WAIT_S = 60.0
"""How long the outcome of a lost commit is looked for."""

LOST_PAUSE_S = 0.2
BATCH_SIZE_BOUNDS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
DURATION_BOUNDS_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)


class QueueFull(Exception):
    """More writes wait than the committer accepts; ask again after `retry_after_s`."""

    retry_after_s = 1.0


class Closed(Exception):
    """The committer is shutting down and takes nothing more."""


@dataclass(frozen=True, slots=True)
class Batch(Generic[C]):
    """Commands of one workspace, decided together at one moment."""

    workspace_id: int
    at: datetime
    commands: Sequence[C]


def weight(command: object) -> int:
    """Return how many things a command touches: what it says by its `weight`, else one."""
    said: int = getattr(command, "weight", 1)
    return said


Action = Callable[[Tx, Batch[Any]], Sequence[Any]]
"""Decides a batch: one outcome per command; a refused command's outcome is an exception."""


class Claims(Protocol):
    """What a committer shares with those of other processes."""

    def claim(self, tx: Tx, workspace_id: int, name: str, ticket: int, at: datetime) -> None:
        """Wait until nobody else writes into a workspace, and note a transaction's ticket."""
        ...

    def is_kept(self, tx: Tx, workspace_id: int, name: str, ticket: int) -> bool:
        """Tell whether the transaction with a ticket was committed."""
        ...


@dataclass(slots=True)
class _Work:
    action: Action
    commands: Sequence[Any]
    answer: Callable[[list[Any]], None] | None
    loop: asyncio.AbstractEventLoop | None = None
    outcomes: list[Any] = field(default_factory=list)

    @property
    def weight(self) -> int:
        return sum(map(weight, self.commands))


@dataclass(slots=True)
class _Lane:
    """What waits for one workspace; the oldest rider waits since `riding_since`."""

    works: deque[_Work] = field(default_factory=deque)
    riders: deque[_Work] = field(default_factory=deque)
    riding_since: float = 0.0


class Committer:
    """A thread that commits what waits; bounded by `waiting_max` commands.

    A batch weighs `batch_max` at most, unless what one caller handed over weighs more by itself.
    """

    def __init__(
        self,
        database: Database,
        *,
        clock: Clock = utc_now,
        batch_max: int = 500,
        waiting_max: int = 5_000,
        riders_max: int = 5_000,
        riders_wait_s: float = RIDERS_WAIT_S,
        claims: Claims | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._batch_max = batch_max
        self._waiting_max = waiting_max
        self._riders_max = riders_max
        self._riders_wait_s = riders_wait_s
        self._claims = claims
        self._name = secrets.token_hex(8)
        self._tickets = itertools.count(1)
        self._changed = threading.Condition()
        self._lanes: dict[int, _Lane] = {}
        self._waiting = 0
        self._riding = 0
        self._is_closed = False
        self.batch_sizes = Histogram(BATCH_SIZE_BOUNDS)
        self.durations_s = Histogram(DURATION_BOUNDS_S)
        self._thread = threading.Thread(target=self._run, name="committer", daemon=True)

    @property
    def waiting(self) -> int:
        """How many commands wait for a commit."""
        return self._waiting

    def start(self) -> None:
        """Begin to commit."""
        self._thread.start()

    def close(self) -> None:
        """Take nothing more, finish what was accepted, and return when all of it is on disk."""
        with self._changed:
            self._is_closed = True
            self._changed.notify()
        self._thread.join()

    async def commit(
        self,
        workspace_id: int,
        action: Callable[[Tx, Batch[C]], Sequence[R]],
        commands: Sequence[C],
    ) -> list[R]:
        """Return the outcomes once they are on disk; a caller that goes away cancels nothing.

        Raises QueueFull or Closed at once, before anything was accepted.
        """
        if not commands:
            return []
        loop = asyncio.get_running_loop()
        future: asyncio.Future[list[R]] = loop.create_future()

        def answer(outcomes: list[R]) -> None:
            if not future.done():
                future.set_result(outcomes)

        self._accept(workspace_id, _Work(action, commands, answer, loop))
        return await future

    def commit_and_wait(
        self,
        workspace_id: int,
        action: Callable[[Tx, Batch[C]], Sequence[R]],
        commands: Sequence[C],
    ) -> list[R]:
        """Do as `commit` does, for a caller without an event loop."""
        if not commands:
            return []
        future: Future[list[R]] = Future()
        self._accept(workspace_id, _Work(action, commands, future.set_result))
        return future.result()

    def ride(
        self, workspace_id: int, action: Callable[[Tx, Batch[C]], Sequence[Any]], command: C
    ) -> bool:
        """Let a command join the next batch of its workspace, or one of its own within a second.

        For records that nobody waits for; returns False when too many ride already.
        """
        with self._changed:
            if self._is_closed or self._riding >= self._riders_max:
                return False
            self._riding += 1
            lane = self._lanes.setdefault(workspace_id, _Lane())
            if not lane.riders:
                lane.riding_since = time.monotonic()
            lane.riders.append(_Work(action, (command,), None))
        return True

    def _accept(self, workspace_id: int, work: _Work) -> None:
        with self._changed:
            if self._is_closed:
                raise Closed("the server is shutting down")
            if self._waiting and self._waiting + len(work.commands) > self._waiting_max:
                raise QueueFull("too many writes are waiting")
            self._waiting += len(work.commands)
            self._lanes.setdefault(workspace_id, _Lane()).works.append(work)
            self._changed.notify()

    def _run(self) -> None:
        while (taken := self._take()) is not None:
            workspace_id, works = taken
            if works:
                started = time.perf_counter()
                self._commit(workspace_id, works, takes_more=self._claims is not None)
                self._count(works, time.perf_counter() - started)
                _answer(works)

    def _count(self, works: list[_Work], duration_s: float) -> None:
        """Count the batch, unless it held riders alone."""
        size = sum(len(work.commands) for work in works if work.answer is not None)
        if size:
            self.batch_sizes.add(size)
            self.durations_s.add(duration_s)

    def _take(self) -> tuple[int, list[_Work]] | None:
        """Wait for work; None when closed and everything accepted is done."""
        with self._changed:
            if not self._waiting and not self._is_closed:
                self._changed.wait(self._riders_wait_s)
            if not self._lanes:
                return None if self._is_closed else (0, [])
            workspace_id = self._next()
            return workspace_id, self._part(workspace_id)

    def _next(self) -> int:
        """The workspace whose turn it is: riders alone make a batch when they have waited."""
        overdue = time.monotonic() - self._riders_wait_s
        for workspace_id, lane in self._lanes.items():
            if lane.works or lane.riding_since < overdue:
                return workspace_id
        return next(iter(self._lanes))

    def _part(self, workspace_id: int, size: int = 0) -> list[_Work]:
        """Take what waits for a workspace, as much as fits into a batch of that size already."""
        lane = self._lanes.pop(workspace_id, _Lane())
        works: list[_Work] = []
        while lane.works and (not size or size + lane.works[0].weight <= self._batch_max):
            works.append(lane.works.popleft())
            size += works[-1].weight
            self._waiting -= len(works[-1].commands)
        while lane.riders and size < 2 * self._batch_max:
            works.append(lane.riders.popleft())
            self._riding -= 1
            size += 1
        if lane.works or lane.riders:
            self._lanes[workspace_id] = lane
        return works

    def _commit(self, workspace_id: int, works: list[_Work], *, takes_more: bool = False) -> None:
        """Run the works in one transaction, and with `takes_more` what comes while it waits."""
        ticket = next(self._tickets)

        def work(tx: Tx) -> None:
            if self._claims is not None and workspace_id:
                self._claims.claim(tx, workspace_id, self._name, ticket, self._clock())
            if takes_more:
                with self._changed:
                    works.extend(self._part(workspace_id, sum(each.weight for each in works)))
            self._decide(tx, workspace_id, works)

        try:
            self._database.write(work)
        except CommitLost as error:
            self._settle_lost(workspace_id, works, ticket, error)
        except (DatabaseAway, DatabaseRefused) as error:
            _fail(works, error)
        except Exception as error:
            if len(works) == 1 and len(works[0].commands) == 1:
                works[0].outcomes = [error]
            else:
                self._commit_one_by_one(workspace_id, works)

    def _commit_one_by_one(self, workspace_id: int, works: list[_Work]) -> None:
        riders = [work for work in works if work.answer is None]
        if 1 < len(riders) < len(works):
            self._commit(workspace_id, riders)
            works = [work for work in works if work.answer is not None]
        away: Exception | None = None
        for work in works:
            outcomes: list[Any] = []
            for command in work.commands:
                alone = _Work(work.action, (command,), None, outcomes=[away])
                if away is None:
                    self._commit(workspace_id, [alone])
                outcomes += alone.outcomes
                if isinstance(outcomes[-1], DatabaseAway | DatabaseRefused):
                    away = outcomes[-1]  # nobody is guilty, and the rest need not try
            work.outcomes = outcomes

    def _settle_lost(
        self, workspace_id: int, works: list[_Work], ticket: int, error: CommitLost
    ) -> None:
        """Let the outcomes stand if the commit whose answer was lost was carried out."""
        try:
            if not self._is_kept(workspace_id, ticket):
                _fail(works, error)
        except Exception as failure:
            _fail(works, failure)

    def _is_kept(self, workspace_id: int, ticket: int) -> bool:
        """Look up what became of a commit, once the database is back.

        False when it stays away: nobody can tell then. Meanwhile all others are turned away.
        """
        claims, until = self._claims, time.monotonic() + LOST_WAIT_S
        while claims is not None and time.monotonic() < until:
            try:
                return self._database.write(
                    lambda tx: claims.is_kept(tx, workspace_id, self._name, ticket)
                )
            except (DatabaseAway, DatabaseRefused) as error:
                self._turn_away(error)
                time.sleep(LOST_PAUSE_S)
        return False

    def _turn_away(self, error: Exception) -> None:
        """Tell those who wait that the database is away; nothing of theirs was begun."""
        with self._changed:
            works = [work for lane in self._lanes.values() for work in lane.works]
            for lane in self._lanes.values():
                lane.works.clear()
            self._lanes = {number: lane for number, lane in self._lanes.items() if lane.riders}
            self._waiting = 0
        _fail(works, error)
        _answer(works)

    def _decide(self, tx: Tx, workspace_id: int, works: list[_Work]) -> None:
        at = self._clock()
        groups: dict[Action, list[_Work]] = {}
        for work in works:
            groups.setdefault(work.action, []).append(work)
        for action, members in groups.items():
            commands = [command for work in members for command in work.commands]
            outcomes = action(tx, Batch(workspace_id, at, commands))
            start = 0
            for work in members:
                work.outcomes = list(outcomes[start : start + len(work.commands)])
                start += len(work.commands)


def _fail(works: list[_Work], error: Exception) -> None:
    for work in works:
        work.outcomes = [error] * len(work.commands)


def _answer(works: list[_Work]) -> None:
    """Tell everyone, with one wake-up per event loop and not one per command."""
    by_loop: dict[asyncio.AbstractEventLoop, list[_Work]] = {}
    for work in works:
        if work.answer is None:
            continue
        if work.loop is None:
            work.answer(work.outcomes)
        else:
            by_loop.setdefault(work.loop, []).append(work)
    for loop, members in by_loop.items():
        if not loop.is_closed():
            loop.call_soon_threadsafe(_answer_all, members)


def _answer_all(works: list[_Work]) -> None:
    for work in works:
        if work.answer is not None:
            work.answer(work.outcomes)
