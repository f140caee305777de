"""Locks of what is being accepted: two transactions never plan for one order or person at once.

SQLite has one writer, and needs none. On PostgreSQL the locks are held until the transaction
ends, and are taken in one order, so that two lists of orders do not wait for each other.
"""

import hashlib
from collections.abc import Collection

from ordertrail.sync.outbox_orders import Shelf
from ordertrail.sync.outbox_sql import Writing

_LOCK = "SELECT pg_advisory_xact_lock(k.value) FROM @list(keys int) k"


def orders(sql: Writing, shelf: Shelf, order_ids: Collection[str]) -> None:
    """Keep others from planning for these orders."""
    _lock(sql, [f"{shelf.to} order {shelf.source} {each}" for each in order_ids])


def orders_to_block(sql: Writing, to: int, named: Collection[tuple[str, str]]) -> None:
    """Keep others from planning for orders of any source, given by source and id."""
    _lock(sql, [f"{to} order {source} {order_id}" for source, order_id in named])


def accounts(sql: Writing, shelf: Shelf, shop_ids: Collection[str]) -> None:
    """Keep others from planning for these shop accounts."""
    _lock(sql, [f"{shelf.to} account {shelf.source} {each}" for each in shop_ids])


def contacts(sql: Writing, shelf: Shelf, custom_ids: Collection[str]) -> None:
    """Keep others from planning for these contacts."""
    _lock(sql, [f"{shelf.to} contact {each}" for each in custom_ids])


def _lock(sql: Writing, names: Collection[str]) -> None:
    if names and not sql.is_sqlite:
        sql.fetch(_LOCK, keys=sorted({_number(name) for name in names}))


def _number(name: str) -> int:
    digest = hashlib.blake2b(name.encode(errors="replace"), digest_size=8).digest()
    return int.from_bytes(digest, signed=True)
