"""`import` as the command line spells it."""

import enum
import sys
from pathlib import Path
from typing import Annotated

import typer

from ordertrail.commands import words
from ordertrail.commands.loading import AsJson, command, settings


class Kind(enum.StrEnum):
    """What a file may be of."""

    USERS = "users"
    PRODUCTS = "products"
    DEALS = "deals"


def import_file(
    kind: Annotated[Kind, typer.Argument(help="users, products or deals.", show_choices=False)],
    file: Annotated[Path, typer.Argument(help="A CSV file; - is standard input.")],
    to: words.To = None,
    token: words.Token = None,
    origin: Annotated[
        str, typer.Option(help="backfill or live; automations act on live changes alone.")
    ] = "backfill",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would change; write nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Send a CSV file to a platform, and tell what became of each row."""
    module = command("imports")
    job = module.Job(str(kind), file, origin, dry_run, as_json)
    sys.exit(module.run(settings(url=to, token=token), job))
