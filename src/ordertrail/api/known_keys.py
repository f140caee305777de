"""Keys by their tokens, remembered for a moment; wrong tokens are not, however many come."""

import asyncio
import hashlib
import secrets
from collections import Counter
from dataclasses import dataclass

from ordertrail.actions import keys
from ordertrail.actions.keys import Key
from ordertrail.domain.errors import Unavailable
from ordertrail.kit.readers import Readers

STRANGERS_MAX = 500
"""How many tokens that are not remembered are looked up at a time for one place."""

_MARK_BYTES = 32


@dataclass(frozen=True, slots=True)
class _Seen:
    key: Key
    until: float


class KnownKeys:
    """Finds keys, and remembers each for `seen_s`: a revoked one works no longer than that.

    They are remembered under a hash whose own key nobody else has, so that the time a look-up
    takes tells nothing of them.
    """

    def __init__(
        self,
        readers: Readers,
        *,
        seen_s: float,
        cached_max: int,
        strangers_max: int = STRANGERS_MAX,
    ) -> None:
        self._readers = readers
        self._seen_s = seen_s
        self._cached_max = cached_max
        self._strangers_max = strangers_max
        self._secret = secrets.token_bytes(_MARK_BYTES)
        self._seen: dict[bytes, _Seen] = {}
        self._asked: dict[bytes, asyncio.Task[Key | None]] = {}
        self._strangers: Counter[str] = Counter()

    async def find(self, token: str, place: str, now: float) -> Key | None:
        """Return the key of a token, or None; `now` is in monotonic seconds.

        Raises Unavailable when too many unknown tokens of the place are being looked up: those
        that are remembered do not wait behind them.
        """
        mark = hashlib.blake2b(token.encode(), key=self._secret, digest_size=_MARK_BYTES).digest()
        seen = self._seen.get(mark)
        if seen is not None and now <= seen.until:
            return seen.key
        asked = self._asked.get(mark)
        if asked is None:
            asked = self._ask(mark, token, place if seen is None else None, now)
        return await asyncio.shield(asked)

    def _ask(
        self, mark: bytes, token: str, stranger: str | None, now: float
    ) -> asyncio.Task[Key | None]:
        """Begin a look-up that all who come with the token wait for."""
        if stranger is not None:
            if self._strangers[stranger] >= self._strangers_max:
                raise Unavailable("too many unknown tokens come from this address", 1.0)
            self._strangers[stranger] += 1
        asked = asyncio.ensure_future(self._look_up(mark, token, now))
        self._asked[mark] = asked

        def ended(asked: asyncio.Task[Key | None]) -> None:
            del self._asked[mark]
            if stranger is not None:
                self._strangers[stranger] -= 1
                if not self._strangers[stranger]:
                    del self._strangers[stranger]
            if not asked.cancelled():
                asked.exception()  # those who wait raise it; they may all have gone away

        asked.add_done_callback(ended)
        return asked

    async def _look_up(self, mark: bytes, token: str, now: float) -> Key | None:
        key = await self._readers.read(lambda reader: keys.find(reader, token))
        self._seen.pop(mark, None)
        if key is not None:
            self._seen[mark] = _Seen(key, now + self._seen_s)
            if len(self._seen) > self._cached_max:
                del self._seen[next(iter(self._seen))]
        return key
