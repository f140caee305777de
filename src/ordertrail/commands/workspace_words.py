"""`workspace …` as the command line spells it."""

from typing import Annotated

import typer

from ordertrail.commands.loading import AsJson, DatabaseUrl, command, settings

commands = typer.Typer(help="The settings of the workspace.", no_args_is_help=True)


@commands.command("show")
def show(database: DatabaseUrl = None, as_json: AsJson = False) -> None:
    """Show the settings of the workspace."""
    command("workspace", "server").show(settings(database), as_json)


@commands.command("set")
def change(
    name: Annotated[str | None, typer.Option(help="What it is called.")] = None,
    currency: Annotated[str | None, typer.Option(help="Of deals without one: EUR.")] = None,
    time_zone: Annotated[
        str | None, typer.Option(help="Of reports and pages: Europe/London.")
    ] = None,
    strict: Annotated[
        bool | None,
        typer.Option("--strict/--no-strict", help="Refuse attributes that nobody defined."),
    ] = None,
    database: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Change settings of the workspace; a running server goes by them at once."""
    module = command("workspace", "server")
    wanted = module.Change(name, currency, time_zone, strict)
    module.change(settings(database), wanted, as_json)
