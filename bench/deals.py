"""Deal upserts over HTTP, each answered when it is on disk.

Every deal has two lines and is placed, and later sent again at another stage, as shops do; every
change goes to a journal. Ours and each peer is one server process, called over 32 connections and
then over a single one. The limit of HTTP is `GET /healthz` of the same server. The limit of
PostgreSQL is `pgbench` with the same rows in batches of the size that our own commits there had
in the round: 8 clients, prepared statements. Processor time is that of the server and its database.
"""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import psycopg

from bench import servers
from bench.harness import Case, Contender, Figure, Measured
from bench.limits import TABLES, PgBench
from bench.orders import UPDATE_OR_CREATE, placed_and_changed
from bench.postgres import Postgres, running
from bench.servers import Ordertrail, Served

DEALS_PER_S_MAX = 6_000
"""More than any contender upserts; so many requests are made for each second."""

WARM_UP = 1_000
SQLITE, POSTGRESQL = "Ordertrail, SQLite", "Ordertrail, PostgreSQL"
DJANGO_THREADS = 8
"""Of 1 to 32 threads, none were faster than 4 to 16 on either database."""


S = TypeVar("S", bound=Served)


@dataclass
class Upserts(Generic[S]):
    """Upserts of one server, with orders of their own in every round."""

    server: S
    seconds: float
    database_pid: int | None = None
    first: int = field(default=0)

    def __post_init__(self) -> None:
        self.server.load(self._requests(1.0)[:WARM_UP], 0)

    def measure(self) -> Measured:
        """Upsert over many connections, and then over one."""
        busy = self.busy()
        alone = self.server.load(self._requests(self.seconds / 2), self.seconds / 2, connections=1)
        return {**busy, "alone_per_s": alone["requests_per_s"]}

    def busy(self) -> Measured:
        """Upsert over many connections."""
        requests, before = self._requests(self.seconds), self.server.cpu_s(self.database_pid)
        done = self.server.load(requests, self.seconds)
        return {
            "per_s": done["requests_per_s"],
            "p99_ms": done["p99_ms"],
            "cpu_us": (self.server.cpu_s(self.database_pid) - before) * 1e6 / done["requests"],
        }

    def _requests(self, seconds: float) -> list[str]:
        count = int(seconds * DEALS_PER_S_MAX / 2) + 1
        self.first += count
        bodies = placed_and_changed(self.first, count)
        return [self.server.request("POST", UPDATE_OR_CREATE, body) for body in bodies]


@dataclass
class Ours(Upserts[Ordertrail]):
    """Our own upserts, which also tell how large the commits were."""

    commit_size: float = field(default=1.0)

    def measure(self) -> Measured:
        commits, writes = self.server.commits()
        measured = super().measure()
        commits_then, writes_then = self.server.commits()
        self.commit_size = (writes_then - writes) / (commits_then - commits)
        return {**measured, "commit_size": self.commit_size}


@contextmanager
def contenders(seconds: float) -> Iterator[Sequence[Contender]]:
    """Serve everything at once; those whose turn it is not are idle."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        ours = Ours(serving(stack, f"sqlite:///{folder}/ours.db"), seconds)
        found = [Contender(SQLITE, ours.measure)]
        if servers.PEERS.exists():
            peer = started(stack, servers.django(f"sqlite://{folder}/django.db", DJANGO_THREADS))
            measure = Upserts(peer, seconds).measure
            found.append(Contender("Django REST framework, SQLite", measure, beside=SQLITE))
        found.append(Contender("limit: HTTP alone", lambda: _echoed(ours), beside=SQLITE))
        postgres = stack.enter_context(running())
        if postgres is not None:
            found += _on_postgresql(stack, postgres, seconds)
        yield found


def started(stack: ExitStack, server: S) -> S:
    """Have the server stopped at the end."""
    stack.callback(server.stop)
    return server


def serving(stack: ExitStack, url: str) -> Ordertrail:
    """Serve a fresh database with contacts until the end."""
    server = started(stack, Ordertrail(url))
    server.add_contacts()
    return server


def _on_postgresql(stack: ExitStack, postgres: Postgres, seconds: float) -> Iterator[Contender]:
    ours = Ours(serving(stack, postgres.new_database("ours")), seconds, postgres.pid)
    yield Contender(POSTGRESQL, ours.measure)
    if servers.PEERS.exists():
        django = servers.django(postgres.new_database("django"), DJANGO_THREADS)
        fastapi = servers.fastapi(postgres.new_database("fastapi"))
        for name, peer in (("Django REST framework", django), ("FastAPI, SQLAlchemy", fastapi)):
            measure = Upserts(started(stack, peer), seconds, postgres.pid).measure
            yield Contender(f"{name}, PostgreSQL", measure, beside=POSTGRESQL)
    url = postgres.new_database("limit")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(TABLES)
    limit = PgBench(postgres, url)

    def batches() -> Measured:
        return {"per_s": limit.deals_per_s(ours.commit_size, seconds)}

    yield Contender("limit: pgbench, PostgreSQL", batches, beside=POSTGRESQL)


def _echoed(ours: Ours) -> Measured:
    echo = [ours.server.request("GET", "/healthz")]
    return {"per_s": ours.server.load(echo, ours.seconds / 2)["requests_per_s"]}


CASE = Case(
    {
        "per_s": Figure("over 32 connections", "deals/s", at_least=4_000),
        "p99_ms": Figure("99th percentile of them", "ms"),
        "cpu_us": Figure("processor time of one", "us"),
        "alone_per_s": Figure("over one connection", "deals/s"),
        "commit_size": Figure("in one commit", "writes"),
    },
    contenders,
)
