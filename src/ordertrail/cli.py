"""The command line: reads words, hands them to a command, and turns errors into exit codes.

0 done, 2 refused input, 75 try again later, 77 not allowed, 130 stopped by Ctrl-C, 1 a bug.
A command is imported when it is called, so that the library and the sync need no server parts.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console

from ordertrail.commands import import_words, keys_words, outbox_words, sync_words, workspace_words
from ordertrail.commands.exits import EXIT_LATER, EXIT_NOT_ALLOWED, EXIT_REFUSED, EXIT_STOPPED
from ordertrail.commands.loading import AsJson, DatabaseUrl, command, settings
from ordertrail.domain.errors import Forbidden, Refused, Unauthorised, Unavailable
from ordertrail.kit.database import DatabaseAway, DatabaseRefused
from ordertrail.version import VERSION

app = typer.Typer(
    name="ordertrail",
    help="Records every order of a shop exactly once.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(keys_words.commands, name="keys")
app.add_typer(outbox_words.commands, name="outbox")
app.add_typer(workspace_words.commands, name="workspace")
app.command("sync")(sync_words.sync)
app.command("explain")(sync_words.explain)
app.command("verify")(sync_words.verify)
app.command("import")(import_words.import_file)

_errors = Console(stderr=True, highlight=False)


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port; 0 for any free one.")] = 8000,
    database: DatabaseUrl = None,
    workers: Annotated[
        int, typer.Option(help="Server processes; more than one wants PostgreSQL.")
    ] = 1,
) -> None:
    """Run the platform: the API, and the console in the browser."""
    command("serve", "server").run(settings(database), host, port, workers)


@app.command()
def work(database: DatabaseUrl = None) -> None:
    """Do background work alone, for an installation of several machines on PostgreSQL."""
    command("work", "server").run(settings(database))


@app.command()
def migrate(
    database: DatabaseUrl = None,
    distribute: Annotated[
        bool, typer.Option("--distribute", help="Spread the tables over the nodes of Citus, too.")
    ] = False,
) -> None:
    """Bring the database to this release's schema; `serve` does so by itself."""
    command("migrate", "server").run(settings(database), distribute=distribute)


@app.command()
def demo(
    orders: Annotated[int, typer.Option(min=1, max=1000, help="How many orders.")] = 1000,
    port: Annotated[int, typer.Option(help="The port; 0 for any free one.")] = 8000,
    data: Annotated[Path, typer.Option(help="Where the demo keeps its files.")] = Path("demo-data"),
    leave: Annotated[bool, typer.Option("--exit", help="Stop after the summary.")] = False,
    as_json: AsJson = False,
) -> None:
    """Start the platform, sync 1,000 real orders into it, and keep serving."""
    module = command("demo", "server")
    module.run(module.Demo(orders, port, data, leave, as_json))


@app.command()
def doctor(database: DatabaseUrl = None, as_json: AsJson = False) -> None:
    """Show the settings, secrets hidden, and what state the database and its tables are in."""
    command("doctor", "server").run(settings(database), as_json=as_json)


@app.command("console-link")
def console_link(database: DatabaseUrl = None) -> None:
    """Print a new link that signs the owner into the console, once."""
    command("serve", "server").print_link(settings(database))


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(VERSION)


def main() -> NoReturn:
    """Run the command line of this process, and end the process with its exit code."""
    sys.exit(run(sys.argv[1:]))


def run(words: Sequence[str]) -> int:
    """Run one command and return its exit code; every expected error becomes one line."""
    try:
        app(list(words))
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except (Unauthorised, Forbidden) as error:
        return _stopped(str(error), EXIT_NOT_ALLOWED)
    except (Refused, DatabaseRefused) as error:
        return _stopped(str(error), EXIT_REFUSED)
    except (Unavailable, DatabaseAway) as error:
        return _stopped(str(error), EXIT_LATER)
    except KeyboardInterrupt:
        return _stopped("stopped", EXIT_STOPPED)
    return 0


def _stopped(reason: str, code: int) -> int:
    _errors.print(f"ordertrail: {reason}", markup=False, soft_wrap=True)
    return code
