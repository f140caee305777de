"""A call as the handlers see it: who asks, for what, with which body; and their answer."""

import functools
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import parse_qsl, quote, urlencode

import msgspec

from ordertrail.actions.keys import Key
from ordertrail.api.trace import Trace
from ordertrail.domain.errors import Invalid, NotFound
from ordertrail.domain.journal import Author, Origin
from ordertrail.kit.clock import Clock
from ordertrail.kit.committer import Action, Committer
from ordertrail.kit.paging import Page, Place
from ordertrail.kit.readers import Readers
from ordertrail.kit.snapshot import Snapshot
from ordertrail.wire import body

T = TypeVar("T")
N = TypeVar("N")

OPERATION_KEY_LENGTH_MAX = 255
_ORIGINS = {origin.encode(): origin for origin in Origin}
_VERSION = re.compile(rb"version\s*=\s*\"?([0-9]{1,4})")
_FORM = "application/x-www-form-urlencoded"


@functools.lru_cache(maxsize=1_000)
def _version(accept: bytes) -> int:
    found = _VERSION.search(accept)
    return 2 if found is not None and int(found[1]) >= 2 else 1


@functools.lru_cache(maxsize=1_000)
def _author(key_id: int, origin: Origin) -> Author:
    return Author(f"key:{key_id}", origin)


@dataclass(frozen=True, slots=True)
class Limits:
    """What the API accepts of one caller."""

    body_bytes_max: int = 1 << 20
    keys_cached_max: int = 10_000
    key_seen_s: float = 1.0


@dataclass(frozen=True, slots=True)
class Platform:
    """What the API stands on, and whether calls are logged.

    `running` are the requests with an idempotency key, by workspace, that are not answered yet.
    """

    committer: Committer
    readers: Readers
    key_readers: Readers
    clock: Clock
    version: str
    limits: Limits
    logs_requests: bool
    running: set[tuple[int, str]] = field(default_factory=set)


@dataclass(slots=True)
class Call:
    """One authenticated request, or one operation of a batch as it would be by itself.

    `named` is what stands in its address where the route has a name. `warnings` grow with what was
    sent and is not taken as it was meant.
    """

    platform: Platform
    key: Key
    scope: Mapping[str, Any]
    method: str
    path: str
    named: Mapping[str, str]
    headers: Mapping[bytes, bytes]
    raw_body: bytes
    warnings: list[str] = field(default_factory=list)

    @property
    def version(self) -> int:
        """Which names the caller means and reads: 1, unless version 2 is asked for."""
        return _version(self.headers.get(b"accept", b""))

    @property
    def request_id(self) -> str:
        """The id under which the log says more of the request; a batch has one for all."""
        trace: Trace = self.scope["trace"]
        return trace.request_id

    @property
    def workspace_id(self) -> int:
        """The workspace of the caller's key; nothing outside it can be named."""
        return self.key.workspace_id

    @property
    def author(self) -> Author:
        """Who the journal says it was."""
        sent = self.headers.get(b"x-ordertrail-origin")
        origin = Origin.LIVE if sent is None else _ORIGINS.get(sent.lower())
        if origin is None:
            raise Invalid({"X-Ordertrail-Origin": f"must be one of: {', '.join(Origin)}"})
        return _author(self.key.id, origin)

    @property
    def operation_key(self) -> str | None:
        """The sender's permanent key of what it asks for, if it gave one."""
        sent = self.headers.get(b"idempotency-key")
        if sent is None:
            return None
        if not 0 < len(sent) <= OPERATION_KEY_LENGTH_MAX or not sent.isascii():
            raise Invalid(
                {"Idempotency-Key": f"must have 1 to {OPERATION_KEY_LENGTH_MAX} ASCII characters"}
            )
        return sent.decode()

    @property
    def media_type(self) -> str:
        """What the body is said to be, in lower case and without parameters."""
        sent = self.headers.get(b"content-type", b"").decode("latin-1")
        return sent.partition(";")[0].strip().lower()

    def body(self) -> dict[str, Any]:
        """Return the JSON object or the form in the body, or raise Invalid.

        JSON is taken for what it is also under the name of a form: `curl -d` sends that name.
        """
        if self.media_type == _FORM and not self.raw_body.lstrip().startswith(b"{"):
            return body.decode_form(self.raw_body)
        return body.decode_object(self.raw_body)

    def wants(self, *media_types: str) -> bool:
        """Tell whether the caller names one of these types as what it reads."""
        accept = self.headers.get(b"accept", b"").decode("latin-1").lower()
        return any(each in accept for each in media_types)

    def name(self, kind: Callable[..., N]) -> N:
        """Return the name of the thing in the path: the shop's id of it, or else our own."""
        if "custom_id" in self.named:
            return kind(custom_id=self.path_text("custom_id"))
        return kind(id=self.path_number("id"))

    def path_text(self, name: str) -> str:
        """Return an id of the shop from the path."""
        value = self.named[name]
        if "\0" in value:
            raise Invalid({name: "must not contain a NUL character"})
        return body.identifier(name, value)

    def path_number(self, name: str) -> int:
        """Return one of our own ids from the path; what is no number names nothing."""
        try:
            return body.whole(name, self.named[name])
        except Invalid:
            raise NotFound(f"nothing has this {name}: it is a whole number") from None

    def queries(self) -> dict[str, str]:
        """Return the query; of each value the one trailing slash that clients append is dropped.

        Of a name that is sent twice the last value counts.
        """
        raw = self.scope["query_string"].decode("latin-1")
        try:
            pairs = parse_qsl(
                raw, keep_blank_values=True, errors="strict", max_num_fields=body.FORM_FIELDS_MAX
            )
        except ValueError:
            raise Invalid({"query": "is not percent-encoded UTF-8, or too long"}) from None
        if "\0" in raw or "%00" in raw:
            raise Invalid({"query": "must not contain a NUL character"})
        return {name: value.removesuffix("/") for name, value in pairs}

    def query(self, name: str) -> str | None:
        """Return a query value; None when it was not sent, or is empty."""
        return self.queries().get(name) or None

    def place(self) -> Place:
        """Return the place in a list that the query's cursor names, or raise Invalid."""
        place = Place.read(self.query("cursor"))
        if place is None:
            raise Invalid({"cursor": "is not one that this server gave out"})
        return place

    def link(self, **query: str) -> str:
        """Return the absolute address of this call, with these values in its query."""
        host = self.headers.get(b"host", b"localhost").decode("latin-1")
        words = urlencode({**self.queries(), **query})
        return f"{self.scope['scheme']}://{host}{quote(self.path)}?{words}"

    async def commit(self, action: Action, command: object) -> Any:
        """Hand one command to the committer and return its outcome, or raise what refused it."""
        [outcome] = await self.platform.committer.commit(self.workspace_id, action, [command])
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def read(self, work: Callable[[Snapshot], T]) -> T:
        """Return what the work reads on one snapshot."""
        return await self.platform.readers.read(lambda reader: work(Snapshot(reader)))

    async def look(self, work: Callable[[Snapshot], T]) -> T:
        """Return what a look-up of a few rows by their ids finds on one snapshot."""
        return await self.platform.readers.look(lambda reader: work(Snapshot(reader)))


@dataclass(frozen=True, slots=True)
class Answer:
    """What is said back: a status, a body that becomes JSON or is Streamed, headers of its own.

    `warnings` say what was not taken as it was sent; they go into a header.
    """

    body: Any
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    warnings: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Streamed:
    """A body that is sent part by part while it is made; `media_type` says what it is.

    The parts are closed when all are sent, and when the caller leaves before.
    """

    media_type: str
    parts: AsyncGenerator[bytes, None]


Handler = Callable[[Call], Awaitable[Answer]]


def raw_text(answer: Answer) -> str:
    """Return the body of an answer as JSON text."""
    return body.encode(answer.body).decode()


def raw_answer(status: int, text: str) -> Answer:
    """Return an answer whose body is this JSON text."""
    return Answer(msgspec.Raw(text.encode()), status)


def paged(call: Call, page: Page[T], encode: Callable[[T], dict[str, Any]]) -> Answer:
    """Return a page of a list as the API shows it, with links to its neighbours."""

    def link(cursor: str | None) -> str | None:
        return None if cursor is None else call.link(cursor=cursor)

    return Answer(
        {
            "count": page.count,
            "next": link(page.next_cursor),
            "previous": link(page.previous_cursor),
            "results": [encode(item) for item in page.items],
        }
    )
