"""API keys, people, their sign-in links and sessions as rows; of secrets only a hash is kept."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ordertrail.kit import clock, json
from ordertrail.kit.database import Reader, Tx
from ordertrail.store import sql

_COLUMNS = (
    "k.workspace_id, k.id, k.name, k.scope, k.rate_limit, json(k.networks),"
    " k.created_at, k.revoked_at"
)
_BY_HASH = sql.rows(_COLUMNS, "keys k WHERE k.hash = :hash")
_ALL = sql.rows(_COLUMNS, "(SELECT * FROM keys WHERE workspace_id = :workspace_id ORDER BY id) k")
_ADD = (
    "INSERT INTO keys (workspace_id, id, name, hash, scope, rate_limit, networks, created_at)"
    " VALUES (:workspace_id, :id, :name, :hash, :scope, :rate_limit, :networks, :created_at)"
)
_REVOKE = (
    "UPDATE keys SET revoked_at = :at"
    " WHERE workspace_id = :workspace_id AND id = :id AND revoked_at IS NULL RETURNING id"
)


@dataclass(frozen=True, slots=True)
class Key:
    """Who may use the API: `rate_limit` in requests a second, 0 for none; `networks` as CIDR."""

    workspace_id: int
    id: int
    name: str
    scope: str
    rate_limit: int
    networks: tuple[str, ...]
    created_at: datetime
    revoked_at: datetime | None = None


def by_hash(reader: Reader, token_hash: str) -> Key | None:
    """Return the key whose token has this hash, revoked or not."""
    found = reader.rows(_BY_HASH, hash=token_hash)
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
    )


def revoke(tx: Tx, workspace_id: int, key_id: int, at: datetime) -> bool:
    """Mark a key as revoked; False when there is none that is in use."""
    changed = tx.fetch(_REVOKE, workspace_id=workspace_id, id=key_id, at=clock.to_micros(at))
    return bool(changed)


def _key(row: list[Any]) -> Key:
    workspace_id, identity, name, scope, rate_limit, networks, created_at, revoked_at = row
    return Key(
        workspace_id,
        identity,
        name,
        scope,
        rate_limit,
        tuple(networks),
        clock.from_micros(created_at),
        clock.optional_moment(revoked_at),
    )
