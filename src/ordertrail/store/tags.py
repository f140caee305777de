"""Tags as rows, and what bears them."""

from collections.abc import Collection, Sequence
from datetime import datetime

from ordertrail.domain.journal import Subject
from ordertrail.domain.tag import Tag
from ordertrail.kit import clock
from ordertrail.kit.database import Reader, Tx
from ordertrail.store import sql

_IDS = sql.rows(
    "t.name, t.id",
    "@list(names text) j CROSS JOIN tags t"
    " WHERE t.workspace_id = :workspace_id AND t.name = j.value",
)
_ADD = sql.insert("tags", "id name created_at")
_PAIRS = sql.sent("pairs", "subject_id", "tag_id")
_ATTACH = (
    "INSERT INTO taggings (workspace_id, subject, subject_id, tag_id)"
    f" SELECT :workspace_id, CAST(:subject AS TEXT), subject_id, tag_id FROM {_PAIRS} r WHERE true"
    " ON CONFLICT DO NOTHING"
)
_DETACH = (
    "DELETE FROM taggings WHERE workspace_id = :workspace_id AND subject = :subject"
    f" AND (subject_id, tag_id) IN (SELECT subject_id, tag_id FROM {_PAIRS} r)"
)

Pairs = Collection[tuple[int, int]]
"""Ids of things, each with the id of a tag."""


def ids_by_names(reader: Reader, workspace_id: int, names: Collection[str]) -> dict[str, int]:
    """Return the ids of those tags that have these names, by name."""
    found = reader.rows(_IDS, workspace_id=workspace_id, names=list(names)) if names else []
    return dict(found)


def add(tx: Tx, workspace_id: int, tags: Sequence[Tag], at: datetime) -> None:
    """Insert new tags."""
    if tags:
        rows = [[tag.id, tag.name, clock.to_micros(at)] for tag in tags]
        tx.run(_ADD, workspace_id=workspace_id, rows=rows)


def attach(tx: Tx, workspace_id: int, subject: Subject, pairs: Pairs) -> None:
    """Let things of one kind bear tags; one that bears it already stays as it is."""
    _run(tx, _ATTACH, workspace_id, subject, pairs)


def detach(tx: Tx, workspace_id: int, subject: Subject, pairs: Pairs) -> None:
    """Take tags from things of one kind."""
    _run(tx, _DETACH, workspace_id, subject, pairs)


def _run(tx: Tx, statement: str, workspace_id: int, subject: Subject, pairs: Pairs) -> None:
    if pairs:
        rows = [list(pair) for pair in pairs]
        tx.run(statement, workspace_id=workspace_id, subject=str(subject), pairs=rows)
