"""The network behind one function: a request goes out and an answer comes back, over aiohttp.

Whoever gives a client another exchange replaces the socket and nothing else.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import aiohttp
from yarl import URL

from ordertrail.client import answers
from ordertrail.client.answers import Answer
from ordertrail.domain.errors import Unavailable

ANSWER_BYTES_MAX = 16 << 20
CONNECT_S_MAX = 10.0
"""How long to wait for a connection: shorter than for an answer, as nothing was sent yet."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it goes out; `url` is percent-encoded."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None


Exchange = Callable[[Request], Awaitable[Answer]]
"""Sends a request and returns its answer.

Raises OSError when there is none: ConnectionRefusedError, NotSent or socket.gaierror when nothing
was sent.
"""


class NotSent(ConnectionError):
    """There was no connection to send anything over."""


class Socket:
    """Exchanges over one pool of connections; used as `async with`, in one event loop."""

    def __init__(self, connections_max: int, timeout_s: float) -> None:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=connections_max),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(
                total=timeout_s, sock_connect=min(timeout_s / 2, CONNECT_S_MAX)
            ),
            auto_decompress=True,
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()

    async def exchange(self, request: Request) -> Answer:
        """Send the request and return its answer; raises as an Exchange does."""
        try:
            async with self._session.request(
                request.method,
                URL(request.url, encoded=True),
                data=request.body,
                headers=request.headers,
                allow_redirects=False,
            ) as response:
                return await _read(response)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise NotSent(_said(error)) from error
        except aiohttp.ClientError as error:
            raise ConnectionError(_said(error)) from error


def _said(error: Exception) -> str:
    return f"{type(error).__name__} {error}".strip()


async def _read(response: aiohttp.ClientResponse) -> Answer:
    """Read the whole answer, up to a limit beyond which no answer of the API is."""
    parts: list[bytes] = []
    size = 0
    while part := await response.content.readany():
        size += len(part)
        if size > ANSWER_BYTES_MAX:
            reason = f"the answer is longer than {ANSWER_BYTES_MAX} bytes"
            raise Unavailable(reason, is_unsure=True)
        parts.append(part)
    retry_after, date = response.headers.get("Retry-After"), response.headers.get("Date")
    wait_s = None if retry_after is None else answers.seconds_to_wait(retry_after, date)
    return Answer(response.status, b"".join(parts), wait_s, date)
