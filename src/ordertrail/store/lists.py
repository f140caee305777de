"""Lists of contacts as rows, and who is on them."""

from collections.abc import Collection

from ordertrail.domain.tag import ContactList
from ordertrail.kit.database import Reader, Tx
from ordertrail.store import sql

_BY_ID = sql.rows(
    "l.id, l.name",
    "@list(ids int) j CROSS JOIN lists l WHERE l.workspace_id = :workspace_id AND l.id = j.value",
)
_PAIRS = sql.sent("pairs", "list_id", "contact_id")
_ADD_MEMBERS = (
    "INSERT INTO list_members (workspace_id, list_id, contact_id)"
    f" SELECT :workspace_id, list_id, contact_id FROM {_PAIRS} r WHERE true"
    " ON CONFLICT DO NOTHING"
)
_REMOVE_MEMBERS = (
    "DELETE FROM list_members WHERE workspace_id = :workspace_id"
    f" AND (list_id, contact_id) IN (SELECT list_id, contact_id FROM {_PAIRS} r)"
)

Pairs = Collection[tuple[int, int]]
"""Ids of lists, each with the id of a contact."""


def by_ids(reader: Reader, workspace_id: int, ids: Collection[int]) -> dict[int, ContactList]:
    """Return the lists with these ids."""
    found = reader.rows(_BY_ID, workspace_id=workspace_id, ids=list(ids)) if ids else []
    return {list_id: ContactList(list_id, name) for list_id, name in found}


def add_members(tx: Tx, workspace_id: int, pairs: Pairs) -> None:
    """Put contacts on lists; one that is on it already stays there."""
    _run(tx, _ADD_MEMBERS, workspace_id, pairs)


def remove_members(tx: Tx, workspace_id: int, pairs: Pairs) -> None:
    """Take contacts off lists."""
    _run(tx, _REMOVE_MEMBERS, workspace_id, pairs)


def _run(tx: Tx, statement: str, workspace_id: int, pairs: Pairs) -> None:
    if pairs:
        tx.run(statement, workspace_id=workspace_id, pairs=[list(pair) for pair in pairs])
