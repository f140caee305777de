"""Workspaces as rows."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ordertrail.kit import clock
from ordertrail.kit.database import Reader, Tx
from ordertrail.store import sql

_COLUMNS = "w.id, w.uid, w.name, w.currency, w.time_zone, w.created_at, w.is_strict"
_ALL = sql.rows(_COLUMNS, "workspaces w")
ONE = sql.rows(_COLUMNS, "workspaces w WHERE w.id = :workspace_id")
_ADD = (
    "INSERT INTO workspaces (id, uid, name, currency, time_zone, created_at, is_strict)"
    " VALUES (:id, :uid, :name, :currency, :time_zone, :created_at, :is_strict)"
)
_CHANGE = (
    "UPDATE workspaces SET name = :name, currency = :currency, time_zone = :time_zone,"
    " is_strict = :is_strict WHERE id = :workspace_id"
)


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
    [row] = reader.rows(ONE, workspace_id=workspace_id)
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
        is_strict=int(workspace.is_strict),
    )


def change(tx: Tx, workspace: Workspace) -> None:
    """Write what may be changed of a workspace."""
    tx.run(
        _CHANGE,
        workspace_id=workspace.id,
        name=workspace.name,
        currency=workspace.currency,
        time_zone=workspace.time_zone,
        is_strict=int(workspace.is_strict),
    )


def _workspace(row: list[Any]) -> Workspace:
    identity, uid, name, currency, time_zone, created_at, is_strict = row
    at = clock.from_micros(created_at)
    return Workspace(identity, uid, name, currency, time_zone, at, bool(is_strict))
