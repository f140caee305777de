"""API keys: a token of 64 characters, shown once; only its hash is kept."""

import hashlib
import hmac
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ordertrail.domain.errors import Conflict, Invalid, NotFound
from ordertrail.kit.committer import Batch
from ordertrail.kit.database import Reader, Tx
from ordertrail.store import ids, keys, writers
from ordertrail.store.keys import Key

SCOPES = ("read", "write", "both")
TOKEN_LENGTH = 64
MINUTE = timedelta(minutes=1)

__all__ = [
    "MINUTE",
    "SCOPES",
    "TOKEN_LENGTH",
    "Key",
    "Rotation",
    "Use",
    "create",
    "every",
    "find",
    "new_key",
    "note_uses",
    "revoke",
    "rotate",
]


@dataclass(frozen=True, slots=True)
class Rotation:
    """Key `key_id` is followed by one with this token, and works for the overlap from then on.

    The new key expires at `expires_at`, if ever.
    """

    key_id: int
    token: str
    overlap: timedelta
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Use:
    """Somebody came in with a key."""

    key_id: int
    at: datetime


def new_key(
    workspace_id: int,
    name: str,
    scope: str,
    at: datetime,
    *,
    rate_limit: int = 0,
    networks: Sequence[str] = (),
    expires_at: datetime | None = None,
) -> Key:
    """Return a key that is not yet kept; raises Invalid naming what is wrong with it."""
    wrong: dict[str, str] = {}
    if not 0 < len(name) <= 100:
        wrong["name"] = "must have 1 to 100 characters"
    if scope not in SCOPES:
        wrong["scope"] = f"must be one of: {', '.join(SCOPES)}"
    if not 0 <= rate_limit <= 1_000_000:
        wrong["rate-limit"] = "must be requests a second, 0 for none"
    for network in networks:
        try:
            ipaddress.ip_network(network)
        except ValueError:
            wrong["ip"] = f"{network[:64]!r} is not an address or a network such as 10.0.0.0/8"
    if expires_at is not None and expires_at <= at:
        wrong["expires"] = "must be in the future"
    if wrong:
        raise Invalid(wrong)
    return Key(workspace_id, 0, name, scope, rate_limit, tuple(networks), at, expires_at=expires_at)


def create(tx: Tx, key: Key, token: str) -> Key:
    """Keep a key with the hash of its token and return it with its id."""
    number = next(ids.take(tx, key.workspace_id, key=1)["key"])
    kept = replace(key, id=number)
    keys.add(tx, kept, _hash(token))
    return kept


def rotate(tx: Tx, workspace_id: int, asked: Rotation, at: datetime) -> tuple[Key, Key]:
    """Make a key like another one, which expires after the overlap or when it would anyway.

    Returns the old key and the new one. Raises NotFound, Conflict when the old one is revoked or
    has expired, or Invalid.
    """
    writers.hold(tx, workspace_id)
    old = keys.by_id(tx, workspace_id, asked.key_id)
    if old is None:
        raise NotFound(f"no key {asked.key_id}")
    if old.revoked_at is not None or old.is_expired(at):
        state = "has expired" if old.revoked_at is None else "is revoked"
        raise Conflict(f"key {old.id} {state} and cannot be rotated; make a new key")
    new = new_key(
        workspace_id,
        old.name,
        old.scope,
        at,
        rate_limit=old.rate_limit,
        networks=old.networks,
        expires_at=asked.expires_at,
    )
    until = at + asked.overlap
    if old.expires_at is None or until < old.expires_at:
        keys.expire(tx, workspace_id, old.id, until)
        old = replace(old, expires_at=until)
    return old, create(tx, new, asked.token)


def find(reader: Reader, token: str) -> Key | None:
    """Return the key of a token, expired or not, unless there is none or it was revoked."""
    presented = _hash(token)
    found = keys.by_hash(reader, presented)
    if found is None:
        return None
    key, kept = found
    return key if key.revoked_at is None and hmac.compare_digest(kept, presented) else None


def every(reader: Reader, workspace_id: int) -> list[Key]:
    """Return all keys of a workspace, oldest first."""
    return keys.every(reader, workspace_id)


def revoke(tx: Tx, workspace_id: int, key_id: int, at: datetime) -> Key:
    """Take a key out of use for ever and return it, or raise NotFound."""
    writers.hold(tx, workspace_id)
    key = keys.by_id(tx, workspace_id, key_id)
    if key is None or key.revoked_at is not None:
        raise NotFound(f"no key {key_id} that is in use")
    keys.revoke(tx, workspace_id, key_id, at)
    return replace(key, revoked_at=at)


def note_uses(tx: Tx, batch: Batch[Use]) -> Sequence[None]:
    """Keep when keys were last used, to the minute."""
    used_at: dict[int, datetime] = {}
    for use in batch.commands:
        at = use.at.replace(second=0, microsecond=0)
        used_at[use.key_id] = max(at, used_at.get(use.key_id, at))
    keys.note_uses(tx, batch.workspace_id, used_at)
    return [None] * len(batch.commands)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
