"""API keys: a token of 64 characters, shown once; only its hash is kept."""

import hashlib
import ipaddress
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from ordertrail.domain.errors import Invalid, NotFound
from ordertrail.kit.database import Reader, Tx
from ordertrail.store import ids, keys
from ordertrail.store.keys import Key

SCOPES = ("read", "write", "both")
TOKEN_LENGTH = 64

__all__ = ["SCOPES", "TOKEN_LENGTH", "Key", "create", "every", "find", "new_key", "revoke"]


def new_key(
    workspace_id: int,
    name: str,
    scope: str,
    at: datetime,
    *,
    rate_limit: int = 0,
    networks: Sequence[str] = (),
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
    if wrong:
        raise Invalid(wrong)
    return Key(workspace_id, 0, name, scope, rate_limit, tuple(networks), at)


def create(tx: Tx, key: Key, token: str) -> Key:
    """Keep a key with the hash of its token and return it with its id."""
    number = next(ids.take(tx, key.workspace_id, key=1)["key"])
    kept = replace(key, id=number)
    keys.add(tx, kept, _hash(token))
    return kept


def find(reader: Reader, token: str) -> Key | None:
    """Return the key of a token, unless there is none or it was revoked."""
    key = keys.by_hash(reader, _hash(token))
    return None if key is None or key.revoked_at is not None else key


def every(reader: Reader, workspace_id: int) -> list[Key]:
    """Return all keys of a workspace, oldest first."""
    return keys.every(reader, workspace_id)


def revoke(tx: Tx, workspace_id: int, key_id: int, at: datetime) -> None:
    """Take a key out of use for ever, or raise NotFound."""
    if not keys.revoke(tx, workspace_id, key_id, at):
        raise NotFound(f"no key {key_id} that is in use")


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
