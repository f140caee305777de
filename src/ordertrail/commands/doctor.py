"""`ordertrail doctor`: what this installation is, and whether it can work."""

import contextlib
import platform

import typer

from ordertrail import opening
from ordertrail.kit.sqlite import Sqlite
from ordertrail.settings import Settings, is_secret, without_password
from ordertrail.store import migrations
from ordertrail.version import VERSION


def run(settings: Settings) -> None:
    """Print version, settings and the state of the database."""
    typer.echo(f"ordertrail {VERSION} on Python {platform.python_version()}\n")
    for name, field in Settings.model_fields.items():
        value = getattr(settings, name)
        shown = ("set" if value else "not set") if is_secret(name) else without_password(str(value))
        typer.echo(f"ORDERTRAIL_{name.upper()} = {shown}\n    {field.description}")
    typer.echo(f"\ndatabase: {_state(settings)}")


def _state(settings: Settings) -> str:
    database = opening.at(settings)
    if isinstance(database, Sqlite) and not database.path.exists():
        return f"{database.path} is not there yet; `ordertrail serve` makes it"
    with contextlib.closing(database):
        pending = migrations.pending(database)
    return f"{len(pending)} migrations to run: ordertrail migrate" if pending else "up to date"
