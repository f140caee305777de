"""Pages of 100 deals over HTTP, at the beginning and at the end of a list of a million.

The deals are written behind the server's back, by one statement, before it starts. The first page
counts the list; a page at depth is found by its cursor and counts nothing.
"""

import json
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from bench.deals import started
from bench.harness import Case, Contender, Figure, Measured, percentile
from bench.servers import Ordertrail
from ordertrail.kit.paging import Place
from ordertrail.kit.sqlite import Sqlite

DEALS = 1_000_000
DEPTHS = (100, DEALS // 2, DEALS - 1_000)
NEAR = f"at {DEPTHS[0]:,}"
FILTERS = {"all": "", "stage": "stage=1", "status": "status=1"}
_FILL = """
INSERT INTO deals (workspace_id, id, custom_id, name, pipeline_id, stage_id, status, value_minor,
    currency, details, attributes, created_at, updated_at)
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :deals)
SELECT 1, i, 'ORD-' || i, 'Order #' || i, 1, 1 + i % 3, 1 + i % 2, 100 * i, 'USD', '{}',
    '{"delivery_cost": 9.99}', 1700000000000000 + i, 1700000000000000 + i FROM n
"""


@contextmanager
def contenders(seconds: float) -> Iterator[Sequence[Contender]]:
    """Fill a database, and read pages of it for so long each."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        server = started(stack, Ordertrail(f"sqlite:///{folder}/bench.db"))
        server.stop()
        database = Sqlite(Path(folder, "bench.db"))
        database.write(lambda tx: tx.run(_FILL, deals=DEALS))
        database.close()
        server.start()
        pages = {"first": "?"}
        for depth in DEPTHS:
            pages[f"at {depth:,}"] = f"?cursor={Place(DEALS - depth, False, DEALS).cursor()}"
        yield [
            Contender(
                name, partial(_filtered, server, query, seconds / 8), "" if name == NEAR else NEAR
            )
            for name, query in pages.items()
        ]


def _filtered(server: Ordertrail, query: str, seconds: float) -> Measured:
    return {
        key: _p50_ms(server, f"/api/public/deals/{query}&{wanted}", seconds)
        for key, wanted in FILTERS.items()
    }


def _p50_ms(server: Ordertrail, path: str, seconds: float) -> float:
    times: list[float] = []
    until = time.perf_counter() + seconds
    while time.perf_counter() < until or len(times) < 5:
        started = time.perf_counter()
        told = json.loads(server.get(path))
        times.append((time.perf_counter() - started) * 1000)
        assert len(told["results"]) == 100, told["count"]
    return percentile(times, 0.5)


CASE = Case(
    {
        "all": Figure("all deals, median", "ms"),
        "stage": Figure("of one stage, median", "ms"),
        "status": Figure("of one status, median", "ms"),
    },
    contenders,
)
