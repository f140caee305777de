"""10,000 idle keep-alive connections: what they weigh, and what they cost the busy ones.

Each asks once, is answered and stays. Deals are upserted over 32 other connections before the idle
ones come, while they are there, and after they have gone, all in one run of one server.
`python -m bench.idle HOST PORT CONNECTIONS < request` is the process that holds them.
"""

import asyncio
import contextlib
import json
import re
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import uvloop

from bench.deals import CONNECTIONS, Server, latency, people, upserts

IDLE = 10_000
AT_ONCE = 200


class Idle(asyncio.Protocol):
    def __init__(self, request: bytes) -> None:
        self.request = request
        self.is_lost = False
        self.answered: asyncio.Future = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.Transport) -> None:
        self.transport = transport
        transport.write(self.request)

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


@contextlib.contextmanager
def idle(server: Server, connections: int, found: dict) -> Iterator[None]:
    """Hold idle connections in a process of its own, and tell what became of them."""
    command = [sys.executable, "-m", "bench.idle", "127.0.0.1", str(server.port), str(connections)]
    holder = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    )
    assert holder.stdin
    assert holder.stdout
    holder.stdin.write(json.dumps(server.request("GET", "/api/public/stages/")) + "\n")
    found["answered"] = int(holder.stdout.readline())
    yield
    found["left"] = int(holder.communicate(timeout=60)[0])


def resident_mib(server: Server) -> float:
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    found = re.search(r"^VmRSS:\s+(\d+) kB$", status, re.MULTILINE)
    assert found
    return int(found[1]) / 1024


def run(seconds: float) -> dict:
    """Measure without, with and again without the idle connections."""
    found: dict = {"idle_connections": IDLE, "busy_connections": CONNECTIONS}
    with tempfile.TemporaryDirectory() as folder:
        server = Server(folder)
        server.load(people(server), 1.0)
        requests = upserts(server)
        server.load(requests, seconds / 2)
        found["before"] = server.load(requests, seconds)
        found["mib_before"] = resident_mib(server)
        with idle(server, IDLE, found):
            found["mib_idle"] = resident_mib(server)
            found["with_idle"] = server.load(requests, seconds)
        found["after"] = server.load(requests, seconds)
        server.stop()
    without_ms = (found["before"]["p99_ms"] + found["after"]["p99_ms"]) / 2
    found["p99_ratio"] = found["with_idle"]["p99_ms"] / without_ms
    found["kib_each"] = (found["mib_idle"] - found["mib_before"]) * 1024 / IDLE
    return found


def lines(found: dict) -> list[str]:
    return [
        f"server without idle connections  {found['mib_before']:6.0f} MiB",
        f"server with {found['idle_connections']:,} of them       {found['mib_idle']:6.0f} MiB",
        f"each of them                     {found['kib_each']:6.1f} KiB",
        f"of them answered, left           {found['answered']:,}, {found['left']:,}",
        *(
            f"busy ones, {name:11}           {each['requests_per_s']:6,.0f}/s, {latency(each)}"
            for name in ("before", "with_idle", "after")
            for each in (found[name],)
        ),
        f"their p99 with to without        {found['p99_ratio']:6.2f}",
    ]


def main() -> None:
    host, port, connections = sys.argv[1:4]
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    request = json.loads(sys.stdin.readline()).encode()
    uvloop.run(hold(host, int(port), int(connections), request))


if __name__ == "__main__":
    main()
