"""The client: makes calls over one pool of connections and says what came of them."""

import asyncio
import hashlib
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import aiohttp
from yarl import URL

from ordertrail.client import answers
from ordertrail.client.answers import About, Answer
from ordertrail.client.calls import ABOUT, ACCEPT, Call
from ordertrail.domain.errors import Forbidden, Invalid, Unauthorised, Unavailable
from ordertrail.wire import body

ANSWER_BYTES_MAX = 4 << 20
IDEMPOTENCY_KEY_LENGTH = 40
ORDER_DIGITS = 12
API_PATH = "/api/public"
REASON_CHARS_MAX = 200


class Client:
    """The API at one address for one token; used as `async with`, in one event loop.

    At most `connections_max` calls are under way at once; others wait for their turn, which does
    not count against `timeout_s`.
    """

    def __init__(
        self, url: str, token: str, *, connections_max: int = 32, timeout_s: float = 30.0
    ) -> None:
        if not token.isascii() or not token.isprintable() or " " in token:
            raise Invalid({"token": "must be an API key: letters and digits without a space"})
        self.url = normalised(url)
        self._token = token
        self._connections_max = connections_max
        self._timeout_s = timeout_s
        self._turns = asyncio.Semaphore(connections_max)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self._connections_max),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=self._timeout_s),
            headers={"Authorization": f"Token {self._token}", "Accept": ACCEPT},
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def send(self, call: Call, operation_key: str | None = None) -> Any:
        """Make the call and return the JSON of its answer, None when that is empty.

        With an operation key, an endpoint that honours it carries the call out once however often
        it is sent. Raises Refused when the call must change, and Unavailable when it may be sent
        again as it is; it may then have been carried out nevertheless.
        """
        answer = await self._answer(call, operation_key)
        if not answer.is_good:
            raise answers.failure(answer, self._token)
        return answers.content(answer)

    async def about(self) -> About | None:
        """Return who answers, or None when the endpoint is not our own platform.

        Raises Unauthorised or Forbidden for the token, Unavailable when nobody answers.
        """
        answer = await self._answer(ABOUT)
        if not answer.is_good:
            failure = answers.failure(answer, self._token)
            if isinstance(failure, Unauthorised | Forbidden | Unavailable):
                raise failure
        return answers.about(answer)

    async def _answer(self, call: Call, operation_key: str | None = None) -> Answer:
        if self._session is None:
            raise RuntimeError("the client is used outside of `async with`")
        headers = {}
        if call.body:
            headers["Content-Type"] = "application/json"
        if operation_key is not None:
            headers["Idempotency-Key"] = idempotency_key(operation_key)
        try:
            async with (
                self._turns,
                self._session.request(
                    call.method,
                    URL(self.url + call.path, encoded=True),
                    data=body.encode(call.body) if call.body else None,
                    headers=headers,
                    allow_redirects=False,
                ) as response,
            ):
                return await _read(response)
        except (aiohttp.ClientError, OSError) as error:
            reason = f"{self.url}: {type(error).__name__} {error}"[:REASON_CHARS_MAX].strip()
            raise Unavailable(reason) from error


def normalised(url: str) -> str:
    """Return the address of the API's host; raises Invalid when it is not one of HTTP.

    A slash at its end, and the API's own path, are left out.
    """
    try:
        parts = urlsplit(url.strip())
        is_whole = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        is_whole = False
    if not is_whole or parts.query or parts.fragment:
        raise Invalid({"url": "must be like https://acme.user.com, with http or https and a host"})
    if parts.username or parts.password:
        raise Invalid({"url": "must not hold a user name or password; give the token by itself"})
    path = parts.path.rstrip("/").removesuffix(API_PATH)
    return f"{parts.scheme}://{parts.netloc.lower()}{path}"


def idempotency_key(operation_key: str) -> str:
    """Return the header value that stands for an operation's permanent key.

    Keys of one order begin alike, so that the endpoint's index of them is written in one place.
    """
    order = ":".join(operation_key.split(":")[:2])
    return (_digest(order)[:ORDER_DIGITS] + _digest(operation_key))[:IDEMPOTENCY_KEY_LENGTH]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


async def _read(response: aiohttp.ClientResponse) -> Answer:
    """Read the whole answer, up to a limit beyond which no answer of the API is."""
    parts: list[bytes] = []
    size = 0
    while part := await response.content.readany():
        size += len(part)
        if size > ANSWER_BYTES_MAX:
            raise Unavailable(f"the answer is longer than {ANSWER_BYTES_MAX} bytes")
        parts.append(part)
    retry_after = response.headers.get("Retry-After")
    wait_s = None
    if retry_after is not None:
        wait_s = answers.seconds_to_wait(retry_after, response.headers.get("Date"))
    return Answer(response.status, b"".join(parts), wait_s)
