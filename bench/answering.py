"""An endpoint that answers at once: what is measured is who calls it. `answering.py [LIMIT]`.

With a limit it answers 429 to more calls a second than that, counted over any second. It prints
its port, and answers `GET /counts` with how many calls it took and refused.
"""

import asyncio
import json
import sys
import time
from collections import deque
from typing import cast

ABOUT = {
    "name": "ordertrail",
    "version": "1",
    "workspace": "bench",
    "features": ["idempotency"],
}


class Endpoint:
    def __init__(self, limit: int, takes_batches: bool) -> None:
        self.limit = limit
        self.taken: deque[float] = deque()
        self.first = self.last = 0.0
        self.calls = self.refused = 0
        self.about = {**ABOUT, "features": ["idempotency", *(["batch"] if takes_batches else [])]}

    def is_taken(self) -> bool:
        self.calls += 1
        if not self.limit:
            return True
        now = time.monotonic()
        while self.taken and self.taken[0] <= now - 1.0:
            self.taken.popleft()
        if len(self.taken) >= self.limit:
            self.refused += 1
            return False
        self.taken.append(now)
        self.first, self.last = self.first or now, now
        return True


class Connection(asyncio.Protocol):
    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self.waiting = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self.waiting += data
        while (end := self.waiting.find(b"\r\n\r\n")) >= 0:
            head = self.waiting[:end].lower()
            start = head.find(b"content-length:")
            size = int(head[start + 15 :].split(b"\r\n", 1)[0]) if start >= 0 else 0
            if len(self.waiting) < end + 4 + size:
                return
            body = self.waiting[end + 4 : end + 4 + size]
            self.waiting = self.waiting[end + 4 + size :]
            self.answer(head, body)

    def answer(self, head: bytes, body: bytes) -> None:
        there = self.endpoint
        if head.startswith(b"get /counts"):
            said = {"calls": there.calls, "refused": there.refused}
            self.say(b"200 OK", json.dumps({**said, "first": there.first, "last": there.last}))
        elif b"/about/" in head[:60]:
            self.say(b"200 OK", json.dumps(there.about))
        elif b"/batch/" in head[:60]:
            count = body.count(b'"method":')
            there.calls += count
            one = '{"status":200,"body":{"id":1}}'
            self.say(b"200 OK", '{"results":[' + ",".join([one] * count) + "]}")
        elif there.is_taken():
            self.say(b"200 OK", '{"id":1,"created":true}')
        else:
            self.say(b"429 Slow\r\nRetry-After: 1", '{"detail":"slow down"}')

    def say(self, status: bytes, text: str) -> None:
        body = text.encode()
        self.transport.write(
            b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
            % (status, len(body), body)
        )


async def serve(limit: int, takes_batches: bool) -> None:
    endpoint = Endpoint(limit, takes_batches)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(endpoint), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), sys.argv[2:] == ["batches"]))
