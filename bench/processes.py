"""Two server processes on one PostgreSQL against one: upserts over 32 connections in all.

The machine is shared by the servers, PostgreSQL and what sends the requests, so that on few cores
the processor time of a deal tells more than the rate. Both processes write into one workspace.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from bench.deals import DEALS_PER_S_MAX, serving
from bench.harness import Case, Contender, Figure, Measured
from bench.orders import UPDATE_OR_CREATE, placed_and_changed
from bench.postgres import running
from bench.servers import CONNECTIONS, Ordertrail

ONE = "one process"


@dataclass
class Shared:
    """Servers on one database, and the orders that they get."""

    servers: Sequence[Ordertrail]
    database_pid: int
    seconds: float
    first: int = field(default=0)

    def measure(self, count: int) -> Measured:
        """Send to so many of the servers at once."""
        asked = self.servers[:count]
        sent = [self._requests(server) for server in asked]
        before = self._cpu_s()
        with ThreadPoolExecutor(count) as threads:
            connections = [CONNECTIONS // count] * count
            seconds = [self.seconds] * count
            done = list(threads.map(Ordertrail.load, asked, sent, seconds, connections))
        used = self._cpu_s() - before
        return {
            "per_s": sum(each["requests_per_s"] for each in done),
            "p99_ms": max(each["p99_ms"] for each in done),
            "cpu_us": used * 1e6 / sum(each["requests"] for each in done),
        }

    def _requests(self, server: Ordertrail) -> list[str]:
        count = int(self.seconds * DEALS_PER_S_MAX / 2) + 1
        self.first += count
        bodies = placed_and_changed(self.first, count)
        return [server.request("POST", UPDATE_OR_CREATE, body) for body in bodies]

    def _cpu_s(self) -> float:
        first, *others = self.servers
        return first.cpu_s(self.database_pid) + sum(each.cpu_s() for each in others)


@contextmanager
def contenders(seconds: float) -> Iterator[Sequence[Contender]]:
    """Serve one database twice; there is nothing to measure without PostgreSQL."""
    with ExitStack() as stack:
        postgres = stack.enter_context(running())
        if postgres is None:
            yield []
            return
        url = postgres.new_database("ours")
        shared = Shared([serving(stack, url) for _ in range(2)], postgres.pid, seconds)
        yield (
            Contender(ONE, lambda: shared.measure(1)),
            Contender("two processes", lambda: shared.measure(2), beside=ONE),
        )


CASE = Case(
    {
        "per_s": Figure("over 32 connections", "deals/s"),
        "p99_ms": Figure("99th percentile of them", "ms"),
        "cpu_us": Figure("processor time of one", "us"),
    },
    contenders,
)
