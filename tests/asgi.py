"""Calls an ASGI application in process, as a server would: its lifespan, and requests.

The event loop runs while a call is made and stands still in between, so tests are plain
functions. What the application raises is raised here.
"""

import asyncio
import contextlib
import json as jsonlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote


@dataclass(frozen=True)
class Reply:
    """What the application answered; of repeated headers `headers` holds the last."""

    status: int
    header_list: list[tuple[str, str]]
    raw: bytes

    @property
    def headers(self) -> dict[str, str]:
        return dict(self.header_list)

    @property
    def text(self) -> str:
        return self.raw.decode()

    @property
    def json(self) -> Any:
        return jsonlib.loads(self.raw)


@dataclass(frozen=True)
class Request:
    """One request; `target` is path and query as they stand on the wire, percent-encoded.

    `body` is the bytes, or their chunks; `json` is encoded when there is no body. With
    `breaks_off` the connection ends where more of the body was promised. With `leaves_after` the
    caller is gone when it has so many parts of the answer.
    """

    method: str
    target: str
    headers: Mapping[str, str] | Sequence[tuple[str, str]] = ()
    body: bytes | Sequence[bytes] = b""
    json: Any = None
    client: tuple[str, int] | None = ("127.0.0.1", 50_000)
    breaks_off: bool = False
    leaves_after: int | None = None

    def chunks(self) -> list[bytes]:
        if self.json is not None:
            return [jsonlib.dumps(self.json).encode()]
        return [self.body] if isinstance(self.body, bytes) else list(self.body)

    def scope(self) -> dict[str, Any]:
        path, _, query = self.target.partition("?")
        pairs = self.headers.items() if isinstance(self.headers, Mapping) else self.headers
        headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in pairs]
        names = {name for name, _ in headers}
        if b"host" not in names:
            headers.append((b"host", b"shop.test"))
        if b"content-length" not in names and len(self.chunks()) == 1:
            headers.append((b"content-length", str(len(self.chunks()[0])).encode()))
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": self.method,
            "scheme": "http",
            "path": unquote(path),
            "raw_path": path.encode("ascii"),
            "query_string": query.encode("ascii"),
            "root_path": "",
            "headers": headers,
            "client": self.client,
            "server": ("127.0.0.1", 8000),
            "state": {},
        }


class Caller:
    """Speaks to one application; use it inside `serving`."""

    def __init__(self, app: Any, runner: asyncio.Runner) -> None:
        self._app = app
        self._runner = runner

    def call(self, method: str, target: str, **more: Any) -> Reply:
        """Make one request."""
        return self.together([Request(method, target, **more)])[0]

    def together(self, requests: Iterable[Request]) -> list[Reply]:
        """Make requests side by side and return the replies in their order."""

        async def ask() -> list[Reply]:
            return list(await asyncio.gather(*(_ask(self._app, each) for each in requests)))

        return self._runner.run(ask())


@contextlib.contextmanager
def serving(app: Any) -> Iterator[Caller]:
    """Run the application's lifespan around a block; a failed start is raised."""
    with asyncio.Runner() as runner:
        lifespan = runner.run(_begin(app))
        try:
            yield Caller(app, runner)
        finally:
            runner.run(lifespan.end())


async def _ask(app: Any, request: Request) -> Reply:
    chunks = request.chunks()
    said: list[Mapping[str, Any]] = []
    is_answered = asyncio.Event()

    async def receive() -> dict[str, Any]:
        if chunks:
            more = len(chunks) > 1 or request.breaks_off
            return {"type": "http.request", "body": chunks.pop(0), "more_body": more}
        if not request.breaks_off:
            await is_answered.wait()
        return {"type": "http.disconnect"}

    async def send(message: Mapping[str, Any]) -> None:
        said.append(message)
        is_last = message["type"] == "http.response.body" and not message.get("more_body")
        if is_last or len(said) - 1 == request.leaves_after:
            is_answered.set()

    await app(request.scope(), receive, send)
    start, *rest = said
    assert start["type"] == "http.response.start"
    assert is_answered.is_set(), "the application ended without finishing its answer"
    headers = [
        (name.decode("latin-1"), value.decode("latin-1")) for name, value in start["headers"]
    ]
    return Reply(start["status"], headers, b"".join(each.get("body", b"") for each in rest))


class _Lifespan:
    def __init__(self, app: Any) -> None:
        self._orders: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._said: asyncio.Queue[Mapping[str, Any]] = asyncio.Queue()
        scope = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}
        self._task = asyncio.ensure_future(app(scope, self._orders.get, self._said.put))

    async def order(self, kind: str) -> None:
        self._orders.put_nowait({"type": f"lifespan.{kind}"})
        answer = asyncio.ensure_future(self._said.get())
        await asyncio.wait({answer, self._task}, return_when=asyncio.FIRST_COMPLETED)
        if not answer.done():
            answer.cancel()
            self._task.result()
            raise RuntimeError(f"the application ended without an answer to {kind}")
        message = answer.result()
        if message["type"] != f"lifespan.{kind}.complete":
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            raise RuntimeError(message.get("message", f"{kind} failed"))

    async def end(self) -> None:
        await self.order("shutdown")
        await self._task


async def _begin(app: Any) -> _Lifespan:
    lifespan = _Lifespan(app)
    await lifespan.order("startup")
    return lifespan
