"""What a workspace is made of: pipelines and stages; and what this server is."""

from typing import Any

from ordertrail.actions import workspaces
from ordertrail.api.call import Answer, Call, paged
from ordertrail.api.keyring import ANY
from ordertrail.api.route import OWN, PUBLIC, Route
from ordertrail.api.writes import simple
from ordertrail.domain.pipeline import Pipeline, Stage
from ordertrail.kit.paging import Page
from ordertrail.wire import workspaces as wire
from ordertrail.wire.shapes import page_of

FEATURES = ("batch", "idempotency")
"""What the API offers besides the public one, for clients that can use it."""


async def list_pipelines(call: Call) -> Answer:
    """Answer with the pipelines, in their order."""
    pipelines, _ = await call.look(lambda r: workspaces.pipelines(r, call.workspace_id))
    return paged(call, Page(pipelines, len(pipelines), None), _pipeline)


async def list_stages(call: Call) -> Answer:
    """Answer with all stages, in the order of their pipelines."""
    _, stages = await call.look(lambda r: workspaces.pipelines(r, call.workspace_id))
    return paged(call, Page(stages, len(stages), None), _stage)


def _pipeline(pipeline: Pipeline) -> dict[str, Any]:
    return {"id": pipeline.id, "name": pipeline.name}


def _stage(stage: Stage) -> dict[str, Any]:
    return {
        "id": stage.id,
        "name": stage.name,
        "description": stage.description,
        "pipeline": stage.pipeline_id,
        "order": stage.position,
    }


async def read(call: Call) -> Answer:
    """Answer with the settings of the workspace."""
    return _settings(await call.read(lambda r: workspaces.get(r, call.workspace_id)))


def _settings(workspace: workspaces.Workspace) -> Answer:
    return Answer(
        {
            "name": workspace.name,
            "currency": workspace.currency,
            "time_zone": workspace.time_zone,
            "strict": workspace.is_strict,
        }
    )


def _change(call: Call) -> workspaces.Change:
    return workspaces.Change(**wire.decode_settings(call.body()))


CHANGE = simple(_change, workspaces.change, _settings)


async def about(call: Call) -> Answer:
    """Answer with which workspace of which installation this is."""
    workspace = await call.look(lambda r: workspaces.get(r, call.workspace_id))
    return Answer(
        {
            "name": "ordertrail",
            "version": call.platform.version,
            "workspace": workspace.uid,
            "features": FEATURES,
        }
    )


ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        f"{PUBLIC}/pipelines/",
        list_pipelines,
        "the pipelines",
        gives=page_of(wire.PipelineShown),
    ),
    Route(
        "GET",
        f"{PUBLIC}/stages/",
        list_stages,
        "the stages with their ids",
        gives=page_of(wire.StageShown),
    ),
    Route(
        "GET",
        f"{OWN}/workspace/",
        read,
        "the settings of the workspace",
        gives=wire.WorkspaceShown,
    ),
    Route(
        "PUT",
        f"{OWN}/workspace/",
        CHANGE,
        "change settings of the workspace",
        wire.WorkspaceSent,
        wire.WorkspaceShown,
    ),
    Route(
        "GET",
        f"{OWN}/about/",
        about,
        "which workspace of which installation this is",
        gives=wire.AboutShown,
        access=ANY,
    ),
)
