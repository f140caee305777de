"""How long the journal and the log of requests are kept, and the partitions that hold them.

On PostgreSQL the journal lies in months and the log in days, of UTC. They are made ahead of time,
and dropped whole when their last moment is older than the set time. Whatever is in none of them,
because nobody made it in time or a clock was wrong, is in the net, found like anything else, and
is deleted in small steps. SQLite has one table for each; there the oldest rows of the journal are
deleted in small steps, and the log is trimmed elsewhere.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from itertools import pairwise
from typing import Protocol, TypeVar

from ordertrail.kit import clock
from ordertrail.kit.database import DatabaseAway, Dialect, Reader, Tx
from ordertrail.store import workspaces

T = TypeVar("T")

LOCK_WAIT_MS = 200
"""How long all readers and writers of a table may be held up for a change of its partitions."""

TRIES_MAX = 3
DELETE_ROWS_MAX = 500
DELETE_STEPS_MAX = 200
"""How many steps of so many rows one upkeep takes at most; the next one goes on."""

_LIST = (
    "SELECT CAST(p.relname AS text), CAST(CAST(c.oid AS regclass) AS text),"
    " pg_get_expr(c.relpartbound, c.oid)"
    " FROM pg_inherits i JOIN pg_class p ON p.oid = i.inhparent"
    " JOIN pg_class c ON c.oid = i.inhrelid"
    " WHERE p.oid IN (to_regclass('journal'), to_regclass('requests')) ORDER BY 1, 2"
)
_BOUNDS = re.compile(r"FROM \('(-?\d+)'\) TO \('(-?\d+)'\)")
_LOCK_WAIT = f"SELECT set_config('lock_timeout', '{LOCK_WAIT_MS}ms', true)"
_LOCK = "LOCK TABLE ONLY {} IN ACCESS EXCLUSIVE MODE"
_IN_NET = "SELECT 1 FROM {}_net WHERE at >= :start AND at < :end LIMIT 1"
_MAKE = "CREATE TABLE IF NOT EXISTS {} PARTITION OF {} FOR VALUES FROM ({}) TO ({})"
_DROP = "DROP TABLE IF EXISTS {}"
_DELETE = (
    "DELETE FROM {0} WHERE workspace_id = :workspace_id AND id IN"
    " (SELECT id FROM {0} WHERE workspace_id = :workspace_id AND at < :before"
    " ORDER BY id LIMIT :rows_max)"
    " RETURNING 1"
)


class Place(Protocol):
    """Where transactions are run: a database, or a turn at it under a lease."""

    def write(self, work: Callable[[Tx], T]) -> T:
        """Run the work in one write transaction."""
        ...

    def read(self, work: Callable[[Reader], T]) -> T:
        """Run the work on one snapshot."""
        ...


@dataclass(frozen=True, slots=True)
class Kept:
    """For how many days the log of requests and the journal are kept; None is for ever."""

    request_days: int | None = None
    journal_days: int | None = None


@dataclass(frozen=True, slots=True)
class Partition:
    """One part of a table: what happened from `start` until before `end`, in microseconds."""

    table: str
    name: str
    start: int
    end: int

    def overlaps(self, other: "Partition") -> bool:
        """Tell whether some moment is in both."""
        return self.table == other.table and self.start < other.end and other.start < self.end


@dataclass(slots=True)
class Done:
    """What an upkeep did; `left` is what others' locks prevented, or rows in the net."""

    made: list[str] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    deleted: int = 0
    left: list[str] = field(default_factory=list)


def _next_day(day: datetime) -> datetime:
    return day + timedelta(days=1)


def _next_month(month: datetime) -> datetime:
    return (month + timedelta(days=31)).replace(day=1)


@dataclass(frozen=True, slots=True)
class _Plan:
    """How a table is cut: how many parts are made ahead, and what they are called."""

    form: str
    next: Callable[[datetime], datetime]
    ahead: int

    def wanted(self, table: str, now: datetime) -> list[Partition]:
        start = now.replace(hour=0, minute=0, second=0, microsecond=0)
        starts = [start.replace(day=1) if self.next is _next_month else start]
        for _ in range(self.ahead + 1):
            starts.append(self.next(starts[-1]))
        return [
            Partition(
                table, f"{table}_{a.strftime(self.form)}", clock.to_micros(a), clock.to_micros(b)
            )
            for a, b in pairwise(starts)
        ]


PLANS = {
    "journal": _Plan("%Y_%m", _next_month, ahead=3),
    "requests": _Plan("%Y_%m_%d", _next_day, ahead=7),
}


def every(reader: Reader) -> list[Partition]:
    """Return the partitions that there are on PostgreSQL, besides the nets.

    One that another process drops meanwhile has no bounds any more.
    """
    found = [
        (table, name, _BOUNDS.search(bounds or "")) for table, name, bounds in reader.fetch(_LIST)
    ]
    return [
        Partition(table, name, *map(int, bounds.groups()))
        for table, name, bounds in found
        if bounds
    ]


def missing(there: Sequence[Partition], now: datetime) -> list[Partition]:
    """Return the partitions of the present and of the time ahead that are not there."""
    return [
        wanted
        for table, plan in PLANS.items()
        for wanted in plan.wanted(table, now)
        if not any(wanted.overlaps(each) for each in there)
    ]


def make_ahead(place: Place, dialect: Dialect, now: datetime) -> Done:
    """Make the partitions of the present and of the time ahead, where there are partitions."""
    work = _Work(place)
    if dialect is Dialect.POSTGRES:
        for wanted in missing(place.read(every), now):
            work.change(wanted, _make, work.done.made)
    return work.done


def upkeep(place: Place, dialect: Dialect, kept: Kept, now: datetime) -> Done:
    """Make what partitions are wanted, and let go of what is older than the set time.

    Each change is a transaction of its own that waits for a lock no longer than LOCK_WAIT_MS. What
    could not be done is left for the next time. Several may run at once.
    """
    work = _Work(place, make_ahead(place, dialect, now))
    for table, days in (("requests", kept.request_days), ("journal", kept.journal_days)):
        if days is None:
            continue
        before = clock.to_micros(now - timedelta(days=days))
        if dialect is Dialect.POSTGRES:
            for each in place.read(every):
                if each.table == table and each.end <= before:
                    work.change(each, _drop, work.done.dropped)
            work.delete(f"{table}_net", before)
        elif table == "journal":
            work.delete(table, before)
    return work.done


class _Work:
    """Changes in transactions of their own, and what came of them."""

    def __init__(self, place: Place, done: Done | None = None) -> None:
        self._place = place
        self._held: set[str] = set()
        self.done = done or Done()

    def change(
        self, partition: Partition, change: Callable[[Tx, Partition], bool], done: list[str]
    ) -> None:
        """Try a change a few times, unless others were found to hold the table all the while."""
        for _ in range(TRIES_MAX if partition.table not in self._held else 0):
            try:
                is_done = self._place.write(lambda tx: change(tx, partition))
            except DatabaseAway:
                continue
            (done if is_done else self.done.left).append(partition.name)
            return
        self._held.add(partition.table)
        self.done.left.append(partition.name)

    def delete(self, table: str, before: int) -> None:
        """Delete the oldest rows of each workspace in small steps."""
        steps = DELETE_STEPS_MAX
        for workspace in self._place.read(workspaces.every):
            gone = DELETE_ROWS_MAX
            while gone == DELETE_ROWS_MAX and steps:
                gone = self._place.write(partial(_delete, table, workspace.id, before))
                self.done.deleted += gone
                steps -= 1


def _make(tx: Tx, wanted: Partition) -> bool:
    """Make a partition, unless rows of its time are in the net."""
    tx.fetch(_LOCK_WAIT)
    tx.run(_LOCK.format(wanted.table))
    if tx.fetch(_IN_NET.format(wanted.table), start=wanted.start, end=wanted.end):
        return False
    tx.run(_MAKE.format(wanted.name, wanted.table, wanted.start, wanted.end))
    return True


def _drop(tx: Tx, old: Partition) -> bool:
    tx.fetch(_LOCK_WAIT)
    tx.run(_DROP.format(old.name))
    return True


def _delete(table: str, workspace_id: int, before: int, tx: Tx) -> int:
    found = tx.fetch(
        _DELETE.format(table), workspace_id=workspace_id, before=before, rows_max=DELETE_ROWS_MAX
    )
    return len(found)
