"""How the rows of a batch reach PostgreSQL: as one JSON text or as arrays, by two drivers.

32 deals of 15 columns in one INSERT with ON CONFLICT, prepared, each a transaction of its own
with the commit flushed. Both drivers are run by the peers' interpreter. Processor time is that of
the client alone.
"""

import json
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from bench.harness import Case, Contender, Figure, Measured
from bench.postgres import running
from bench.servers import PEERS

SCRIPT = Path(__file__).parent / "peers" / "rows.py"
OURS = "psycopg, jsonb"
WAYS = {
    OURS: ("psycopg", "jsonb"),
    "psycopg, json": ("psycopg", "json"),
    "psycopg, arrays": ("psycopg", "arrays"),
    "asyncpg, jsonb": ("asyncpg", "jsonb"),
    "asyncpg, arrays": ("asyncpg", "arrays"),
}


def written(way: Sequence[str], url: str, seconds: float) -> Measured:
    done = subprocess.run(
        [PEERS, SCRIPT, *way, url, str(seconds)], capture_output=True, text=True, check=True
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


@contextmanager
def contenders(seconds: float) -> Iterator[Sequence[Contender]]:
    """One database each; there is nothing to measure without PostgreSQL and the peers."""
    with running() as postgres:
        if postgres is None or not PEERS.exists():
            yield []
            return
        yield [
            Contender(
                name,
                partial(written, way, postgres.new_database(f"way_{place}"), seconds),
                beside="" if name == OURS else OURS,
            )
            for place, (name, way) in enumerate(WAYS.items())
        ]


CASE = Case(
    {
        "per_s": Figure("written", "deals/s"),
        "client_us": Figure("processor time of the client for one", "us"),
    },
    contenders,
)
