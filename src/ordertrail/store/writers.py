"""Who writes, where several processes may: one at a time in a workspace, under a ticket.

On PostgreSQL a transaction locks the row of its workspace first, whatever it writes. Two never
decide on the same rows at once, nobody waits for anybody in a circle, and what the journal gets is
committed in the order of its numbers. SQLite has one writer anyway.
"""

from datetime import datetime

from ordertrail.kit import clock
from ordertrail.kit.database import Tx
from ordertrail.kit.wording import either

_LOCKED = either("", "FOR NO KEY UPDATE")
_CLAIM = (
    "WITH mine AS (INSERT INTO writers (workspace_id, name, ticket, at)"
    " VALUES (:workspace_id, :name, :ticket, :at)"
    " ON CONFLICT (workspace_id, name) DO UPDATE SET ticket = excluded.ticket, at = excluded.at)"
    " SELECT id FROM workspaces WHERE id = :workspace_id FOR NO KEY UPDATE"
)
_HOLD = f"SELECT id FROM workspaces WHERE id = :workspace_id {_LOCKED}"
_TICKET = "SELECT ticket FROM writers WHERE workspace_id = :workspace_id AND name = :name"
_REMOVE = "DELETE FROM writers WHERE workspace_id = :workspace_id AND at < :before RETURNING name"


def claim(tx: Tx, workspace_id: int, name: str, ticket: int, at: datetime) -> None:
    """Wait until nobody else writes into a workspace, and note the ticket of this transaction."""
    tx.fetch(_CLAIM, workspace_id=workspace_id, name=name, ticket=ticket, at=clock.to_micros(at))


def hold(tx: Tx, workspace_id: int) -> None:
    """Wait until nobody else writes into a workspace: for those who write beside a committer."""
    tx.fetch(_HOLD, workspace_id=workspace_id)


def is_kept(tx: Tx, workspace_id: int, name: str, ticket: int) -> bool:
    """Tell whether the transaction with a ticket was committed; waits for one that still may be.

    It holds the workspace until it has ended, also when it is the first one of its writer, of
    which no row tells yet.
    """
    hold(tx, workspace_id)
    found = tx.fetch(_TICKET, workspace_id=workspace_id, name=name)
    return bool(found) and found[0][0] == ticket


def remove(tx: Tx, workspace_id: int, before: datetime) -> int:
    """Remove the tickets of those who wrote nothing since a time; return how many it were.

    A ticket is looked for right after its commit was lost, and never again.
    """
    moment = clock.to_micros(before)
    return len(tx.fetch(_REMOVE, workspace_id=workspace_id, before=moment))
