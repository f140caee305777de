"""The settings of a workspace, and what this server is."""

from ordertrail.actions import workspaces
from ordertrail.api.call import Answer, Call
from ordertrail.api.keyring import ANY
from ordertrail.api.route import OWN, Route
from ordertrail.api.writes import simple
from ordertrail.wire import workspaces as wire

FEATURES = ("batch", "idempotency", "import", "export")
"""What the API offers besides the public one, for clients that can use it."""


async def read(call: Call) -> Answer:
    """Answer with the settings of the workspace."""
    return _settings(await call.look(lambda r: workspaces.get(r, call.workspace_id)))


def _settings(workspace: workspaces.Workspace) -> Answer:
    return Answer(
        {
            "name": workspace.name,
            "currency": workspace.currency,
            "time_zone": workspace.time_zone,
            "strict": workspace.is_strict,
        }
    )


def _change(call: Call) -> workspaces.Settle:
    sent = call.body()
    call.warnings += wire.warnings(sent)
    change = workspaces.Change(**wire.decode_settings(sent))
    return workspaces.Settle(change, call.author)


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
