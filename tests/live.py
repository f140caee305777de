"""A platform behind a real socket, in a thread; what stands before it may answer in its place."""

import contextlib
import json
import secrets
import socket
import threading
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn

from ordertrail import app, opening
from ordertrail.actions import keys
from ordertrail.kit import clock
from ordertrail.kit.sqlite import Sqlite
from ordertrail.settings import Settings

PUBLIC = "/api/public"


@dataclass
class Answer:
    """An answer in the platform's place."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


Before = Callable[[str, str], Answer | None]
"""Given the method and the path of each request; None lets the platform answer."""


def hosted(method: str, path: str) -> Answer | None:
    """An endpoint that has the public API and nothing else."""
    return None if path.startswith(PUBLIC) else Answer(404, {"detail": "Not found."})


@dataclass
class Live:
    """Where it listens, a key to it, and what it was asked so far."""

    url: str
    token: str
    database: Sqlite
    asked: list[tuple[str, str]]
    origins: set[str]
    before: list[Before] = field(default_factory=list)

    @property
    def writes(self) -> list[str]:
        return [path for method, path in self.asked if method != "GET"]

    def change(self, statement: str, **values: Any) -> None:
        """Change the platform's database behind its back."""
        self.database.write(lambda tx: tx.run(statement, **values))

    def post(self, path: str, said: Any) -> None:
        """Say something to the platform that no sync knows of."""
        headers = {"Authorization": f"Token {self.token}", "Content-Type": "application/json"}
        request = urllib.request.Request(self.url + path, json.dumps(said).encode(), headers)
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert answer.status in (200, 201)

    def get(self, path: str) -> Any:
        """What the platform shows at a path of the public API."""
        headers = {"Authorization": f"Token {self.token}", "Accept": "*/*; version=2"}
        request = urllib.request.Request(f"{self.url}{PUBLIC}/{path}", headers=headers)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def new_token(self, scope: str) -> str:
        return _new_token(self.database, scope)


@contextlib.contextmanager
def live(folder: Path) -> Iterator[Live]:
    """A platform on a database file in the folder, started and stopped."""
    settings = Settings(database_url=f"sqlite:///{folder}/platform.db")
    database = opening.opened(settings, "test-installation")
    listening = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    found = Live(url, _new_token(database, "both"), database, [], set())
    inner = app.create_app(settings, app.parts(settings, database))
    config = uvicorn.Config(_gate(inner, found), log_config=None, access_log=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        yield found
    finally:
        server.should_exit = True
        thread.join(30)


def _new_token(database: Sqlite, scope: str) -> str:
    token = secrets.token_hex(32)
    key = keys.new_key(1, "test", scope, clock.utc_now())
    database.write(lambda tx: keys.create(tx, key, token))
    return token


def _gate(inner: Any, found: Live) -> Any:
    async def gate(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await inner(scope, receive, send)
            return
        method, path = scope["method"], scope["path"]
        found.asked.append((method, path))
        headers = dict(scope["headers"])
        if method != "GET":
            found.origins.add(headers.get(b"x-ordertrail-origin", b"live").decode())
        answers = (before(method, path) for before in found.before)
        answer = next((each for each in answers if each is not None), None)
        if answer is None:
            await inner(scope, receive, send)
            return
        told = [(name.encode(), value.encode()) for name, value in answer.headers.items()]
        body = json.dumps(answer.body).encode()
        await send({"type": "http.response.start", "status": answer.status, "headers": told})
        await send({"type": "http.response.body", "body": body})

    return gate
