"""A durable call of the tracker, beside a bare commit of SQLite and queues in memory.

Each order is a new one of a known contact, two lines, accepted and planned in one commit. The bare
commit writes one row into a file of its own with the same settings, in turn with the calls.
"""

import json
import subprocess
import tempfile
import time
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import apsw

from ordertrail import Customer, Line, Order, Tracker

PEERS = Path(__file__).parent / "peers" / "enqueue.py"
PYTHON_OF_PEERS = Path(".venv/peers/bin/python")
PEER_CALLS = 5_000
WARM_UP = 200
AT = datetime(2026, 3, 1, tzinfo=UTC)


def run(seconds: float) -> dict:
    """Measure calls and bare commits in turn, then each client that queues in memory."""
    with tempfile.TemporaryDirectory() as folder:
        bare = _Bare(Path(folder, "bare.db"))
        tracker = Tracker(
            "http://127.0.0.1:9", "k" * 64, outbox=Path(folder, "outbox"), deliver=False
        )
        with tracker:
            taken = _in_turn(seconds, tracker, bare)
        bare.connection.close()
    found: dict = {name: _percentiles(each[WARM_UP:]) for name, each in taken.items()}
    for peer in ("posthog", "segment"):
        found[peer] = _peer(peer)
    return found


def lines(found: dict) -> list[str]:
    bare = found["bare commit"]
    shown = []
    for name in ("placed", "fulfilled"):
        each = found[name]
        ratios = [each[key] / bare[key] for key in ("p50_us", "p99_us")]
        shown.append(
            f"{name:10} p50 {each['p50_us']:7,.0f} us   p99 {each['p99_us']:7,.0f} us"
            f"   bare commit {bare['p50_us']:6,.0f} and {bare['p99_us']:7,.0f} us"
            f"   ratio {ratios[0]:.1f} and {ratios[1]:.1f}"
        )
    for peer in ("posthog", "segment"):
        each = found[peer]
        shown.append(
            f"{peer:10} p50 {each['p50_us']:7,.0f} us   p99 {each['p99_us']:7,.0f} us"
            f"   in memory; placed / {peer}: {found['placed']['p50_us'] / each['p50_us']:.1f}"
            if each
            else f"{peer:10} not installed"
        )
    return shown


class _Bare:
    def __init__(self, path: Path) -> None:
        self.connection = apsw.Connection(str(path))
        self.connection.execute(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0;"
            " CREATE TABLE orders (id TEXT PRIMARY KEY, body TEXT) STRICT"
        ).fetchall()

    def commit(self, number: int) -> None:
        self.connection.execute("BEGIN IMMEDIATE")
        self.connection.execute("INSERT INTO orders VALUES (?, ?)", (f"O{number}", "x" * 400))
        self.connection.execute("COMMIT")


def _in_turn(seconds: float, tracker: Tracker, bare: _Bare) -> dict[str, list[float]]:
    taken: dict[str, list[float]] = {"bare commit": [], "placed": [], "fulfilled": []}
    until, number = time.perf_counter() + seconds, 0
    while time.perf_counter() < until or number < 2 * WARM_UP:
        order = _order(number)
        taken["bare commit"].append(_time(lambda n=number: bare.commit(n)))
        taken["placed"].append(_time(lambda o=order: tracker.placed(o)))
        taken["fulfilled"].append(_time(lambda o=order: tracker.fulfilled(o.id, at=AT)))
        number += 1
    return taken


def _time(work: object) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _order(number: int) -> Order:
    ordered = (Line("SKU-1", 1, Decimal("19.90"), "Cup"), Line("SKU-2", 2, Decimal("2.50"), "Tea"))
    return Order(f"ORD-{number}", Customer(f"c{number % 100}@example.com"), AT, "EUR", ordered)


def _percentiles(taken: list[float]) -> dict[str, float]:
    ordered = sorted(taken)
    return {
        "p50_us": ordered[len(ordered) // 2] * 1e6,
        "p99_us": ordered[int(len(ordered) * 0.99)] * 1e6,
        "calls": len(ordered),
    }


def _peer(name: str) -> dict[str, float] | None:
    if not PYTHON_OF_PEERS.exists():
        return None
    command = [str(PYTHON_OF_PEERS), str(PEERS), name, str(PEER_CALLS)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    return json.loads(done.stdout) if done.returncode == 0 else None
