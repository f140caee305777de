"""A batch in one step of the database, against one step a row, beside a busy thread.

Each step of SQLite gives up the interpreter's lock, and must win it back from the thread that
answers HTTP. Both ways write the same rows: 32 deals with two lines, one durable commit.
"""

import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw
import msgspec

from bench.harness import Case, Contender, Figure, Measured

ROWS = 32
KEPT = 20_000

_TABLES = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
CREATE TABLE deals (id INTEGER NOT NULL PRIMARY KEY, custom_id TEXT UNIQUE, name TEXT,
    value INTEGER, stage INTEGER, attributes TEXT) STRICT;
CREATE TABLE lines (deal_id INTEGER, position INTEGER, sku TEXT, quantity INTEGER,
    PRIMARY KEY (deal_id, position)) STRICT, WITHOUT ROWID;
"""
_SET = "name = excluded.name, value = excluded.value, stage = excluded.stage"


class Writes:
    def __init__(self, folder: str, name: str) -> None:
        self.connection = apsw.Connection(str(Path(folder, f"{name}.db")))
        self.connection.execute(_TABLES).fetchall()
        self.write = getattr(self, name)

    def one_step(self, deals: list[list[Any]], lines: list[list[Any]]) -> None:
        execute = self.connection.execute
        execute(
            "INSERT INTO deals SELECT value->>0, value->>1, value->>2, value->>3, value->>4,"
            f" value->>5 FROM json_each(?) WHERE true ON CONFLICT (id) DO UPDATE SET {_SET}",
            (_json(deals),),
        )
        ids = _json([deal[0] for deal in deals])
        execute("DELETE FROM lines WHERE deal_id IN (SELECT value FROM json_each(?))", (ids,))
        execute(
            "INSERT INTO lines SELECT value->>0, value->>1, value->>2, value->>3 FROM json_each(?)",
            (_json(lines),),
        )

    def step_a_row(self, deals: list[list[Any]], lines: list[list[Any]]) -> None:
        many = self.connection.executemany
        many(
            f"INSERT INTO deals VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET {_SET}",
            deals,
        )
        many("DELETE FROM lines WHERE deal_id = ?", [(deal[0],) for deal in deals])
        many("INSERT INTO lines VALUES (?, ?, ?, ?)", lines)

    def measure(self, seconds: float) -> float:
        until, count = time.perf_counter() + seconds, 0
        started = time.perf_counter()
        while time.perf_counter() < until:
            ids = {(count * 7919 + place * 31) % KEPT for place in range(ROWS)}
            deals = [[i, f"ORD-{i}", f"Order #{i}", 14990, count % 3, "{}"] for i in ids]
            lines = [[i, position, f"SKU-{position}", 1] for i in ids for position in (0, 1)]
            self.connection.execute("BEGIN IMMEDIATE")
            self.write(deals, lines)
            self.connection.execute("COMMIT")
            count += 1
        return count * ROWS / (time.perf_counter() - started)


@contextmanager
def contenders(seconds: float) -> Iterator[Sequence[Contender]]:
    """Open a file for each way, at the server's own switch interval."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(0.0005)
    with tempfile.TemporaryDirectory() as folder:
        ours, rows = Writes(folder, "one_step"), Writes(folder, "step_a_row")
        yield (
            Contender("one step a batch", lambda: _measure(ours, seconds / 2)),
            Contender("a step a row", lambda: _measure(rows, seconds / 2), "one step a batch"),
        )
        ours.connection.close()
        rows.connection.close()
    sys.setswitchinterval(interval)


def _measure(writes: Writes, seconds: float) -> Measured:
    alone = writes.measure(seconds)
    resting = threading.Event()
    busy = threading.Thread(target=_burn, args=(resting,), daemon=True)
    busy.start()
    beside = writes.measure(seconds)
    resting.set()
    busy.join()
    return {"alone_per_s": alone, "beside_per_s": beside}


CASE = Case(
    {
        "alone_per_s": Figure("alone", "deals/s"),
        "beside_per_s": Figure("beside a busy thread", "deals/s"),
    },
    contenders,
)


def _burn(resting: threading.Event) -> None:
    while not resting.is_set():
        sum(range(200))


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
