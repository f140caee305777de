"""`import` as the command line spells it."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from ordertrail.commands import words
from ordertrail.commands.loading import AsJson, command, settings
from ordertrail.domain.errors import Invalid

_MEANT = {"contact": "users", "customer": "users", "order": "deals"}
_KINDS = ("users", "products", "deals")


def import_file(
    kind: Annotated[str, typer.Argument(help="users, products or deals.")],
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
    job = module.Job(_checked(kind), file, origin, dry_run, as_json)
    sys.exit(module.run(settings(url=to, token=token), job))


def _checked(kind: str) -> str:
    if kind in _KINDS:
        return kind
    single = kind.lower().removesuffix("s")
    meant = _MEANT.get(single, f"{single}s")
    hint = f"; do you mean {meant}?" if meant in _KINDS else ""
    raise Invalid({"kind": f"{kind[:32]!r} is not one of {', '.join(_KINDS)}{hint}"})
