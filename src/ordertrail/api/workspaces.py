"""What a workspace is made of: pipelines and stages; and what this server is."""

from ordertrail.actions import workspaces
from ordertrail.api.call import Answer, Call

FEATURES = ("batch", "idempotency")
"""What the API offers besides the public one, for clients that can use it."""


async def list_pipelines(call: Call) -> Answer:
    """GET pipelines/"""
    pipelines, _ = await call.read(lambda r: workspaces.pipelines(r, call.workspace_id))
    return Answer([{"id": each.id, "name": each.name} for each in pipelines])


async def list_stages(call: Call) -> Answer:
    """GET stages/"""
    _, stages = await call.read(lambda r: workspaces.pipelines(r, call.workspace_id))
    return Answer(
        [
            {
                "id": stage.id,
                "name": stage.name,
                "description": stage.description,
                "pipeline": stage.pipeline_id,
                "order": stage.position,
            }
            for stage in stages
        ]
    )


async def about(call: Call) -> Answer:
    """GET /api/ordertrail/v1/about/"""
    workspace = await call.read(lambda r: workspaces.get(r, call.workspace_id))
    return Answer(
        {
            "name": "ordertrail",
            "version": call.platform.version,
            "workspace": workspace.uid,
            "features": FEATURES,
        }
    )
