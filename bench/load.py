"""A load generator: keep-alive connections that each send the next request when answered.

Runs as a process of its own, so that it shares the machine with the server but not its
interpreter: `python -m bench.load HOST PORT CONNECTIONS SECONDS < requests`, where the requests
are a JSON list of raw HTTP requests, sent round and round; with 0 seconds each is sent once.
"""

import asyncio
import json
import statistics
import sys
import time
from functools import partial
from typing import cast

import uvloop


class Connection(asyncio.Protocol):
    def __init__(self, requests: list[bytes], place: int, step: int, until: float | None) -> None:
        self.requests, self.place, self.step, self.until = requests, place, step, until
        self.latencies: list[float] = []
        self.failures = 0
        self.buffer = bytearray()
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.send()

    def send(self) -> None:
        self.started = time.perf_counter()
        is_over = (
            self.place >= len(self.requests) if self.until is None else self.started > self.until
        )
        if is_over:
            self.transport.close()
            return
        self.transport.write(self.requests[self.place % len(self.requests)])
        self.place += self.step

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = bytes(self.buffer[:end])
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        if len(self.buffer) < end + 4 + length:
            return
        self.latencies.append(time.perf_counter() - self.started)
        self.failures += head[9:10] != b"2"
        self.buffer.clear()
        self.send()

    def connection_lost(self, _: Exception | None) -> None:
        if not self.done.done():
            self.done.set_result(None)


async def run(
    host: str, port: int, connections: int, seconds: float, requests: list[bytes]
) -> dict[str, float]:
    loop = asyncio.get_running_loop()
    started = time.perf_counter()
    until = started + seconds if seconds else None
    made = [Connection(requests, place, connections, until) for place in range(connections)]
    for each in made:
        await loop.create_connection(partial(_same, each), host, port)
    await asyncio.gather(*(each.done for each in made))
    latencies = sorted(latency for each in made for latency in each.latencies)
    return {
        "requests": len(latencies),
        "requests_per_s": len(latencies) / (time.perf_counter() - started),
        "p50_ms": statistics.median(latencies) * 1000,
        "p99_ms": latencies[int(len(latencies) * 0.99)] * 1000,
        "failures": sum(each.failures for each in made),
    }


def _same(connection: Connection) -> Connection:
    return connection


def main() -> None:
    host, port, connections, seconds = sys.argv[1:5]
    requests = [each.encode() for each in json.load(sys.stdin)]
    print(json.dumps(uvloop.run(run(host, int(port), int(connections), float(seconds), requests))))


if __name__ == "__main__":
    main()
