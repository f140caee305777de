"""Reads over HTTP of 100,000 deals: one deal, a page of 100, a timeline, the console.

One server process on SQLite, called over 32 connections; every request names another deal, page,
person. The console's pages are those that show the most. The limit is `GET /healthz` of the same
server: HTTP alone.
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
from bench.servers import Ordertrail
from ordertrail.kit.paging import Place

DEALS = 100_000
ASKED = 2_000
ONE = "one deal by its number"


@contextmanager
def contenders(seconds: float) -> Iterator[Sequence[Contender]]:
    """Fill a database, and read each kind of thing in turn."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        server = started(stack, Ordertrail(f"sqlite:///{folder}/bench.db"))
        server.stop()
        people = fill(Path(folder, "bench.db"), DEALS)
        server.start()
        session = server.session()
        asked = {
            **{name: [server.request("GET", p) for p in paths] for name, paths in _api(people)},
            **{
                name: [server.request("GET", path, cookie=session) for path in paths]
                for name, paths in _console(people)
            },
        }
        yield [
            Contender(name, partial(_read, server, requests, seconds / 2), beside)
            for name, requests in asked.items()
            for beside in ("" if name == ONE else ONE,)
        ]


def _api(people: int) -> Iterator[tuple[str, list[str]]]:
    at = random.Random(1).choices(range(200, DEALS), k=ASKED)
    public = "/api/public"
    yield ONE, [f"{public}/deals/{n}/" for n in at]
    yield "one deal by the shop's id", [f"{public}/deals-by-id/ORD-{n}/" for n in at]
    places = (Place(n, False, DEALS).cursor() for n in at)
    yield "a page of 100 deals", [f"{public}/deals/?cursor={each}" for each in places]
    timelines = [f"{public}/users-by-id/user-{n % people}/timeline/" for n in at]
    yield "the timeline of a contact", timelines
    yield "limit: HTTP alone", ["/healthz"]


def _console(people: int) -> Iterator[tuple[str, list[str]]]:
    at = random.Random(1).choices(range(1, people), k=ASKED // 10)
    yield "console: the deals", ["/console/deals"]
    yield "console: a deal", [f"/console/deals/{n}" for n in at]
    yield "console: a contact", [f"/console/contacts/{n}" for n in at]


def _read(server: Ordertrail, requests: list[str], seconds: float) -> Measured:
    before = server.cpu_s()
    done = server.load(requests, seconds)
    used = server.cpu_s() - before
    return {
        "per_s": done["requests_per_s"],
        "p99_ms": done["p99_ms"],
        "cpu_us": used * 1e6 / done["requests"],
    }


CASE = Case(
    {
        "per_s": Figure("over 32 connections", "answers/s"),
        "p99_ms": Figure("99th percentile of them", "ms"),
        "cpu_us": Figure("processor time of one", "us"),
    },
    contenders,
)
