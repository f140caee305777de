"""Leases on pieces of background work, as rows: whose turn it is at each, and until when.

Times are those of the database, so that the clocks of the machines need not agree. A turn has a
number that grows: whoever comes back after its lease ran out and another took the piece finds
another number in the row, and writes nothing.
"""

from collections.abc import Collection
from dataclasses import dataclass

from ordertrail.kit.database import Tx
from ordertrail.kit.wording import either

_NOW = either(
    "CAST(unixepoch('subsec') * 1000000 AS INTEGER)",
    "CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint)",
)
_ADD = (
    "INSERT INTO leases (workspace_id, name, holder, turn, until, due_at)"
    " SELECT :workspace_id, n.value, '', 0, 0, 0 FROM @list(names text) n"
    " WHERE NOT EXISTS (SELECT 1 FROM leases l WHERE l.workspace_id = :workspace_id"
    " AND l.name = n.value)"
    " ON CONFLICT (workspace_id, name) DO NOTHING"
)
_TAKE = (
    f"UPDATE leases SET holder = :holder, turn = turn + 1, until = {_NOW} + :lease_micros"
    " WHERE workspace_id = :workspace_id AND name = (SELECT name FROM leases"
    " WHERE workspace_id = :workspace_id AND name @in(names text)"
    f" AND until <= {_NOW} AND due_at <= {_NOW} ORDER BY due_at, turn, name LIMIT 1 @skip)"
    " RETURNING name, turn"
)
_MINE = "workspace_id = :workspace_id AND name = :name AND turn = :turn AND until > 0"
_KEEP = f"UPDATE leases SET until = {_NOW} + :lease_micros WHERE {_MINE} RETURNING turn"
_GIVE_BACK = f"UPDATE leases SET until = 0, due_at = {_NOW} + :pause_micros WHERE {_MINE}"


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to do one piece of work, for one turn."""

    workspace_id: int
    name: str
    turn: int


def add(tx: Tx, workspace_id: int, names: Collection[str]) -> None:
    """See that there is a lease for each piece; a new one is due at once."""
    tx.run(_ADD, workspace_id=workspace_id, names=list(names))


def take(
    tx: Tx, workspace_id: int, names: Collection[str], holder: str, lease_s: float
) -> Lease | None:
    """Take the piece that is due for the longest time; None when none is, or all are held."""
    found = tx.fetch(
        _TAKE,
        workspace_id=workspace_id,
        names=list(names),
        holder=holder,
        lease_micros=_micros(lease_s),
    )
    return Lease(workspace_id, *found[0]) if found else None


def keep(tx: Tx, lease: Lease, lease_s: float) -> bool:
    """Hold a lease for so long from now, and let nobody take it before the transaction has ended.

    False when the turn is over: the piece is another's then, and nothing may be written for it.
    """
    found = tx.fetch(
        _KEEP,
        workspace_id=lease.workspace_id,
        name=lease.name,
        turn=lease.turn,
        lease_micros=_micros(lease_s),
    )
    return bool(found)


def give_back(tx: Tx, lease: Lease, pause_s: float) -> None:
    """End a turn; the piece is due again after a pause."""
    tx.run(
        _GIVE_BACK,
        workspace_id=lease.workspace_id,
        name=lease.name,
        turn=lease.turn,
        pause_micros=_micros(pause_s),
    )


def _micros(seconds: float) -> int:
    return round(seconds * 1_000_000)
