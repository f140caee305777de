"""A file of orders into a fresh platform, from reading it to having verified it through HTTP.

The whole Online Retail file if it lies beside the checkout (`../shared/data`), else the sample;
in the detailed flow. Memory is the largest of the sync's process; the server is a process
of its own. The second time nothing has to be sent. It takes as long as it takes, once.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.deals import POSTGRESQL, SQLITE, started
from bench.harness import Case, Contender, Figure, Measured
from bench.postgres import running
from bench.servers import Ordertrail
from ordertrail.sample import SAMPLE

WHOLE = Path(__file__).parents[2] / "shared" / "data" / "online_retail.parquet"


@dataclass(frozen=True)
class Backfill:
    """One file and one server; the outbox is on SQLite."""

    server: Ordertrail
    outbox: str

    def first(self) -> Measured:
        """Sync the file, and compare it with what the server then holds."""
        synced = self.again()
        began = time.perf_counter()
        told, _ = self._run("verify")
        if told["drifted"] or told["not_to_be_there"] or told["untold"]:
            raise RuntimeError(f"after the sync the server does not hold the file: {told['drift']}")
        verify_s = time.perf_counter() - began
        return {**synced, "verify_s": verify_s, "whole_s": synced["sync_s"] + verify_s}

    def again(self) -> Measured:
        """Sync the file."""
        began = time.perf_counter()
        told, peak_mib = self._run("sync")
        seconds, calls = time.perf_counter() - began, sum(told["delivered"].values())
        return {
            "sync_s": seconds,
            "calls": calls,
            "calls_per_s": calls / seconds,
            "peak_mib": peak_mib,
        }

    def _run(self, command: str) -> tuple[dict[str, Any], float]:
        """Run a command on the file, and return what it says and its memory at most."""
        environment = {
            **os.environ,
            "ORDERTRAIL_URL": f"http://127.0.0.1:{self.server.port}",
            "ORDERTRAIL_TOKEN": self.server.token,
            "ORDERTRAIL_OUTBOX": self.outbox,
        }
        file = str(WHOLE if WHOLE.exists() else SAMPLE)
        words = [sys.executable, "-m", "ordertrail", command, file, "--json"]
        process = subprocess.Popen(
            [*words, "--format", "online-retail"], env=environment, stdout=subprocess.PIPE
        )
        assert process.stdout
        told = json.loads(process.stdout.read())
        _, _, used = os.wait4(process.pid, 0)
        return told, used.ru_maxrss / 1024


@contextmanager
def contenders(_seconds: float) -> Iterator[Sequence[Contender]]:
    """Sync the file, and sync it again, on either database."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        urls = {SQLITE: f"sqlite:///{folder}/bench.db"}
        postgres = stack.enter_context(running())
        if postgres is not None:
            urls[POSTGRESQL] = postgres.new_database("ours")
        found = []
        for number, (name, url) in enumerate(urls.items()):
            server = started(stack, Ordertrail(url))
            backfill = Backfill(server, f"{folder}/{number}.outbox")
            found.append(Contender(name, backfill.first))
            found.append(Contender(f"{name}, again", backfill.again, beside=name))
        yield found


CASE = Case(
    {
        "whole_s": Figure("read to verified", "s"),
        "sync_s": Figure("read to delivered", "s"),
        "verify_s": Figure("verified", "s"),
        "calls": Figure("in all", "calls"),
        "calls_per_s": Figure("in a second", "calls/s"),
        "peak_mib": Figure("memory of the sync at most", "MiB"),
    },
    contenders,
    rounds=1,
)
