"""Ids: one growing number a kind and workspace, never used twice, gaps allowed."""

from collections.abc import Iterator
from weakref import WeakKeyDictionary

from ordertrail.kit.database import Tx
from ordertrail.store import sql

_KNOWN = "SELECT name, last FROM sequences WHERE workspace_id = :workspace_id ORDER BY name @lock"


def _moving(last: str) -> str:
    return (
        "INSERT INTO sequences (workspace_id, name, last)"
        f" SELECT :workspace_id, name, last FROM {sql.sent('rows', 'name', 'last')} r WHERE true"
        f" ON CONFLICT (workspace_id, name) DO UPDATE SET last = {last}"
    )


_MOVE = _moving("excluded.last")
_BEGIN = f"{_moving('sequences.last + excluded.last')} RETURNING name, last"

_known: WeakKeyDictionary[Tx, dict[tuple[int, str], int]] = WeakKeyDictionary()
"""The last numbers, as transactions have read and moved them; until their end they are theirs."""


def take(tx: Tx, workspace_id: int, **counts: int) -> dict[str, Iterator[int]]:
    """Reserve so many ids of each kind and return them as iterators, lowest first."""
    wanted = {name: count for name, count in counts.items() if count}
    taken = {name: iter(range(0)) for name in counts}
    if not wanted:
        return taken
    known = _locked(tx, workspace_id)
    moved = {
        name: known[workspace_id, name] + n
        for name, n in wanted.items()
        if (workspace_id, name) in known
    }
    if moved:
        tx.run(_MOVE, workspace_id=workspace_id, rows=[list(each) for each in moved.items()])
    new = [[name, count] for name, count in wanted.items() if name not in moved]
    if new:
        moved |= dict(tx.fetch(_BEGIN, workspace_id=workspace_id, rows=new))
    for name, last in moved.items():
        known[workspace_id, name] = last
        taken[name] = iter(range(last - wanted[name] + 1, last + 1))
    return taken


def forget(tx: Tx) -> None:
    """Read the last numbers anew when they are needed next: what locked them was undone."""
    _known.pop(tx, None)


def _locked(tx: Tx, workspace_id: int) -> dict[tuple[int, str], int]:
    """Read the last numbers of a workspace once in a transaction, which keeps others from them."""
    known = _known.setdefault(tx, {})
    if not any(of == workspace_id for of, _ in known):
        found = tx.fetch(_KNOWN, workspace_id=workspace_id)
        known.update({(workspace_id, name): last for name, last in found})
    return known
