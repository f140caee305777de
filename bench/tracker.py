"""A durable call of the tracker, beside a bare commit of SQLite and queues in memory.

Each order is a new one of a known contact, two lines, accepted and planned in one commit. The bare
commit writes one row into a file of its own with the same settings.
"""

import json
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from itertools import count
from pathlib import Path

import apsw

from bench.harness import Case, Contender, Figure, Measured, percentile
from bench.servers import PEERS
from ordertrail import Customer, Line, Order, Tracker

ENQUEUE = Path(__file__).parent / "peers" / "enqueue.py"
PEER_CALLS = 5_000
WARM_UP = 200
AT = datetime(2026, 3, 1, tzinfo=UTC)


@contextmanager
def contenders(seconds: float) -> Iterator[Sequence[Contender]]:
    """Open an outbox and a file of bare commits; a turn of each is many calls."""
    with tempfile.TemporaryDirectory() as folder:
        bare = _Bare(Path(folder, "bare.db"))
        tracker = Tracker(
            "http://127.0.0.1:9", "k" * 64, outbox=Path(folder, "outbox"), deliver=False
        )
        with tracker:
            orders = _Orders(tracker, seconds / 3)
            yield (
                Contender("placed", orders.placed),
                Contender("fulfilled", orders.fulfilled, beside="placed"),
                Contender("limit: bare commit", partial(bare.measure, seconds / 3), "placed"),
                *(
                    Contender(f"{peer}, in memory", partial(_peer, peer), beside="placed")
                    for peer in ("posthog", "segment")
                    if PEERS.exists()
                ),
            )
        bare.connection.close()


class _Bare:
    def __init__(self, path: Path) -> None:
        self.number = 0
        self.connection = apsw.Connection(str(path))
        self.connection.execute(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0;"
            " CREATE TABLE orders (id TEXT PRIMARY KEY, body TEXT) STRICT"
        ).fetchall()

    def measure(self, seconds: float) -> Measured:
        return _timed(self._commit, count(self.number), seconds)

    def _commit(self, number: int) -> None:
        self.number = number + 1
        self.connection.execute("BEGIN IMMEDIATE")
        self.connection.execute("INSERT INTO orders VALUES (?, ?)", (f"O{number}", "x" * 400))
        self.connection.execute("COMMIT")


@dataclass
class _Orders:
    """Orders that are placed in one turn and fulfilled in the next."""

    tracker: Tracker
    seconds: float
    number: int = 0
    waiting: list[int] = field(default_factory=list)

    def placed(self) -> Measured:
        first = self.number
        measured = _timed(self._place, count(first), self.seconds)
        self.waiting = list(range(first, self.number))
        return measured

    def fulfilled(self) -> Measured:
        return _timed(self._fulfil, iter(self.waiting), self.seconds)

    def _place(self, number: int) -> None:
        self.number = number + 1
        self.tracker.placed(_order(number))

    def _fulfil(self, number: int) -> None:
        self.tracker.fulfilled(f"ORD-{number}", at=AT)


def _timed(work: Callable[[int], None], numbers: Iterator[int], seconds: float) -> Measured:
    """Call it for so long, and return what a call takes when it is warm."""
    until, taken = time.perf_counter() + seconds, []
    for number in numbers:
        started = time.perf_counter()
        work(number)
        ended = time.perf_counter()
        taken.append((ended - started) * 1e6)
        if ended > until and len(taken) > 2 * WARM_UP:
            break
    warm = taken[WARM_UP:]
    return {"p50_us": percentile(warm, 0.5), "p99_us": percentile(warm, 0.99)}


def _order(number: int) -> Order:
    ordered = (Line("SKU-1", 1, Decimal("19.90"), "Cup"), Line("SKU-2", 2, Decimal("2.50"), "Tea"))
    return Order(f"ORD-{number}", Customer(f"c{number % 100}@example.com"), AT, "EUR", ordered)


def _peer(name: str) -> Measured:
    command = [str(PEERS), str(ENQUEUE), name, str(PEER_CALLS)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


CASE = Case(
    {"p50_us": Figure("a call, median", "us"), "p99_us": Figure("99th percentile", "us")},
    contenders,
)
