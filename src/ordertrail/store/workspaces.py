"""Workspaces, their pipelines and attribute definitions as rows."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ordertrail.domain.attribute import Attribute, ContentType, ValueType
from ordertrail.domain.pipeline import Pipeline, Stage
from ordertrail.kit import clock
from ordertrail.kit.database import Reader, Tx
from ordertrail.store import sql

_ALL = sql.rows("w.id, w.uid, w.name, w.currency, w.time_zone, w.created_at", "workspaces w")
_ONE = sql.rows(
    "w.id, w.uid, w.name, w.currency, w.time_zone, w.created_at",
    "workspaces w WHERE w.id = :workspace_id",
)
_ADD = (
    "INSERT INTO workspaces (id, uid, name, currency, time_zone, created_at)"
    " VALUES (:id, :uid, :name, :currency, :time_zone, :created_at)"
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
_ATTRIBUTES = sql.rows(
    "a.id, a.content_type, a.name, a.value_type, a.is_inferred",
    "json_each(:names) j CROSS JOIN attributes a WHERE a.workspace_id = :workspace_id"
    " AND a.content_type = :content_type AND a.name = j.value",
)
_ATTRIBUTE = "id content_type name value_type is_inferred"
_ADD_ATTRIBUTES = sql.insert("attributes", _ATTRIBUTE)
_WIDEN_ATTRIBUTES = sql.update("attributes", _ATTRIBUTE, "value_type")


@dataclass(frozen=True, slots=True)
class Workspace:
    """One tenant: its currency is the default of its deals, its zone that of its reports.

    `uid` tells it from every other workspace of every installation.
    """

    id: int
    uid: str
    name: str
    currency: str
    time_zone: str
    created_at: datetime


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


def attributes(
    reader: Reader, workspace_id: int, content_type: ContentType, names: Collection[str]
) -> dict[str, Attribute]:
    """Return those attribute definitions of one kind of thing that have these names, by name."""
    found = reader.rows(
        _ATTRIBUTES,
        workspace_id=workspace_id,
        content_type=str(content_type),
        names=list(names),
    )
    return {
        name: Attribute(ContentType(kind), name, ValueType(value_type), bool(inferred), identity)
        for identity, kind, name, value_type, inferred in found
    }


def add_attributes(tx: Tx, workspace_id: int, attributes: Sequence[Attribute]) -> None:
    """Insert attribute definitions."""
    if attributes:
        tx.run(_ADD_ATTRIBUTES, workspace_id=workspace_id, rows=_attribute_rows(attributes))


def widen_attributes(tx: Tx, workspace_id: int, attributes: Sequence[Attribute]) -> None:
    """Write the types of attribute definitions that are there."""
    if attributes:
        tx.run(_WIDEN_ATTRIBUTES, workspace_id=workspace_id, rows=_attribute_rows(attributes))


def _attribute_rows(attributes: Sequence[Attribute]) -> list[Any]:
    return [
        [each.id, str(each.content_type), each.name, str(each.value_type), each.is_inferred]
        for each in attributes
    ]


def _workspace(row: list[Any]) -> Workspace:
    identity, uid, name, currency, time_zone, created_at = row
    return Workspace(identity, uid, name, currency, time_zone, clock.from_micros(created_at))
