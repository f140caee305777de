"""Who may come in: tokens, scopes, addresses and rate limits of keys."""

import ipaddress
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ordertrail.actions import keys
from ordertrail.actions.keys import Key
from ordertrail.domain.errors import Forbidden, Unauthorised, Unavailable
from ordertrail.kit.limits import TokenBucket
from ordertrail.kit.readers import Readers

ANY = "any"
"""The access that a key of every scope has."""

_SAY_HOW = "Send the header 'Authorization: Token <your 64-character API key>'."


class Throttled(Unavailable):
    """The key's own rate limit is used up."""


@dataclass(frozen=True, slots=True)
class _Seen:
    key: Key | None
    until: float


class Keyring:
    """Finds keys, and remembers each for a moment: a revoked one works no longer than that."""

    def __init__(self, readers: Readers, *, seen_s: float, cached_max: int) -> None:
        self._readers = readers
        self._seen_s = seen_s
        self._cached_max = cached_max
        self._seen: dict[bytes, _Seen] = {}
        self._buckets: dict[tuple[int, int], TokenBucket] = {}

    async def admit(
        self, scope: Mapping[str, Any], authorization: bytes, access: str, now: float
    ) -> Key:
        """Return the caller's key; `now` is in monotonic seconds.

        Raises Unauthorised, Forbidden, or Throttled when the key's rate limit is used up.
        """
        seen = self._seen.get(authorization)
        if seen is None or seen.until < now:
            seen = await self._look_up(authorization, now)
        if seen.key is None:
            raise Unauthorised(f"Invalid token. {_SAY_HOW}")
        _check_access(seen.key, scope, access)
        if seen.key.rate_limit:
            self._take(seen.key, now)
        return seen.key

    async def _look_up(self, authorization: bytes, now: float) -> _Seen:
        scheme, _, token = authorization.decode("latin-1").partition(" ")
        token = token.strip()
        if scheme.lower() != "token" or not token:
            raise Unauthorised(f"Authentication credentials were not provided. {_SAY_HOW}")
        if len(token) != keys.TOKEN_LENGTH:
            raise Unauthorised(f"Invalid token: it has not 64 characters. {_SAY_HOW}")
        key = await self._readers.read(lambda reader: keys.find(reader, token))
        seen = _Seen(key, now + self._seen_s)
        if key is None:
            self._seen.pop(authorization, None)
            return seen
        if len(self._seen) >= self._cached_max:
            self._seen.clear()
        self._seen[authorization] = seen
        return seen

    def _take(self, key: Key, now: float) -> None:
        place = (key.workspace_id, key.id)
        bucket = self._buckets.get(place)
        if bucket is None or bucket.per_s != key.rate_limit:
            bucket = self._buckets[place] = TokenBucket.full(key.rate_limit, now)
        wait_s = bucket.take(now)
        if wait_s:
            seconds = math.ceil(wait_s)
            unit = "second" if seconds == 1 else "seconds"
            raise Throttled(
                f"Request was throttled. Expected available in {seconds} {unit}.", seconds
            )


def _check_access(key: Key, scope: Mapping[str, Any], access: str) -> None:
    if access != ANY and key.scope not in ("both", access):
        raise Forbidden(f"This key may only {key.scope}; this call needs the scope '{access}'.")
    if key.networks:
        address = _address(scope)
        if address is None or not any(
            address in ipaddress.ip_network(network) for network in key.networks
        ):
            raise Forbidden("This key may not be used from this address.")


def _address(scope: Mapping[str, Any]) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The caller's address, if the server knows it; IPv4 as such, also on an IPv6 socket."""
    try:
        address = ipaddress.ip_address((scope.get("client") or ("",))[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
