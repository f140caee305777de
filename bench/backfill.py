"""A file of orders into a fresh platform: time, memory, and what reading it again costs.

The whole Online Retail file if it lies beside the checkout (`../shared/data`), else the sample.
Memory is the largest of the sync's process; the server is a process of its own.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from bench.harness import Case, Contender, Figure, Measured
from bench.servers import Ordertrail
from ordertrail.sample import SAMPLE

WHOLE = Path(__file__).parents[2] / "shared" / "data" / "online_retail.parquet"


def sync(file: Path, server: Ordertrail, folder: str) -> Measured:
    """Run `ordertrail sync` as a process, and return what it says and what it took."""
    environment = {
        **os.environ,
        "ORDERTRAIL_URL": f"http://127.0.0.1:{server.port}",
        "ORDERTRAIL_TOKEN": server.token,
        "ORDERTRAIL_OUTBOX": f"{folder}/bench.outbox",
    }
    command = [sys.executable, "-m", "ordertrail", "sync", str(file), "--json"]
    command += ["--format", "online-retail"]
    started = time.perf_counter()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE)
    assert process.stdout
    said = json.loads(process.stdout.read())
    _, _, used = os.wait4(process.pid, 0)
    seconds, calls = time.perf_counter() - started, sum(said["delivered"].values())
    return {
        "seconds": seconds,
        "peak_mb": used.ru_maxrss / 1024,
        "calls": calls,
        "calls_per_s": calls / seconds,
    }


@contextmanager
def contenders(_seconds: float) -> Iterator[Sequence[Contender]]:
    """Sync the file, and sync it again; that takes as long as it takes."""
    file = WHOLE if WHOLE.exists() else SAMPLE
    with tempfile.TemporaryDirectory() as folder:
        server = Ordertrail(f"sqlite:///{folder}/bench.db")
        measure = partial(sync, file, server, folder)
        yield Contender("first time", measure), Contender("again", measure, beside="first time")
        server.stop()


CASE = Case(
    {
        "seconds": Figure("the whole file", "s"),
        "calls": Figure("in all", "calls"),
        "calls_per_s": Figure("in a second", "calls/s"),
        "peak_mb": Figure("memory of the sync at most", "MiB"),
    },
    contenders,
    rounds=1,
)
