"""`ordertrail workspace`: the settings of the workspace."""

from collections.abc import Sequence

import typer
from rich.table import Table

from ordertrail.actions import workspaces
from ordertrail.actions.workspaces import Change, Settle, Workspace
from ordertrail.commands import place, tables
from ordertrail.domain.errors import Invalid, Refused
from ordertrail.domain.journal import Author
from ordertrail.kit import clock, json
from ordertrail.kit.committer import Batch
from ordertrail.kit.database import Tx
from ordertrail.settings import Settings
from ordertrail.store import writers

__all__ = ["Change", "change", "show"]

_AUTHOR = Author("command line")


def show(settings: Settings, as_json: bool) -> None:
    """Print the settings of the workspace."""
    with place.existing(settings) as database:
        found = database.read(lambda reader: workspaces.get(reader, workspaces.DEFAULT_ID))
    _print(found, as_json)


def change(settings: Settings, wanted: Change, as_json: bool) -> None:
    """Change settings of the workspace and print all of them; raises Invalid for none."""
    if wanted == Change():
        raise Invalid({"set": "say what to change; --help names the options"})
    batch = Batch(workspaces.DEFAULT_ID, clock.utc_now(), [Settle(wanted, _AUTHOR)])
    with place.existing(settings) as database:
        [outcome] = database.write(lambda tx: _changed(tx, batch))
    if isinstance(outcome, Exception):
        raise outcome
    _print(outcome, as_json)


def _changed(tx: Tx, batch: Batch[Settle]) -> Sequence[Workspace | Refused]:
    writers.hold(tx, batch.workspace_id)
    return workspaces.change(tx, batch)


def _print(workspace: Workspace, as_json: bool) -> None:
    said = {
        "name": workspace.name,
        "currency": workspace.currency,
        "time_zone": workspace.time_zone,
        "strict": workspace.is_strict,
    }
    if as_json:
        typer.echo(json.dumps(said))
        return
    table = Table(box=None, pad_edge=False, show_header=False)
    for name, value in said.items():
        table.add_row(name, ("no", "yes")[value] if isinstance(value, bool) else str(value))
    tables.show(table)
