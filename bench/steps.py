"""A batch in one step of the database, against one step a row, beside a busy thread.

Each step of SQLite gives up the interpreter's lock, and must win it back from the thread that
answers HTTP. Both ways write the same rows: 32 deals with two lines, one durable commit.
"""

import sys
import tempfile
import threading
import time
from pathlib import Path

import apsw
import msgspec

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


class Case:
    def __init__(self, folder: str, name: str) -> None:
        self.connection = apsw.Connection(str(Path(folder, f"{name}.db")))
        self.connection.execute(_TABLES).fetchall()
        self.write = getattr(self, name)

    def one_step(self, deals: list, lines: list) -> None:
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

    def step_a_row(self, deals: list, lines: list) -> None:
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


def run(seconds: float) -> dict:
    """Measure both ways in turn, alone and beside a thread that never rests."""
    found: dict[str, dict[str, float]] = {"alone": {}, "beside a busy thread": {}}
    interval = sys.getswitchinterval()
    sys.setswitchinterval(0.0005)
    with tempfile.TemporaryDirectory() as folder:
        cases = {name: Case(folder, name) for name in ("one_step", "step_a_row")}
        for setting, results in found.items():
            resting = threading.Event()
            busy = threading.Thread(target=lambda r=resting: _burn(r), daemon=True)
            if setting != "alone":
                busy.start()
            for name, case in cases.items():
                results[name] = case.measure(seconds / 2)
            resting.set()
            if setting != "alone":
                busy.join()
        for case in cases.values():
            case.connection.close()
    sys.setswitchinterval(interval)
    return found


def lines(found: dict) -> list[str]:
    return [
        f"{setting:22} one step {each['one_step']:8,.0f} deals/s   a step a row"
        f" {each['step_a_row']:8,.0f} deals/s   ratio {each['one_step'] / each['step_a_row']:.1f}"
        for setting, each in found.items()
    ]


def _burn(resting: threading.Event) -> None:
    while not resting.is_set():
        sum(range(200))


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
