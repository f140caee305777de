"""API keys as rows; of a token only the hash is kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ordertrail.kit import clock, json
from ordertrail.kit.database import Reader, Tx
from ordertrail.store import sql

_COLUMNS = (
    "k.workspace_id, k.id, k.name, k.scope, k.rate_limit, json(k.networks),"
    " k.created_at, k.revoked_at, k.expires_at, k.last_used_at"
)
_BY_HASH = sql.rows(f"{_COLUMNS}, k.hash", "keys k WHERE k.hash = :hash")
_BY_ID = sql.rows(_COLUMNS, "keys k WHERE k.workspace_id = :workspace_id AND k.id = :id")
_ALL = sql.rows(_COLUMNS, "(SELECT * FROM keys WHERE workspace_id = :workspace_id ORDER BY id) k")
_ADD = (
    "INSERT INTO keys"
    " (workspace_id, id, name, hash, scope, rate_limit, networks, created_at, expires_at)"
    " VALUES (:workspace_id, :id, :name, :hash, :scope, :rate_limit, :networks, :created_at,"
    " :expires_at)"
)
_REVOKE = "UPDATE keys SET revoked_at = :at WHERE workspace_id = :workspace_id AND id = :id"
_EXPIRE = "UPDATE keys SET expires_at = :at WHERE workspace_id = :workspace_id AND id = :id"
_NOTE_USE = (
    "UPDATE keys SET last_used_at = :at WHERE workspace_id = :workspace_id AND id = :id"
    " AND (last_used_at IS NULL OR last_used_at < :at)"
)


@dataclass(frozen=True, slots=True)
class Key:
    """Who may use the API: `rate_limit` in requests a second, 0 for none; `networks` as CIDR.

    It opens nothing from `expires_at` on; `last_used_at` is true to the minute.
    """

    workspace_id: int
    id: int
    name: str
    scope: str
    rate_limit: int
    networks: tuple[str, ...]
    created_at: datetime
    revoked_at: datetime | None = None
    expires_at: datetime | None = None
    last_used_at: datetime | None = None

    def is_expired(self, at: datetime) -> bool:
        """Tell whether its time has run out."""
        return self.expires_at is not None and self.expires_at <= at


def by_hash(reader: Reader, token_hash: str) -> tuple[Key, str] | None:
    """Return the key whose token has this hash, revoked or not, and the hash that is kept."""
    found = reader.rows(_BY_HASH, hash=token_hash)
    if not found:
        return None
    *row, kept = found[0]
    return _key(row), kept


def by_id(reader: Reader, workspace_id: int, key_id: int) -> Key | None:
    """Return a key of a workspace, revoked or not."""
    found = reader.rows(_BY_ID, workspace_id=workspace_id, id=key_id)
    return _key(found[0]) if found else None


def every(reader: Reader, workspace_id: int) -> list[Key]:
    """Return all keys of a workspace, oldest first."""
    return [_key(row) for row in reader.rows(_ALL, workspace_id=workspace_id)]


def add(tx: Tx, key: Key, token_hash: str) -> None:
    """Insert a key."""
    tx.run(
        _ADD,
        workspace_id=key.workspace_id,
        id=key.id,
        name=key.name,
        hash=token_hash,
        scope=key.scope,
        rate_limit=key.rate_limit,
        networks=json.dumps(key.networks),
        created_at=clock.to_micros(key.created_at),
        expires_at=clock.optional_micros(key.expires_at),
    )


def revoke(tx: Tx, workspace_id: int, key_id: int, at: datetime) -> None:
    """Mark a key as revoked."""
    tx.run(_REVOKE, workspace_id=workspace_id, id=key_id, at=clock.to_micros(at))


def expire(tx: Tx, workspace_id: int, key_id: int, at: datetime) -> None:
    """Set when a key expires."""
    tx.run(_EXPIRE, workspace_id=workspace_id, id=key_id, at=clock.to_micros(at))


def note_uses(tx: Tx, workspace_id: int, used_at: Mapping[int, datetime]) -> None:
    """Write when keys were last used, by their ids; a later time that is there already stays."""
    for key_id, at in used_at.items():
        tx.run(_NOTE_USE, workspace_id=workspace_id, id=key_id, at=clock.to_micros(at))


def _key(row: list[Any]) -> Key:
    workspace_id, identity, name, scope, rate_limit, networks, created_at, *moments = row
    return Key(
        workspace_id,
        identity,
        name,
        scope,
        rate_limit,
        tuple(networks),
        clock.from_micros(created_at),
        *map(clock.optional_moment, moments),
    )
