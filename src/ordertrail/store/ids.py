"""Ids: one growing number a kind and workspace, never used twice, gaps allowed."""

from collections.abc import Iterator

from ordertrail.kit.database import Tx
from ordertrail.store import sql

_TAKE = (
    "INSERT INTO sequences (workspace_id, name, last)"
    f" SELECT :workspace_id, name, last FROM {sql.sent('rows', 'name', 'last')} r WHERE true"
    " ON CONFLICT (workspace_id, name) DO UPDATE SET last = sequences.last + excluded.last"
    " RETURNING name, last"
)


def take(tx: Tx, workspace_id: int, **counts: int) -> dict[str, Iterator[int]]:
    """Reserve so many ids of each kind and return them as iterators, lowest first."""
    wanted = [[name, count] for name, count in counts.items() if count]
    taken = {name: iter(range(0)) for name in counts}
    if wanted:
        for name, last in tx.fetch(_TAKE, workspace_id=workspace_id, rows=wanted):
            taken[name] = iter(range(last - counts[name] + 1, last + 1))
    return taken
