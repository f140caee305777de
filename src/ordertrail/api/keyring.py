"""Who may come in: tokens, expiry, scopes, addresses and rate limits of keys."""

import ipaddress
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ordertrail.actions import keys
from ordertrail.actions.keys import Key, Use
from ordertrail.api.known_keys import KnownKeys
from ordertrail.domain.errors import Forbidden, Unauthorised, Unavailable
from ordertrail.kit.clock import Clock
from ordertrail.kit.committer import Committer
from ordertrail.kit.limits import TokenBucket

ANY = "any"
"""The access that a key of every scope has."""

_SAY_HOW = "Send the header 'Authorization: Token <your 64-character API key>'."


class Throttled(Unavailable):
    """The key's own rate limit is used up."""


@dataclass(slots=True)
class _InUse:
    """What is remembered of a key from call to call."""

    bucket: TokenBucket
    noted_at: datetime | None


class Keyring:
    """Lets keys in, at their own rate, and has it written when each was last used.

    Of `in_use_max` keys the bucket is remembered; the one used longest ago begins anew.
    """

    def __init__(
        self, known: KnownKeys, committer: Committer, clock: Clock, *, in_use_max: int
    ) -> None:
        self._known = known
        self._committer = committer
        self._clock = clock
        self._in_use_max = in_use_max
        self._in_use: dict[tuple[int, int], _InUse] = {}

    async def admit(
        self, scope: Mapping[str, Any], authorization: bytes, access: str, now: float
    ) -> Key:
        """Return the caller's key; `now` is in monotonic seconds.

        Raises Unauthorised, Forbidden, or Throttled when the key's rate limit is used up;
        Unavailable when the token cannot be looked up now.
        """
        place = (scope.get("client") or ("",))[0]
        key = await self._known.find(_token(authorization), place, now)
        if key is None:
            raise Unauthorised(f"Invalid token. {_SAY_HOW}")
        at = self._clock()
        if key.expires_at is not None and key.is_expired(at):
            raise Unauthorised(
                f"The token expired at {key.expires_at:%Y-%m-%dT%H:%M:%SZ}. Use a new one."
            )
        _check_access(key, access)
        _check_address(key, place)
        in_use = self._remembered(key, now)
        if in_use.noted_at is None or at - in_use.noted_at >= keys.MINUTE:
            self._note(key, in_use, at)
        if key.rate_limit:
            _take(in_use.bucket, now)
        return key

    def _remembered(self, key: Key, now: float) -> _InUse:
        """What is remembered of the key, as the one that was used last."""
        mark = (key.workspace_id, key.id)
        in_use = self._in_use.pop(mark, None)
        if in_use is None or in_use.bucket.per_s != key.rate_limit:
            in_use = _InUse(TokenBucket.full(key.rate_limit, now), key.last_used_at)
            if len(self._in_use) >= self._in_use_max:
                del self._in_use[next(iter(self._in_use))]
        self._in_use[mark] = in_use
        return in_use

    def _note(self, key: Key, in_use: _InUse, at: datetime) -> None:
        use = Use(key.id, at)
        if self._committer.ride(key.workspace_id, keys.note_uses, use):
            in_use.noted_at = at.replace(second=0, microsecond=0)


def _token(authorization: bytes) -> str:
    scheme, _, token = authorization.decode("latin-1").partition(" ")
    token = token.strip()
    if scheme.lower() != "token" or not token:
        raise Unauthorised(f"Authentication credentials were not provided. {_SAY_HOW}")
    if len(token) != keys.TOKEN_LENGTH:
        raise Unauthorised(f"Invalid token: it has not 64 characters. {_SAY_HOW}")
    return token


def _check_access(key: Key, access: str) -> None:
    if access != ANY and key.scope not in ("both", access):
        raise Forbidden(f"This key may only {key.scope}; this call needs the scope '{access}'.")


def _check_address(key: Key, place: str) -> None:
    if key.networks:
        address = _address(place)
        if address is None or not any(
            address in ipaddress.ip_network(network) for network in key.networks
        ):
            raise Forbidden("This key may not be used from this address.")


def _address(place: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The caller's address, if the server knows it; IPv4 as such, also on an IPv6 socket."""
    try:
        address = ipaddress.ip_address(place)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _take(bucket: TokenBucket, now: float) -> None:
    wait_s = bucket.take(now)
    if wait_s:
        seconds = math.ceil(wait_s)
        unit = "second" if seconds == 1 else "seconds"
        raise Throttled(f"Request was throttled. Expected available in {seconds} {unit}.", seconds)
