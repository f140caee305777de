"""Claiming and settling operations of an outbox, in batches, beside a job queue on PostgreSQL.

The outbox is on a PostgreSQL of its own, with every commit flushed, and on SQLite. The peer is
Procrastinate on the same server: it fetches and finishes its jobs one by one, ten at once, which
is what its workers do. Its figure is for one job, ours for one operation: both are one call that
somebody wants made once.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from ordertrail.domain.order import Customer, Line, Order
from ordertrail.sync.operations import Outcome, State
from ordertrail.sync.outbox import Route, open_outbox
from ordertrail.sync.rules import Flow

ORDERS = 6_000
AT_ONCE = 100
BATCH = 2_000
PEERS = Path(__file__).parent.parent / ".venv" / "peers" / "bin" / "python"
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


@contextmanager
def postgres() -> Iterator[str | None]:
    """Run a cluster with its defaults, or say that there is none."""
    binaries = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parent.name))
    if not binaries:
        yield None
        return
    folder = Path(tempfile.mkdtemp(prefix="ordertrail-bench-"))
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port = listening.getsockname()[1]
    as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")

    def run(program: str, *arguments: str) -> None:
        command = [str(binaries[-1] / program), "-D", str(folder / "data"), *arguments]
        prefix = as_user if os.geteuid() == 0 else []
        subprocess.run([*prefix, *command], cwd=folder, capture_output=True, check=True)

    run("initdb", "-A", "trust", "-U", "postgres")
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1"
    run("pg_ctl", "-o", options, "-l", str(folder / "log"), "-w", "start")
    try:
        yield f"postgresql://postgres@127.0.0.1:{port}/postgres"
    finally:
        run("pg_ctl", "-m", "fast", "-w", "stop")
        shutil.rmtree(folder, ignore_errors=True)


def outbox(where: str) -> dict[str, float]:
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
        "operations": done,
        "claim_and_settle_per_s": done / settled_s,
        "orders_accepted_per_s": ORDERS / accepted_s,
        "orders_unchanged_per_s": ORDERS / again_s,
    }


def procrastinate(url: str, seconds: float) -> float | None:
    """Let the peer fetch and finish jobs; None when it is not installed."""
    if not PEERS.exists():
        return None
    command = [str(PEERS), str(JOBS), url, str(seconds)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        print(done.stderr, file=sys.stderr)
        return None
    return float(json.loads(done.stdout)["per_s"])


def run(seconds: float) -> dict:
    """Measure the outbox, the peer, and the outbox again, on one server; then SQLite."""
    found: dict = {}
    with postgres() as url:
        if url is not None:
            first = outbox(f"{url.rpartition('/')[0]}/template1")
            found["procrastinate_per_s"] = procrastinate(url, seconds)
            second = outbox(url)
            found["postgresql"] = max(first, second, key=lambda e: e["claim_and_settle_per_s"])
            found["postgresql_runs_per_s"] = [
                each["claim_and_settle_per_s"] for each in (first, second)
            ]
    with tempfile.TemporaryDirectory() as folder:
        found["sqlite"] = outbox(f"{folder}/bench.outbox")
    return found


def lines(found: dict) -> list[str]:
    said = []
    for name in ("postgresql", "sqlite"):
        if name in found:
            each = found[name]
            said.append(
                f"{name:10} claim and settle {each['claim_and_settle_per_s']:8,.0f} operations/s,"
                f" accept {each['orders_accepted_per_s']:6,.0f} orders/s,"
                f" unchanged {each['orders_unchanged_per_s']:7,.0f} orders/s"
            )
    if "postgresql" not in found:
        return [*said, "postgresql  is not installed"]
    peer = found["procrastinate_per_s"]
    if peer is None:
        return [*said, "procrastinate is not installed"]
    ratio = found["postgresql"]["claim_and_settle_per_s"] / peer
    return [*said, f"procrastinate fetch and finish {peer:8,.0f} jobs/s; outbox to it {ratio:.1f}"]
