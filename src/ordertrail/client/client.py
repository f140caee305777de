"""The client: makes calls over one pool of connections and says what came of them."""

import asyncio
import hashlib
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from ordertrail.client import answers
from ordertrail.client.answers import About, Answer
from ordertrail.client.calls import ABOUT, ACCEPT, BATCH_PATH, Call
from ordertrail.client.exchange import Exchange, NotSent, Request, Socket
from ordertrail.domain.errors import (
    Forbidden,
    Invalid,
    NotFound,
    Refused,
    Unauthorised,
    Unavailable,
)
from ordertrail.wire import batch, body

IDEMPOTENCY_KEY_LENGTH = 40
ORDER_DIGITS = 12
API_PATH = "/api/public"
REASON_CHARS_MAX = 200
LIVE = "live"
_NOT_SENT = (NotSent, ConnectionRefusedError, socket.gaierror)


@dataclass(frozen=True, slots=True)
class Item:
    """One call of a batch, with the permanent key of its operation."""

    call: Call
    operation_key: str | None = None


class Client:
    """The API at one address for one token; used as `async with`, in one event loop.

    At most `connections_max` calls are under way at once; others wait for their turn, which does
    not count against `timeout_s`. An `exchange` of one's own takes the place of the network, and
    is to give up after `timeout_s` too.
    `date` is what the latest answer said of its time, as its header had it.
    """

    def __init__(
        self,
        url: str,
        token: str,
        *,
        connections_max: int = 32,
        timeout_s: float = 30.0,
        exchange: Exchange | None = None,
    ) -> None:
        if not token.isascii() or not token.isprintable() or " " in token:
            raise Invalid({"token": "must be an API key: letters and digits without a space"})
        self.url = normalised(url)
        self.date: str | None = None
        self._token = token
        self._connections_max = connections_max
        self.timeout_s = timeout_s
        self._given = exchange
        self._exchange: Exchange | None = None
        self._socket: Socket | None = None
        self._turns = asyncio.Semaphore(connections_max)
        self._headers = {"Authorization": f"Token {token}", "Accept": ACCEPT}
        self._writing = {**self._headers, "Content-Type": "application/json"}

    async def __aenter__(self) -> Self:
        if self._given is not None:
            self._exchange = self._given
        else:
            self._socket = Socket(self._connections_max, self.timeout_s)
            self._exchange = self._socket.exchange
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._exchange = None
        if self._socket is not None:
            await self._socket.close()
            self._socket = None

    async def send(
        self, call: Call, operation_key: str | None = None, *, origin: str = LIVE
    ) -> Any:
        """Make the call and return the JSON of its answer, None when that is empty.

        With an operation key, an endpoint that honours it carries the call out once however often
        it is sent. Raises Refused when the call must change, and Unavailable when it may be sent
        again as it is; `is_unsure` then tells whether it may have been carried out nevertheless.
        """
        answer = await self._answer(call, operation_key, origin)
        if not answer.is_good:
            raise answers.failure(answer, self._token)
        return answers.content(answer)

    async def send_batch(
        self, items: Sequence[Item], *, origin: str = LIVE
    ) -> list[Any | Refused | Unavailable]:
        """Make several calls in one, in this order, and return what came of each.

        Only an endpoint with the feature "batch" has it. Raises Refused or Unavailable when the
        batch failed as a whole; a refused call leaves the others alone.
        """
        said = [_said(item) for item in items]
        answer = await self._answer(Call("POST", BATCH_PATH, {"operations": said}), None, origin)
        if not answer.is_good:
            raise answers.failure(answer, self._token)
        return answers.each(answer, self._token, len(items))

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

    async def _answer(
        self, call: Call, operation_key: str | None = None, origin: str = LIVE
    ) -> Answer:
        if self._exchange is None:
            raise RuntimeError("the client is used outside of `async with`")
        headers = self._writing if call.body else self._headers
        if operation_key is not None:
            headers = {**headers, "Idempotency-Key": idempotency_key(operation_key)}
        if origin != LIVE:
            headers = {**headers, "X-Ordertrail-Origin": origin}
        raw = body.encode(call.body) if call.body else None
        request = Request(call.method, self.url + call.path, headers, raw)
        try:
            async with self._turns:
                answer = await self._exchange(request)
        except OSError as error:
            kind = type(error).__name__
            reason = f"{self.url}: {str(error) or kind}"[:REASON_CHARS_MAX].strip()
            is_unsure = not isinstance(error, _NOT_SENT)
            raise Unavailable(reason, is_unsure=is_unsure) from error
        self.date = answer.date
        return answer


class TooManyPages(Refused):
    """A list goes on behind as many pages as may be read of it."""


async def pages(
    ask: Callable[[Call], Awaitable[Any]], call: Call, pages_max: int
) -> AsyncGenerator[list[Any], None]:
    """Yield the results of a list, page by page; raises TooManyPages when more follow.

    A plain list is one page. A next page that is not there is an empty last one. The links are
    followed at the address that is known: behind a proxy they may name another.
    """
    for number in range(pages_max):
        try:
            said = await ask(call)
        except NotFound:
            if number == 0:
                raise
            return
        results = said.get("results") if isinstance(said, dict) else said
        if not isinstance(results, list):
            raise Unavailable("the answer is no list")
        yield results
        following = said.get("next") if isinstance(said, dict) else None
        if not isinstance(following, str) or not following:
            return
        call = Call("GET", _path_of(following))
    raise TooManyPages(f"the list has more than {pages_max} pages")


def _path_of(link: str) -> str:
    """Return the API's path in a link, with its query as it stands."""
    parts = urlsplit(link)
    start = max(parts.path.find(f"{API_PATH}/"), 0)
    return f"{parts.path[start:]}?{parts.query}"


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


def _said(item: Item) -> dict[str, Any]:
    call, key = item.call, item.operation_key
    sent_key = None if key is None else idempotency_key(key)
    return batch.encode_operation(call.method, call.path, call.body, sent_key)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
