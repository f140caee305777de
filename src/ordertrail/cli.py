"""The command line: reads words, hands them to a command, and turns errors into exit codes.

0 done, 2 refused input, 75 try again later, 77 not allowed, 130 stopped by Ctrl-C, 1 a bug.
A command is imported when it is called, so that the library and the sync need no server parts.
"""

import importlib
import sys
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from pydantic import ValidationError
from rich.console import Console

from ordertrail.domain.errors import Forbidden, Invalid, Refused, Unauthorised, Unavailable
from ordertrail.kit.database import DatabaseAway, DatabaseRefused
from ordertrail.settings import Settings
from ordertrail.version import VERSION

EXIT_REFUSED, EXIT_LATER, EXIT_NOT_ALLOWED, EXIT_STOPPED = 2, 75, 77, 130

app = typer.Typer(
    name="ordertrail",
    help="Records every order of a shop exactly once.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
keys = typer.Typer(help="API keys of the platform.", no_args_is_help=True)
app.add_typer(keys, name="keys")

_errors = Console(stderr=True, highlight=False)

DatabaseUrl = Annotated[
    str | None, typer.Option("--database", help="sqlite:///FILE; else ORDERTRAIL_DATABASE_URL.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON, nothing else.")]


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port; 0 for any free one.")] = 8000,
    database: DatabaseUrl = None,
    workers: Annotated[int, typer.Option(help="Server processes; SQLite carries one.")] = 1,
) -> None:
    """Run the platform: the API, and the console in the browser."""
    _command("serve", "server").run(_settings(database), host, port, workers)


@app.command()
def migrate(database: DatabaseUrl = None) -> None:
    """Bring the database to this release's schema; `serve` does so by itself."""
    _command("migrate", "server").run(_settings(database))


@app.command()
def demo(
    orders: Annotated[int, typer.Option(min=1, max=1000, help="How many orders.")] = 1000,
    port: Annotated[int, typer.Option(help="The port; 0 for any free one.")] = 8000,
    data: Annotated[Path, typer.Option(help="Where the demo keeps its files.")] = Path("demo-data"),
    leave: Annotated[bool, typer.Option("--exit", help="Stop after the summary.")] = False,
    as_json: AsJson = False,
) -> None:
    """Start the platform, sync 1,000 real orders into it, and keep serving."""
    command = _command("demo", "server")
    command.run(command.Demo(orders, port, data, leave, as_json))


@app.command()
def sync(
    file: Annotated[Path, typer.Argument(help="The shop's orders.")],
    to: Annotated[str | None, typer.Option(help="The endpoint; else ORDERTRAIL_URL.")] = None,
    token: Annotated[str | None, typer.Option(help="Its API key; else ORDERTRAIL_TOKEN.")] = None,
    flow: Annotated[str, typer.Option(help="detailed")] = "detailed",
    form: Annotated[str, typer.Option("--format", help="online-retail")] = "online-retail",
    stages: Annotated[str, typer.Option(help="Stage ids: placed,fulfilled,cancelled.")] = "1,2,3",
    outbox: Annotated[
        Path | None, typer.Option(help="What is still to deliver; else ORDERTRAIL_OUTBOX.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Deliver a file of orders; once delivered, a second run changes nothing."""
    command = _command("sync")
    settings = _settings(None, url=to, token=token, outbox=outbox)
    sys.exit(command.run(settings, command.Job(file, flow, form, stages, as_json)))


@app.command()
def doctor(database: DatabaseUrl = None) -> None:
    """Show the settings, secrets hidden, and what state the database is in."""
    _command("doctor", "server").run(_settings(database))


@app.command("console-link")
def console_link(database: DatabaseUrl = None) -> None:
    """Print a new link that signs the owner into the console, once."""
    _command("serve", "server").print_link(_settings(database))


@keys.command("create")
def create_key(
    name: Annotated[str, typer.Option(help="What it is for.")],
    scope: Annotated[str, typer.Option(help="read, write or both.")] = "both",
    rate_limit: Annotated[int, typer.Option(help="Requests a second; 0 for none.")] = 0,
    ip: Annotated[list[str] | None, typer.Option(help="Allowed address or network.")] = None,
    database: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Make a key and show its token of 64 characters, this one time."""
    command = _command("keys", "server")
    command.create(_settings(database), command.Wanted(name, scope, rate_limit, ip or []), as_json)


@keys.command("list")
def list_keys(database: DatabaseUrl = None, as_json: AsJson = False) -> None:
    """List the keys, without their tokens."""
    _command("keys", "server").list_all(_settings(database), as_json)


@keys.command("revoke")
def revoke_key(
    key_id: Annotated[int, typer.Argument(help="The id that `keys list` shows.")],
    database: DatabaseUrl = None,
) -> None:
    """Take a key out of use for ever."""
    _command("keys", "server").revoke(_settings(database), key_id)


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(VERSION)


def main() -> NoReturn:
    """Run the command line; every expected error becomes one line and an exit code."""
    try:
        app()
    except (Unauthorised, Forbidden) as error:
        _stop(str(error), EXIT_NOT_ALLOWED)
    except (Refused, DatabaseRefused) as error:
        _stop(str(error), EXIT_REFUSED)
    except (Unavailable, DatabaseAway) as error:
        _stop(str(error), EXIT_LATER)
    except KeyboardInterrupt:
        _stop("stopped", EXIT_STOPPED)
    sys.exit(0)


def _command(name: str, extra: str | None = None) -> Any:
    try:
        return importlib.import_module(f"ordertrail.commands.{name}")
    except ModuleNotFoundError as error:
        if extra is None or (error.name or "").startswith("ordertrail"):
            raise
        raise Invalid(
            {error.name or name: f"is not installed: pip install 'ordertrail[{extra}]'"}
        ) from None


def _settings(database: str | None, **given: object) -> Settings:
    values = {"database_url": database, **given}
    try:
        return Settings(**{name: value for name, value in values.items() if value is not None})  # type: ignore[arg-type]
    except ValidationError as error:
        wrong = {".".join(map(str, each["loc"])): each["msg"] for each in error.errors()}
        raise Invalid(wrong) from None


def _stop(reason: str, code: int) -> NoReturn:
    _errors.print(f"ordertrail: {reason}", markup=False, soft_wrap=True)
    sys.exit(code)
