"""10,000 idle keep-alive connections: what they weigh, and what they cost the busy ones.

Each asks once, is answered and stays. Deals are upserted over 32 other connections without the idle
ones and while they are there, in turn, at one server.
`python -m bench.idle HOST PORT CONNECTIONS < request` is the process that holds them.
"""

import asyncio
import json
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import cast

import uvloop

from bench.deals import Upserts, started
from bench.harness import Case, Contender, Figure, Measured
from bench.servers import Ordertrail
from bench.usage import resident_mib

IDLE = 10_000
AT_ONCE = 200


class Idle(asyncio.Protocol):
    def __init__(self, request: bytes) -> None:
        self.request = request
        self.is_lost = False
        self.answered: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        if not self.answered.done():
            self.answered.set_result(data[9:12] == b"200")

    def connection_lost(self, _: Exception | None) -> None:
        self.is_lost = True
        if not self.answered.done():
            self.answered.set_result(False)


async def hold(host: str, port: int, connections: int, request: bytes) -> None:
    """Open them, say how many were answered, and at the end of stdin how many are left."""
    loop = asyncio.get_running_loop()
    held: list[Idle] = []
    for start in range(0, connections, AT_ONCE):
        count = min(AT_ONCE, connections - start)
        made = await asyncio.gather(
            *(loop.create_connection(lambda: Idle(request), host, port) for _ in range(count))
        )
        held += [each for _, each in made]
        await asyncio.gather(*(each.answered for each in held[start:]))
    print(sum(each.answered.result() for each in held), flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    print(sum(not each.is_lost for each in held), flush=True)


@contextmanager
def idle(server: Ordertrail) -> Iterator[None]:
    """Hold idle connections in a process of its own; all must be answered, and all must stay."""
    command = [sys.executable, "-m", "bench.idle", "127.0.0.1", str(server.port), str(IDLE)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    ) as holder:
        assert holder.stdin
        assert holder.stdout
        holder.stdin.write(json.dumps(server.request("GET", "/api/public/stages/")) + "\n")
        answered = int(holder.stdout.readline())
        yield
        left = int(holder.communicate(timeout=60)[0])
    if (answered, left) != (IDLE, IDLE):
        raise RuntimeError(f"of {IDLE} connections {answered} were answered and {left} were left")


@contextmanager
def contenders(seconds: float) -> Iterator[Sequence[Contender]]:
    """Take turns without and with the idle connections, at one server."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        server = started(stack, Ordertrail(f"sqlite:///{folder}/bench.db"))
        server.add_contacts()
        upserts = Upserts(server, seconds)

        def without() -> Measured:
            busy = upserts.busy()
            return {**busy, "mib": resident_mib(server.process.pid)}

        def beside() -> Measured:
            before = resident_mib(server.process.pid)
            with idle(server):
                now = resident_mib(server.process.pid)
                return {**upserts.busy(), "mib": now, "kib_each": (now - before) * 1024 / IDLE}

        yield (
            Contender("without idle connections", without),
            Contender(f"with {IDLE:,} of them", beside, beside="without idle connections"),
        )


def main() -> None:
    host, port, connections = sys.argv[1:4]
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    request = json.loads(sys.stdin.readline()).encode()
    uvloop.run(hold(host, int(port), int(connections), request))


CASE = Case(
    {
        "per_s": Figure("over 32 busy connections", "deals/s"),
        "p99_ms": Figure("99th percentile of them", "ms"),
        "mib": Figure("memory of the server", "MiB"),
        "kib_each": Figure("memory of an idle connection", "KiB"),
    },
    contenders,
)

if __name__ == "__main__":
    main()
