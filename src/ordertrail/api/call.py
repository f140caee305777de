"""A call as the handlers see it: who asks, for what, with which body; and their answer."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import parse_qsl, quote

from ordertrail.actions.keys import Key
from ordertrail.actions.requests import Keep
from ordertrail.domain.errors import Invalid
from ordertrail.domain.journal import Author, Origin
from ordertrail.kit.clock import Clock
from ordertrail.kit.committer import Action, Committer
from ordertrail.kit.database import Reader
from ordertrail.kit.readers import Readers
from ordertrail.wire import body

T = TypeVar("T")

OPERATION_KEY_LENGTH_MAX = 255
_ORIGINS = {origin.encode(): origin for origin in Origin}


@dataclass(frozen=True, slots=True)
class Limits:
    """What the API accepts of one caller."""

    body_bytes_max: int = 1 << 20
    batch_bytes_max: int = 8 << 20
    keys_cached_max: int = 10_000
    key_seen_s: float = 1.0


@dataclass(frozen=True, slots=True)
class Platform:
    """What the API stands on; `keep_requests` is None when calls are not to be logged."""

    committer: Committer
    readers: Readers
    key_readers: Readers
    clock: Clock
    version: str
    limits: Limits
    keep_requests: Keep | None


@dataclass(slots=True)
class Call:
    """One authenticated request, or one operation of a batch as it would be by itself."""

    platform: Platform
    key: Key
    scope: Mapping[str, Any]
    headers: Mapping[bytes, bytes]
    raw_body: bytes

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
        return Author(f"key:{self.key.id}", origin)

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

    def body(self) -> dict[str, Any]:
        """Return the JSON object in the body, or raise Invalid."""
        return body.decode_object(self.raw_body)

    def path_text(self, name: str) -> str:
        """Return an id of the shop from the path."""
        value = str(self.scope["path_params"][name])
        if "\0" in value:
            raise Invalid({name: "must not contain a NUL character"})
        return body.identifier(name, value)

    def path_number(self, name: str) -> int:
        """Return one of our own ids from the path."""
        return body.whole(name, self.scope["path_params"][name])

    def query(self, name: str) -> str | None:
        """Return a query value; the one trailing slash that some clients append is dropped."""
        pairs = parse_qsl(self.scope["query_string"].decode("latin-1"), keep_blank_values=True)
        value = dict(pairs).get(name)
        return value.removesuffix("/") if value else None

    def link(self, **query: str) -> str:
        """Return the absolute address of this call with another query."""
        host = self.headers.get(b"host", b"localhost").decode("latin-1")
        words = "&".join(f"{name}={value}" for name, value in query.items())
        return f"{self.scope['scheme']}://{host}{quote(self.scope['path'])}?{words}"

    async def commit(self, action: Action, command: object) -> Any:
        """Hand one command to the committer and return its outcome, or raise what refused it."""
        [outcome] = await self.platform.committer.commit(self.workspace_id, action, [command])
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def read(self, work: Callable[[Reader], T]) -> T:
        """Return what the work reads on one snapshot."""
        return await self.platform.readers.read(work)


@dataclass(frozen=True, slots=True)
class Answer:
    """What is said back: a status, a body that becomes JSON, and headers of its own."""

    body: Mapping[str, Any] | Sequence[Any]
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


Handler = Callable[[Call], Awaitable[Answer]]
