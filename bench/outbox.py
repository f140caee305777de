"""Claiming and settling operations of an outbox, in batches, beside a job queue on PostgreSQL.

The outbox is on a PostgreSQL of its own, with every commit flushed, and on SQLite. The peer is
Procrastinate on the same server: it fetches and finishes its jobs one by one, ten at once, which
is what its workers do. Its figure is for one job, ours for one operation: both are one call that
somebody wants made once.
"""

import json
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path

from bench.deals import POSTGRESQL, SQLITE
from bench.harness import Case, Contender, Figure, Measured
from bench.postgres import running
from bench.servers import PEERS
from ordertrail.domain.order import Customer, Line, Order
from ordertrail.sync.operations import Outcome, State
from ordertrail.sync.outbox import Route, open_outbox
from ordertrail.sync.rules import Flow

ORDERS = 6_000
AT_ONCE = 100
BATCH = 2_000
JOBS = Path(__file__).parent / "peers" / "procrastinate_jobs.py"
ROUTE = Route("bench", "http://bench")
AT = datetime(2026, 3, 1, tzinfo=UTC)


def orders() -> list[Order]:
    lines = (Line("SKU-1", 1, Decimal("19.90"), "One"), Line("SKU-2", 2, Decimal(5), "Two"))
    return [
        Order(
            f"ORD-{number}",
            Customer(f"c{number % 2_000}@example.com"),
            AT + timedelta(minutes=number),
            "EUR",
            lines,
            fulfilled_at=AT + timedelta(minutes=number, days=1),
        )
        for number in range(ORDERS)
    ]


def outbox(where: str) -> Measured:
    """Accept the orders, then claim and settle everything that they cause."""
    given = orders()
    with open_outbox(where) as opened:
        started = time.perf_counter()
        for start in range(0, ORDERS, AT_ONCE):
            opened.accept(ROUTE, Flow(), given[start : start + AT_ONCE])
        accepted_s = time.perf_counter() - started
        lease = opened.join(ROUTE.destination, "bench")
        started, done, behind = time.perf_counter(), 0, ""
        while True:
            leased = opened.claim(lease, after=behind, limit=BATCH)
            if not leased and not behind:
                break
            outcomes = [Outcome(each, State.DONE, each.attempts + 1) for each in leased]
            opened.settle(lease, outcomes)
            done += len(leased)
            behind = leased[-1].lane if len(leased) == BATCH else ""
        settled_s = time.perf_counter() - started
        again = time.perf_counter()
        for start in range(0, ORDERS, AT_ONCE):
            some = [replace(each, updated_at=None) for each in given[start : start + AT_ONCE]]
            opened.accept(ROUTE, Flow(), some)
        again_s = time.perf_counter() - again
    return {
        "settled_per_s": done / settled_s,
        "accepted_per_s": ORDERS / accepted_s,
        "unchanged_per_s": ORDERS / again_s,
    }


def procrastinate(url: str, seconds: float) -> Measured:
    """Let the peer fetch and finish jobs."""
    command = [str(PEERS), str(JOBS), url, str(seconds)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return {"settled_per_s": float(json.loads(done.stdout)["per_s"])}


@contextmanager
def contenders(seconds: float) -> Iterator[Sequence[Contender]]:
    """Give each a database of its own in every round."""
    with tempfile.TemporaryDirectory() as folder, running() as postgres:
        numbers = count(1)
        found = [Contender(SQLITE, lambda: outbox(f"{folder}/{next(numbers)}.outbox"))]
        if postgres is not None:

            def database() -> str:
                return postgres.new_database(f"outbox_{next(numbers)}")

            found.append(Contender(POSTGRESQL, lambda: outbox(database())))
            if PEERS.exists():
                peer = Contender(
                    "Procrastinate, PostgreSQL",
                    lambda: procrastinate(database(), seconds),
                    beside=POSTGRESQL,
                )
                found.append(peer)
        yield found


CASE = Case(
    {
        "settled_per_s": Figure("claimed and settled", "operations/s"),
        "accepted_per_s": Figure("accepted", "orders/s"),
        "unchanged_per_s": Figure("accepted again, unchanged", "orders/s"),
    },
    contenders,
)
