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
from pathlib import Path

from bench.deals import Server
from ordertrail.sample import SAMPLE

WHOLE = Path(__file__).parents[2] / "shared" / "data" / "online_retail.parquet"


def sync(file: Path, server: Server, folder: str) -> dict:
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
    return {
        "seconds": time.perf_counter() - started,
        "peak_mb": used.ru_maxrss / 1024,
        "orders": said["orders"],
        "calls": sum(said["delivered"].values()),
        "changed": said["changed"],
    }


def run(_seconds: float) -> dict:
    """Sync the file, and sync it again; that takes as long as it takes."""
    file = WHOLE if WHOLE.exists() else SAMPLE
    with tempfile.TemporaryDirectory() as folder:
        server = Server(folder)
        first, second = (sync(file, server, folder) for _ in range(2))
        server.stop()
    return {"file": file.name, "first": first, "second": second}


def lines(found: dict) -> list[str]:
    first, second = found["first"], found["second"]
    rate, share = first["calls"] / first["seconds"], second["seconds"] / first["seconds"]
    head = f"{found['file']}: {first['orders']:,} orders, {first['calls']:,} calls"
    again = f"again: {second['calls']:,} calls, {second['changed']:,} changed"
    return [
        f"{head} in {first['seconds']:,.0f} s, {rate:,.0f}/s, {first['peak_mb']:,.0f} MB at most",
        f"{again}, {second['seconds']:,.1f} s ({share:.3f}), {second['peak_mb']:,.0f} MB at most",
    ]
