"""Deals by the hundred: batches of 500 new deals with two lines each, over HTTP.

One server process on each database. The limit of PostgreSQL is the same rows by COPY into a
staging table and one merge a batch, over one connection and without HTTP or JSON.
"""

import json
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import psycopg

from bench.deals import POSTGRESQL, SQLITE, serving
from bench.harness import Case, Contender, Figure, Measured
from bench.limits import STAGING, TABLES, Rows, copied, rows_of
from bench.orders import UPDATE_OR_CREATE, deal
from bench.postgres import Postgres, running
from bench.servers import Ordertrail

SIZE = 500
BATCHES = 40
"""So many are sent in a turn, however long that takes."""


@dataclass
class Batches:
    """Batches to one server; every deal is new, and none is sent twice."""

    server: Ordertrail
    database_pid: int | None = None
    first: int = field(default=0)

    def measure(self, senders: int) -> Measured:
        sent = [self._batch() for _ in range(BATCHES)]
        before = self.server.cpu_s(self.database_pid)
        done = self.server.load(sent, 0, connections=senders)
        used = self.server.cpu_s(self.database_pid) - before
        self._check()
        return {
            "per_s": done["requests_per_s"] * SIZE,
            "p50_ms": done["p50_ms"],
            "cpu_us": used * 1e6 / (BATCHES * SIZE),
        }

    def _batch(self) -> str:
        numbers = range(self.first, self.first + SIZE)
        self.first += SIZE
        operations = [
            {"method": "POST", "path": UPDATE_OR_CREATE, "body": deal(number, 1)}
            for number in numbers
        ]
        return self.server.request("POST", "/api/ordertrail/v1/batch/", {"operations": operations})

    def _check(self) -> None:
        """See that the last deal has the number that says that all others are there too."""
        told = json.loads(self.server.get(f"/api/public/deals/{self.first}/"))
        assert len(told["order_products"]) == 2


@dataclass
class Copies:
    """The same rows into PostgreSQL, by COPY and a merge."""

    connection: psycopg.Connection
    first: int = field(default=0)

    def measure(self) -> Measured:
        batches = [self._rows() for _ in range(BATCHES)]
        started_s = time.perf_counter()
        for rows in batches:
            copied(self.connection, rows)
        return {"per_s": BATCHES * SIZE / (time.perf_counter() - started_s)}

    def _rows(self) -> Rows:
        self.first += SIZE
        return rows_of(range(self.first, self.first + SIZE))


@contextmanager
def contenders(_seconds: float) -> Iterator[Sequence[Contender]]:
    """Send to a server on each database, by one sender and by several; and copy."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        found = list(_ours(SQLITE, Batches(serving(stack, f"sqlite:///{folder}/bench.db"))))
        postgres = stack.enter_context(running())
        if postgres is not None:
            server = serving(stack, postgres.new_database("ours"))
            found += _ours(POSTGRESQL, Batches(server, postgres.pid))
            copies = Copies(stack.enter_context(_staging(postgres)))
            name = "limit: COPY and merge, PostgreSQL"
            found.append(Contender(name, copies.measure, beside=f"{POSTGRESQL}, one sender"))
        yield found


def _ours(name: str, batches: Batches) -> Iterator[Contender]:
    yield Contender(f"{name}, one sender", lambda: batches.measure(1))
    yield Contender(f"{name}, four senders", lambda: batches.measure(4))


@contextmanager
def _staging(postgres: Postgres) -> Iterator[psycopg.Connection]:
    with psycopg.connect(postgres.new_database("limit"), autocommit=True) as connection:
        connection.execute(TABLES)
        connection.execute(STAGING)
        yield connection


CASE = Case(
    {
        "per_s": Figure("upserted", "deals/s", at_least=8_000),
        "p50_ms": Figure("a batch, median", "ms"),
        "cpu_us": Figure("processor time of a deal", "us"),
    },
    contenders,
)
