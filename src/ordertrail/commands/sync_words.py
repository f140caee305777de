"""`sync`, `explain` and `verify` as the command line spells them."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from ordertrail.commands import words
from ordertrail.commands.loading import AsJson, command, settings

_File = Annotated[Path, typer.Argument(help="The shop's orders; - is standard input.")]
_MaybeFile = Annotated[
    Path | None, typer.Argument(help="The shop's truth; else what the outbox has kept.")
]


def sync(
    file: _File,
    to: words.To = None,
    token: words.Token = None,
    flow: words.FlowWord = None,
    sync_point: words.SyncPoint = None,
    stages: words.Stages = None,
    config: words.Config = None,
    form: words.Form = None,
    source: words.Source = None,
    timezone: words.Timezone = None,
    since: words.Since = None,
    strict: words.Strict = False,
    origin: Annotated[
        str, typer.Option(help="backfill or live; automations act on live orders alone.")
    ] = "backfill",
    limit_rate: words.LimitRate = None,
    outbox: words.Outbox = None,
    no_preflight: Annotated[
        bool, typer.Option("--no-preflight", help="Do not check stages and clock first.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would change; send and write nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Deliver a file of orders; once delivered, a second run changes nothing."""
    options = command("options")
    module = command("sync")
    job = module.Job(
        options.FileOptions(file, form, timezone, since, None, strict),
        options.FlowOptions(config, flow, sync_point, stages),
        source,
        origin,
        limit_rate,
        not no_preflight,
        as_json,
    )
    chosen = command("rehearsal") if dry_run else module
    sys.exit(chosen.run(settings(url=to, token=token, outbox=outbox), job))


def explain(
    file: _File,
    order: Annotated[str | None, typer.Option(help="The id of the order.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many orders.")] = 1,
    to: words.To = None,
    flow: words.FlowWord = None,
    sync_point: words.SyncPoint = None,
    stages: words.Stages = None,
    config: words.Config = None,
    form: words.Form = None,
    source: words.Source = None,
    timezone: words.Timezone = None,
    as_curl: Annotated[bool, typer.Option("--curl", help="Print commands for a shell.")] = False,
    as_json: AsJson = False,
) -> None:
    """Print the calls that orders would cause at a fresh endpoint, without making them."""
    options, module = command("options"), command("explain")
    job = module.Job(
        options.FileOptions(file, form, timezone),
        options.FlowOptions(config, flow, sync_point, stages),
        order,
        limit,
        source,
        as_curl,
        as_json,
    )
    sys.exit(module.run(settings(url=to), job))


def verify(
    file: _MaybeFile = None,
    to: words.To = None,
    token: words.Token = None,
    flow: words.FlowWord = None,
    sync_point: words.SyncPoint = None,
    stages: words.Stages = None,
    config: words.Config = None,
    form: words.Form = None,
    source: words.Source = None,
    timezone: words.Timezone = None,
    outbox: words.Outbox = None,
    sample: Annotated[int | None, typer.Option(min=1, help="So many orders, by chance.")] = None,
    limit_rate: words.LimitRate = None,
    fix: Annotated[bool, typer.Option("--fix", help="Say again the orders that differ.")] = False,
    as_json: AsJson = False,
) -> None:
    """Compare the shop's truth with what the endpoint holds; exit code 0 when nothing differs."""
    options, module = command("options"), command("verify")
    job = module.Job(
        None if file is None else options.FileOptions(file, form, timezone),
        options.FlowOptions(config, flow, sync_point, stages),
        source,
        sample,
        limit_rate,
        fix,
        as_json,
    )
    sys.exit(module.run(settings(url=to, token=token, outbox=outbox), job))
