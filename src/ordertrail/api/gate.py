"""Every call passes here: body limit, key, handler, answer as JSON, one row in the log."""

import asyncio
import json
import logging
import re
import time
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.types import Receive, Scope, Send

from ordertrail.actions import requests
from ordertrail.actions.requests import Request
from ordertrail.api.bodies import TooLarge, UnknownCoding, read_body
from ordertrail.api.call import Answer, Call, Platform, Streamed
from ordertrail.api.keyring import Keyring, Throttled
from ordertrail.api.known_keys import KnownKeys
from ordertrail.api.route import Route
from ordertrail.api.trace import Trace
from ordertrail.domain.errors import Refused, Unavailable
from ordertrail.kit.committer import Closed, QueueFull
from ordertrail.kit.database import DatabaseAway, DatabaseRefused, QueryTooSlow
from ordertrail.kit.readers import TooManyReads
from ordertrail.wire import body, errors

_log = logging.getLogger("ordertrail.api")
AWAY = (DatabaseAway, DatabaseRefused)
"""What the log tells whole, and a caller without a word of where the data is."""

BUSY = (Unavailable, QueueFull, TooManyReads, Closed, QueryTooSlow, *AWAY)
"""What may be carried out later as it is."""

_PROBLEM_LENGTH_MAX = 200
_NOT_ALL_READ = (413, 415)
_TAKEN = {"accept-encoding": "gzip"}
_WARNINGS_BYTES_MAX = 4_000
_NAMES_NO_PERSON = ("deals", "products")
_EMAIL = re.compile(r"[^\s:;,'\"]+@[^\s:;,'\"]+")


class Gate:
    """Makes ASGI endpoints of handlers."""

    def __init__(self, platform: Platform) -> None:
        limits = platform.limits
        self.platform = platform
        self.keyring = Keyring(
            KnownKeys(
                platform.key_readers, seen_s=limits.key_seen_s, cached_max=limits.keys_cached_max
            ),
            platform.committer,
            platform.clock,
            in_use_max=limits.keys_cached_max,
        )

    def endpoint(self, route: Route) -> "Endpoint":
        """Return what answers at a route, for callers whose key has its scope."""
        return Endpoint(self, route)

    def record(self, key_workspace_id: int, request: Request) -> None:
        """Let the call be logged with the next batch."""
        if self.platform.logs_requests:
            self.platform.committer.ride(key_workspace_id, requests.append, request)


class Endpoint:
    """One route: admits, reads, handles, answers."""

    def __init__(self, gate: Gate, route: Route) -> None:
        self._gate = gate
        self.path = route.path
        self._may_name_people = not any(f"/{kind}" in route.path for kind in _NAMES_NO_PERSON)
        self._handle = route.handle
        self._access = route.scope
        self._bytes_max = max(gate.platform.limits.body_bytes_max, route.bytes_max or 0)

    async def __call__(
        self, scope: Scope, named: Mapping[str, str], receive: Receive, send: Send
    ) -> None:
        """Answer one request; `named` is what its path names."""
        started = time.perf_counter()
        trace: Trace = scope["trace"]
        trace.route = self.path
        call, answer = await self._answered(scope, named, receive, trace)
        if isinstance(answer.body, Streamed):
            await stream(send, receive, answer, answer.body, trace)
        else:
            await reply(send, answer, trace)
        if call is not None:
            problem = answer.body.get("detail") if isinstance(answer.body, Mapping) else None
            self._gate.record(
                call.workspace_id,
                Request(
                    at=self._gate.platform.clock(),
                    method=scope["method"],
                    path=self._logged(scope["path"], named),
                    status=answer.status,
                    duration_micros=int((time.perf_counter() - started) * 1_000_000),
                    key_id=call.key.id,
                    request_id=trace.request_id,
                    problem=_masked(str(problem)) if answer.status >= 400 else None,
                ),
            )

    def _logged(self, path: str, named: Mapping[str, str]) -> str:
        """The path as the log keeps it: none that names a person by more than a number."""
        is_hidden = self._may_name_people and not all(name.isdigit() for name in named.values())
        return self.path if is_hidden else path

    async def _answered(
        self, scope: Scope, named: Mapping[str, str], receive: Receive, trace: Trace
    ) -> tuple[Call | None, Answer]:
        call = None
        try:
            headers = dict(scope["headers"])
            authorization = headers.get(b"authorization", b"")
            key = await self._gate.keyring.admit(
                scope, authorization, self._access, time.monotonic()
            )
            trace.key_id = key.id
            method, path = scope["method"], scope["path"]
            call = Call(self._gate.platform, key, scope, method, path, named, headers, b"")
            call.raw_body = await read_body(headers, receive, self._bytes_max)
            return call, await self._handle(call)
        except Exception as error:
            return call, answer_to(error, trace.request_id)


def answer_to(error: Exception, request_id: str) -> Answer:
    """Return what a caller is told of an error; one that nobody foresaw is logged whole."""
    if isinstance(error, Refused):
        status, said = errors.encode(error)
        return Answer(said, status, {"www-authenticate": "Token"} if status == 401 else {})
    if isinstance(error, Throttled):
        return Answer({"detail": str(error)}, 429, {"retry-after": f"{error.retry_after_s:.0f}"})
    if isinstance(error, AWAY):
        _log.error("request %s: %s", request_id, error)
        return Answer(
            {"detail": "The database cannot be reached now; try again."}, 503, {"retry-after": "1"}
        )
    if isinstance(error, BUSY):
        return Answer({"detail": f"Try again: {error}"}, 503, {"retry-after": "1"})
    if isinstance(error, TooLarge):
        return Answer({"detail": str(error), "errors": {"body": [str(error)]}}, 413)
    if isinstance(error, UnknownCoding):
        return Answer({"detail": f"Unknown Content-Encoding: {error}."}, 415, _TAKEN)
    _log.error("request %s failed", request_id, exc_info=error)
    said_of_bug: dict[str, Any] = {
        "detail": "This is a fault of the server. Its log says more under the request id.",
        "request_id": request_id,
    }
    return Answer(said_of_bug, 500)


async def reply(send: Send, answer: Answer, trace: Trace) -> None:
    """Send an answer as JSON."""
    raw = body.encode(answer.body)
    of_body = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(raw))]
    await _begin(send, answer, trace, of_body)
    await send({"type": "http.response.body", "body": raw})


async def stream(
    send: Send, receive: Receive, answer: Answer, streamed: Streamed, trace: Trace
) -> None:
    """Send an answer part by part, until the caller leaves.

    What fails on the way is logged, and the answer breaks off: it cannot be taken for whole.
    """
    leaving = asyncio.ensure_future(_left(receive))
    try:
        await _begin(send, answer, trace, [(b"content-type", streamed.media_type.encode())])
        async for part in streamed.parts:
            if leaving.done():
                return
            if part:
                await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
    except Exception as error:
        is_known = isinstance(error, (*BUSY, Refused))
        shown = None if is_known else error
        _log.error("request %s broke off: %s", trace.request_id, error, exc_info=shown)
    finally:
        leaving.cancel()
        await streamed.parts.aclose()


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _begin(
    send: Send, answer: Answer, trace: Trace, of_body: Sequence[tuple[bytes, bytes]]
) -> None:
    trace.status = answer.status
    headers = [*of_body, (b"x-request-id", trace.request_id.encode())]
    headers += [(name.encode(), value.encode()) for name, value in answer.headers.items()]
    if answer.warnings:
        headers.append((b"x-ordertrail-warnings", _as_header(answer.warnings)))
    if answer.status in _NOT_ALL_READ:
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})


def _masked(problem: str) -> str:
    """What was wrong, without the e-mails that a caller may have sent as names of fields."""
    return _EMAIL.sub("***", problem)[:_PROBLEM_LENGTH_MAX]


def _as_header(warnings: Sequence[str]) -> bytes:
    """Warnings as a JSON list in ASCII, as many of them as a header should hold."""
    kept: list[str] = []
    size = 2
    for warning in warnings:
        size += len(json.dumps(warning)) + 2
        if size > _WARNINGS_BYTES_MAX:
            break
        kept.append(warning)
    return json.dumps(kept).encode()
