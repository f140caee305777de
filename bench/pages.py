"""Pages of 100 deals over HTTP, at the beginning and at the end of a list of a million.

The deals are written behind the server's back, by one statement, before it starts. The first page
counts the list; a page at depth is found by its cursor and counts nothing.
"""

import json
import statistics
import tempfile
import time
import urllib.request
from pathlib import Path

from bench.deals import Server
from ordertrail.kit.paging import Place
from ordertrail.kit.sqlite import Sqlite

DEALS = 1_000_000
DEPTHS = (100, DEALS // 2, DEALS - 1_000)
FILTERS = ("", "stage=1", "status=1")
_FILL = """
INSERT INTO deals (workspace_id, id, custom_id, name, pipeline_id, stage_id, status, value_minor,
    currency, details, attributes, created_at, updated_at)
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :deals)
SELECT 1, i, 'ORD-' || i, 'Order #' || i, 1, 1 + i % 3, 1 + i % 2, 100 * i, 'USD', '{}',
    '{"delivery_cost": 9.99}', 1700000000000000 + i, 1700000000000000 + i FROM n
"""


def run(seconds: float) -> dict:
    """Fill a database, and read pages of it for so long each."""
    with tempfile.TemporaryDirectory() as folder:
        server = Server(folder)
        server.stop()
        database = Sqlite(Path(folder, "bench.db"))
        database.write(lambda tx: tx.run(_FILL, deals=DEALS))
        database.close()
        server.start()
        found = {}
        for wanted in FILTERS:
            pages = {"first": f"?{wanted}"}
            for depth in DEPTHS:
                cursor = Place(DEALS - depth, False, DEALS).cursor()
                pages[f"at {depth:,}"] = f"?{wanted}&cursor={cursor}"
            found[wanted or "all"] = {
                name: _timed(server, query, seconds / 4) for name, query in pages.items()
            }
        server.stop()
    return {"deals": DEALS, "pages": found}


def _timed(server: Server, query: str, seconds: float) -> dict:
    address = f"http://127.0.0.1:{server.port}/api/public/deals/{query}"
    headers = {"Authorization": f"Token {server.token}", "Accept": "*/*; version=2"}
    request = urllib.request.Request(address, headers=headers)
    times, until = [], time.perf_counter() + seconds
    while time.perf_counter() < until or len(times) < 5:
        started = time.perf_counter()
        with urllib.request.urlopen(request) as answer:
            told = json.load(answer)
        times.append((time.perf_counter() - started) * 1000)
        assert len(told["results"]) == 100, told["count"]
    return {"p50_ms": statistics.median(times), "max_ms": max(times), "reads": len(times)}


def lines(found: dict) -> list[str]:
    told = []
    for wanted, pages in found["pages"].items():
        near = pages[f"at {DEPTHS[0]:,}"]["p50_ms"]
        for name, each in pages.items():
            ratio = each["p50_ms"] / near
            told.append(f"{wanted:9} {name:12} p50 {each['p50_ms']:6.1f} ms, {ratio:5.2f} x")
    return told
