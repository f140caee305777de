"""Twenty minutes of writes: what must not grow does not.

One server process on SQLite, 32 connections, 20,000 deals that change again and again, a million
requests and more. Each round is a minute; memory, the write-ahead log and the log of requests are
looked at when it ends, so that the lowest and the highest of the rounds tell of growth. The journal
grows, as it should: it is what one change adds to the database.
"""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import apsw

from bench.deals import started
from bench.harness import Case, Contender, Figure, Measured
from bench.orders import UPDATE_OR_CREATE, deal
from bench.servers import Ordertrail
from bench.usage import resident_mib

DEALS = 20_000
ROUNDS = 20
LOAD_PER_SECOND_ASKED = 12
"""So many times longer than other cases a turn is: a minute instead of five seconds."""


@dataclass
class Soak:
    """Changes of the same deals, over and over."""

    server: Ordertrail
    path: Path
    seconds: float
    changes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.changes = [
            self.server.request("POST", UPDATE_OR_CREATE, deal(number, stage))
            for stage in (1, 2)
            for number in range(DEALS)
        ]

    def measure(self) -> Measured:
        before = self.path.stat().st_size
        done = self.server.load(self.changes, self.seconds)
        sent = int(done["requests"]) % len(self.changes)
        self.changes = self.changes[sent:] + self.changes[:sent]  # the next round goes on from here
        grown = self.path.stat().st_size - before
        return {
            "per_s": done["requests_per_s"],
            "p99_ms": done["p99_ms"],
            "mib": resident_mib(self.server.process.pid),
            "wal_mib": self.path.with_name("bench.db-wal").stat().st_size / 2**20,
            "logged": self._logged(),
            "bytes": grown / done["requests"],
        }

    def _logged(self) -> int:
        connection = apsw.Connection(str(self.path), flags=apsw.SQLITE_OPEN_READONLY)
        rows = connection.execute("SELECT id FROM requests").fetchall()
        connection.close()
        return len(rows)


@contextmanager
def contenders(seconds: float) -> Iterator[Sequence[Contender]]:
    """Serve one database all the time."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        server = started(stack, Ordertrail(f"sqlite:///{folder}/bench.db"))
        server.add_contacts()
        soak = Soak(server, Path(folder, "bench.db"), seconds * LOAD_PER_SECOND_ASKED)
        yield [Contender("Ordertrail, SQLite", soak.measure)]


CASE = Case(
    {
        "per_s": Figure("over 32 connections", "deals/s"),
        "p99_ms": Figure("99th percentile of them", "ms"),
        "mib": Figure("memory of the server", "MiB"),
        "wal_mib": Figure("write-ahead log", "MiB"),
        "logged": Figure("log of requests", "rows"),
        "bytes": Figure("added by one request", "bytes"),
    },
    contenders,
    ROUNDS,
)
