"""`keys …` as the command line spells it."""

from typing import Annotated

import typer

from ordertrail.commands.loading import AsJson, DatabaseUrl, command, settings

commands = typer.Typer(help="API keys of the platform.", no_args_is_help=True)

_KeyId = Annotated[int, typer.Argument(help="The id that `keys list` shows.")]
_Expires = Annotated[
    str | None,
    typer.Option(help="When it ends: 90d, 2027-01-31, 2027-01-31T18:00Z; else never."),
]


@commands.command("create")
def create(
    name: Annotated[str, typer.Option(help="What it is for.")],
    scope: Annotated[str, typer.Option(help="read, write or both.")] = "both",
    rate_limit: Annotated[int, typer.Option(help="Requests a second; 0 for none.")] = 0,
    ip: Annotated[list[str] | None, typer.Option(help="Allowed address or network.")] = None,
    expires: _Expires = None,
    database: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Make a key and show its token of 64 characters, this one time."""
    module = command("keys", "server")
    wanted = module.Wanted(name, scope, rate_limit, ip or [], expires)
    module.create(settings(database), wanted, as_json)


@commands.command("list")
def show_list(database: DatabaseUrl = None, as_json: AsJson = False) -> None:
    """List the keys, without their tokens."""
    command("keys", "server").list_all(settings(database), as_json)


@commands.command("rotate")
def rotate(
    key_id: _KeyId,
    overlap: Annotated[str, typer.Option(help="How long the old one works: 30m, 24h, 0.")] = "24h",
    expires: _Expires = None,
    database: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Make a key like another one, show its token, and let the other one expire."""
    module = command("keys", "server")
    module.rotate(settings(database), module.Followed(key_id, overlap, expires), as_json)


@commands.command("revoke")
def revoke(key_id: _KeyId, database: DatabaseUrl = None, as_json: AsJson = False) -> None:
    """Take a key out of use for ever."""
    command("keys", "server").revoke(settings(database), key_id, as_json)
