"""Deals by the hundred: batches of 500 deals with two lines each, beside deals one by one.

One server process on SQLite, a load generator on the same machine. Every deal of a batch is new,
and is sent once; its answers are looked at, so that nothing refused counts as done.
"""

import json
import tempfile
import urllib.request

from bench.deals import CONNECTIONS, Server, deal

SIZE = 500
BATCHES = 80
SENDERS = (1, 4)
GOAL_DEALS_PER_S = 8_000
_DEALS = "/api/public/deals/update_or_create/"


def run(seconds: float) -> dict:
    """Measure batches from one sender and from several, single upserts, single reads."""
    with tempfile.TemporaryDirectory() as folder:
        server = Server(folder)
        people = [
            server.request(
                "POST", "/api/public/users/update_or_create/", {"custom_id": f"user-{n}"}
            )
            for n in range(1000)
        ]
        server.load(people, 0)
        batched = {}
        for place, senders in enumerate(SENDERS):
            start = place * BATCHES * SIZE
            batches = [_batch(start + n * SIZE) for n in range(BATCHES)]
            said = [server.request("POST", "/api/ordertrail/v1/batch/", each) for each in batches]
            before = server.cpu_s()
            found = server.load(said, 0, connections=senders)
            batched[senders] = {
                **found,
                "deals_per_s": found["requests_per_s"] * SIZE,
                "cpu_us_per_deal": (server.cpu_s() - before) * 1e6 / (BATCHES * SIZE),
            }
        _check(server, len(SENDERS) * BATCHES * SIZE)
        first = len(SENDERS) * BATCHES * SIZE
        new = [server.request("POST", _DEALS, deal(first + n, 1)) for n in range(20_000)]
        upserts = server.load(new, seconds)
        numbers = range(1, first, 7)
        reads = server.load(
            [server.request("GET", f"/api/public/deals/{n}/") for n in numbers], seconds
        )
        server.stop()
    return {"size": SIZE, "batches": batched, "upserts": upserts, "reads": reads}


def lines(found: dict) -> list[str]:
    said = [
        f"batches of {SIZE}, {senders} at a time  {each['deals_per_s']:8,.0f} deals/s"
        f" (goal {GOAL_DEALS_PER_S:,}), {each['cpu_us_per_deal']:.0f} us of the server's CPU each,"
        f" p50 {each['p50_ms']:.0f} ms, {each['failures']} failures"
        for senders, each in found["batches"].items()
    ]
    for name in ("upserts", "reads"):
        each = found[name]
        said.append(
            f"single {name}, {CONNECTIONS} connections  {each['requests_per_s']:8,.0f}/s, p50"
            f" {each['p50_ms']:.1f} ms, p99 {each['p99_ms']:.1f} ms, {each['failures']} failures"
        )
    return said


def _batch(start: int) -> dict:
    return {
        "operations": [
            {"method": "POST", "path": _DEALS, "body": deal(number, 1)}
            for number in range(start, start + SIZE)
        ]
    }


def _check(server: Server, count: int) -> None:
    """See that the last deal is there, and has the number that says that all others are too."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{server.port}/api/public/deals/{count}/",
        headers={"Authorization": f"Token {server.token}", "Accept": "*/*; version=2"},
    )
    with urllib.request.urlopen(request) as answer:
        assert len(json.load(answer)["order_products"]) == 2
