"""Workspaces and their pipelines as rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ordertrail.domain.pipeline import Pipeline, Stage
from ordertrail.kit import clock
from ordertrail.kit.database import Reader, Tx
from ordertrail.store import sql

_COLUMNS = "w.id, w.uid, w.name, w.currency, w.time_zone, w.created_at, w.is_strict"
_ALL = sql.rows(_COLUMNS, "workspaces w")
_ONE = sql.rows(_COLUMNS, "workspaces w WHERE w.id = :workspace_id")
_ADD = (
    "INSERT INTO workspaces (id, uid, name, currency, time_zone, created_at, is_strict)"
    " VALUES (:id, :uid, :name, :currency, :time_zone, :created_at, :is_strict)"
)
_CHANGE = (
    "UPDATE workspaces SET name = :name, currency = :currency, time_zone = :time_zone,"
    " is_strict = :is_strict WHERE id = :workspace_id"
)
_PIPELINES = sql.rows(
    "id, name, position",
    "(SELECT * FROM pipelines WHERE workspace_id = :workspace_id ORDER BY position, id)",
)
_STAGES = sql.rows(
    "id, pipeline_id, name, description, position",
    "(SELECT s.* FROM pipelines p JOIN stages s"
    " ON s.workspace_id = p.workspace_id AND s.pipeline_id = p.id"
    " WHERE p.workspace_id = :workspace_id ORDER BY p.position, p.id, s.position, s.id)",
)
_ADD_PIPELINES = sql.insert("pipelines", "id name position")
_ADD_STAGES = sql.insert("stages", "id pipeline_id name description position")


@dataclass(frozen=True, slots=True)
class Workspace:
    """One tenant: its currency is the default of its deals, its zone that of its reports.

    `uid` tells it from every other workspace of every installation. One that `is_strict` refuses
    attributes that nobody defined, and values that do not fit.
    """

    id: int
    uid: str
    name: str
    currency: str
    time_zone: str
    created_at: datetime
    is_strict: bool = False


def every(reader: Reader) -> list[Workspace]:
    """Return all workspaces."""
    return [_workspace(row) for row in reader.rows(_ALL)]


def one(reader: Reader, workspace_id: int) -> Workspace:
    """Return one workspace, which has to exist."""
    [row] = reader.rows(_ONE, workspace_id=workspace_id)
    return _workspace(row)


def add(tx: Tx, workspace: Workspace) -> None:
    """Insert a workspace."""
    tx.run(
        _ADD,
        id=workspace.id,
        uid=workspace.uid,
        name=workspace.name,
        currency=workspace.currency,
        time_zone=workspace.time_zone,
        created_at=clock.to_micros(workspace.created_at),
        is_strict=workspace.is_strict,
    )


def change(tx: Tx, workspace: Workspace) -> None:
    """Write what may be changed of a workspace."""
    tx.run(
        _CHANGE,
        workspace_id=workspace.id,
        name=workspace.name,
        currency=workspace.currency,
        time_zone=workspace.time_zone,
        is_strict=workspace.is_strict,
    )


def pipelines(reader: Reader, workspace_id: int) -> list[Pipeline]:
    """Return the pipelines of a workspace in their order."""
    return [Pipeline(*row) for row in reader.rows(_PIPELINES, workspace_id=workspace_id)]


def stages(reader: Reader, workspace_id: int) -> list[Stage]:
    """Return all stages of a workspace in the order of their pipelines and positions."""
    return [Stage(*row) for row in reader.rows(_STAGES, workspace_id=workspace_id)]


def add_pipelines(
    tx: Tx, workspace_id: int, pipelines: Sequence[Pipeline], stages: Sequence[Stage]
) -> None:
    """Insert pipelines and their stages."""
    tx.run(
        _ADD_PIPELINES,
        workspace_id=workspace_id,
        rows=[[each.id, each.name, each.position] for each in pipelines],
    )
    tx.run(
        _ADD_STAGES,
        workspace_id=workspace_id,
        rows=[[s.id, s.pipeline_id, s.name, s.description, s.position] for s in stages],
    )


def _workspace(row: list[Any]) -> Workspace:
    identity, uid, name, currency, time_zone, created_at, is_strict = row
    at = clock.from_micros(created_at)
    return Workspace(identity, uid, name, currency, time_zone, at, bool(is_strict))
