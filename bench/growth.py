"""What a write and a read by number cost as deals become many, and how much room a deal takes.

One server process on SQLite, on 10 thousand, 1 million and 10 million deals with two lines and a
journal entry each; a tenth as many contacts. Upserts of new deals over 32 connections, reads of
one deal over one connection.
"""

import random
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from bench.deals import started
from bench.filled import fill
from bench.harness import Case, Contender, Figure, Measured
from bench.orders import UPDATE_OR_CREATE, deal
from bench.servers import Ordertrail

SIZES = (10_000, 1_000_000, 10_000_000)
ASKED = 20_000
UPSERTS_PER_S_MAX = 5_000


@contextmanager
def contenders(seconds: float) -> Iterator[Sequence[Contender]]:
    """Let each fill a database of its own when its turn comes."""
    smallest = f"{SIZES[0]:,} deals"
    yield [
        Contender(name, partial(_measure, deals, seconds), "" if name == smallest else smallest)
        for deals in SIZES
        for name in (f"{deals:,} deals",)
    ]


def _measure(deals: int, seconds: float) -> Measured:
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        server = started(stack, Ordertrail(f"sqlite:///{folder}/bench.db"))
        server.stop()
        path = Path(folder, "bench.db")
        fill(path, deals)
        size = path.stat().st_size
        server.start()
        at = random.Random(1).choices(range(1, deals), k=ASKED)
        reads = [server.request("GET", f"/api/public/deals/{n}/") for n in at]
        new = range(deals + 1, deals + 1 + int(seconds * UPSERTS_PER_S_MAX))
        upserts = [server.request("POST", UPDATE_OR_CREATE, deal(n, 1)) for n in new]
        read = server.load(reads, seconds, connections=1)
        before = server.cpu_s()
        written = server.load(upserts, seconds)
        used = server.cpu_s() - before
    return {
        "read_us": read["p50_ms"] * 1000,
        "per_s": written["requests_per_s"],
        "cpu_us": used * 1e6 / written["requests"],
        "bytes": size / deals,
    }


CASE = Case(
    {
        "read_us": Figure("a deal by its number, median", "us"),
        "per_s": Figure("new deals over 32 connections", "deals/s"),
        "cpu_us": Figure("processor time of one", "us"),
        "bytes": Figure("room of a deal with all that belongs to it", "bytes"),
    },
    contenders,
    rounds=1,
)
