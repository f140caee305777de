"""The server as `serve` configures it, on a real socket of the test's own event loop."""

import asyncio
import contextlib
import json
import secrets
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn
import uvloop

from ordertrail import app, opening
from ordertrail.actions import keys
from ordertrail.commands.serve import configured
from ordertrail.kit import clock
from ordertrail.settings import Settings

FILES = 1_000
RECEIVED_BYTES = 65_536
"""What a caller's system takes in for it; otherwise that would grow to some megabytes."""


@dataclass
class Reply:
    """One answer as it stood on the wire."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Caller:
    """One connection, and what can be said and heard on it."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    def say(self, data: bytes) -> None:
        self.writer.write(data)

    async def hear(self) -> Reply:
        """The next answer."""
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode().splitlines()
        headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
        body = await self.reader.readexactly(int(headers["content-length"]))
        return Reply(int(head[0].split()[1]), headers, body)

    async def rest(self) -> bytes:
        """All that comes until the server ends the connection."""
        return await self.reader.read()


@dataclass
class Site:
    """A platform that listens, and a key to it."""

    port: int
    token: str
    running: app.Running
    server: uvicorn.Server
    callers: list[Caller] = field(default_factory=list)

    async def call(self) -> Caller:
        calling = socket.socket()
        calling.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVED_BYTES)
        calling.setblocking(False)
        await asyncio.get_running_loop().sock_connect(calling, ("127.0.0.1", self.port))
        self.callers.append(Caller(*await asyncio.open_connection(sock=calling)))
        return self.callers[-1]

    async def hang_up(self) -> None:
        """End every connection that was made."""
        for caller in self.callers:
            caller.writer.transport.abort()
            with contextlib.suppress(ConnectionError):
                await caller.writer.wait_closed()

    def request(self, method: str, path: str, said: Any = None, *more: str) -> bytes:
        body = b"" if said is None else json.dumps(said).encode()
        return self.head(method, path, f"Content-Length: {len(body)}", *more) + body

    def head(self, method: str, path: str, *more: str) -> bytes:
        lines = [
            f"{method} {path} HTTP/1.1",
            "Host: a",
            f"Authorization: Token {self.token}",
            *more,
        ]
        return ("\r\n".join(lines) + "\r\n\r\n").encode()

    def rows(self, table: str) -> int:
        """How many rows a table has."""
        [[count]] = self.running.database.read(
            lambda reader: reader.rows(f"SELECT json_array(json_array(count(*))) FROM {table}")
        )
        return int(count)


@contextlib.asynccontextmanager
async def listening(folder: Path, files_max: int = FILES, **chosen: Any) -> AsyncIterator[Site]:
    settings = Settings(database_url=f"sqlite:///{folder}/platform.db", **chosen)
    database = opening.opened(settings, "test-installation")
    token = secrets.token_hex(32)
    key = keys.new_key(1, "test", "both", clock.utc_now())
    database.write(lambda tx: keys.create(tx, key, token))
    running = app.parts(settings, database)
    config = configured(settings, app.create_app(settings, running), files_max)
    server = uvicorn.Server(config)
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    serving = asyncio.ensure_future(server.serve(sockets=[listener]))
    site = Site(port, token, running, server)
    try:
        yield site
    finally:
        await site.hang_up()
        server.should_exit = True
        await asyncio.wait_for(serving, 30)


def on_sockets(
    folder: Path, scenario: Callable[[Site], Awaitable[None]], files_max: int = FILES, **chosen: Any
) -> None:
    """Play a scenario against a fresh platform, within 20 seconds."""

    async def play() -> None:
        async with listening(folder, files_max, **chosen) as site:
            await asyncio.wait_for(scenario(site), 20)

    uvloop.run(play())
