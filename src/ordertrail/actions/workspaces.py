"""Workspaces: making one, and what every page and call needs to know of it."""

from datetime import datetime

from ordertrail.domain.pipeline import ORDER_STAGES, ORDERS, Pipeline, Stage
from ordertrail.kit.database import Reader, Tx
from ordertrail.store import ids, workspaces
from ordertrail.store.workspaces import Workspace

DEFAULT_ID = 1

__all__ = ["DEFAULT_ID", "Workspace", "create", "ensure_default", "every", "get", "pipelines"]


def create(tx: Tx, workspace: Workspace) -> Workspace:
    """Create a workspace with the pipeline that clients in the field rely on."""
    workspaces.add(tx, workspace)
    workspaces.add_pipelines(tx, workspace.id, [ORDERS], ORDER_STAGES)
    ids.take(tx, workspace.id, pipeline=1, stage=len(ORDER_STAGES))
    return workspace


def ensure_default(tx: Tx, uid: str, at: datetime) -> Workspace:
    """Return the first workspace; create it when there is none."""
    known = workspaces.every(tx)
    if known:
        return known[0]
    return create(tx, Workspace(DEFAULT_ID, uid, "Main", "USD", "UTC", at))


def every(reader: Reader) -> list[Workspace]:
    """Return all workspaces."""
    return workspaces.every(reader)


def get(reader: Reader, workspace_id: int) -> Workspace:
    """Return a workspace, which has to exist."""
    return workspaces.one(reader, workspace_id)


def pipelines(reader: Reader, workspace_id: int) -> tuple[list[Pipeline], list[Stage]]:
    """Return the pipelines of a workspace and all their stages, in order."""
    return workspaces.pipelines(reader, workspace_id), workspaces.stages(reader, workspace_id)
