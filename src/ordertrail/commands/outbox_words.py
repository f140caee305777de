"""`outbox …` as the command line spells it."""

import sys
from typing import Annotated

import typer

from ordertrail.commands import words
from ordertrail.commands.loading import AsJson, command, settings

commands = typer.Typer(
    help="What waits to be delivered, what is parked and why.", no_args_is_help=True
)

_Kinds = Annotated[
    list[str] | None,
    typer.Option("--kind", help="contact, merge, deal, product_event, conversion."),
]
_OrderId = Annotated[str | None, typer.Option("--order", help="Only this order.")]
_Reason = Annotated[str | None, typer.Option(help="Only where the reason contains this.")]


@commands.command("status")
def status(outbox: words.Outbox = None, as_json: AsJson = False) -> None:
    """Count what there is by state, and say how each destination stands."""
    sys.exit(command("outbox").status(settings(outbox=outbox), as_json=as_json))


@commands.command("list")
def show_list(
    states: Annotated[
        list[str] | None,
        typer.Option("--state", help="waiting, leased, done, parked, quarantined; several."),
    ] = None,
    kinds: _Kinds = None,
    order: _OrderId = None,
    source: words.OneSource = None,
    reason: _Reason = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="How many at most.")] = 50,
    destination: words.Destination = None,
    outbox: words.Outbox = None,
    as_json: AsJson = False,
) -> None:
    """List calls and orders in quarantine, with their reasons."""
    module = command("outbox")
    wanted = tuple(states or ("waiting", "leased", "parked", "quarantined"))
    which = module.Which(destination, wanted, tuple(kinds or ()), order, source, reason, limit)
    sys.exit(module.show_list(settings(outbox=outbox), which, as_json=as_json))


@commands.command("show")
def show(
    order: Annotated[str, typer.Argument(help="The id of the order.")],
    source: words.OneSource = None,
    destination: words.Destination = None,
    outbox: words.Outbox = None,
    as_json: AsJson = False,
) -> None:
    """Show an order: its latest snapshot and every call that it caused."""
    module = command("outbox")
    which = module.Which(destination, source=source)
    sys.exit(module.show(settings(outbox=outbox), which, order, as_json=as_json))


@commands.command("retry")
def retry(
    kinds: _Kinds = None,
    order: _OrderId = None,
    source: words.OneSource = None,
    reason: _Reason = None,
    destination: words.Destination = None,
    outbox: words.Outbox = None,
    dry_run: words.DryRun = False,
) -> None:
    """Let parked calls wait again."""
    module = command("outbox_work")
    which = module.Which(destination, (), tuple(kinds or ()), order, source, reason)
    sys.exit(module.retry(settings(outbox=outbox), which, dry_run=dry_run))


@commands.command("edit")
def edit(
    operation: Annotated[int, typer.Argument(help="The id that `outbox list` shows.")],
    body: Annotated[str | None, typer.Option(help="The new JSON, or @FILE; else EDITOR.")] = None,
    destination: words.Destination = None,
    outbox: words.Outbox = None,
) -> None:
    """Change what a parked call says, and let it wait again."""
    module = command("outbox_work")
    chosen = settings(outbox=outbox)
    sys.exit(module.edit(chosen, module.Which(destination), operation, body))


@commands.command("replay")
def replay(
    orders: Annotated[
        list[str] | None, typer.Option("--order", help="The id of an order; several.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="All orders.")] = False,
    source: words.OneSource = None,
    flow: words.FlowWord = None,
    sync_point: words.SyncPoint = None,
    stages: words.Stages = None,
    config: words.Config = None,
    destination: words.Destination = None,
    outbox: words.Outbox = None,
    dry_run: words.DryRun = False,
) -> None:
    """Say again what should be there for orders, whatever was delivered; nothing counts twice."""
    module, options = command("outbox_work"), command("options")
    asked = options.FlowOptions(config, flow, sync_point, stages)
    which = module.Which(destination, source=source)
    chosen = settings(outbox=outbox)
    code = module.replay(chosen, which, tuple(orders or ()), asked, every=every, dry_run=dry_run)
    sys.exit(code)


@commands.command("deliver")
def deliver(
    once: Annotated[
        bool, typer.Option("--once", help="Stop when nothing waits; else go on for ever.")
    ] = False,
    to: words.To = None,
    token: words.Token = None,
    limit_rate: words.LimitRate = None,
    outbox: words.Outbox = None,
) -> None:
    """Deliver what waits for the endpoint: the worker behind a shop's own code."""
    chosen = settings(url=to, token=token, outbox=outbox)
    sys.exit(command("outbox_work").deliver(chosen, once=once, limit_rate=limit_rate))


@commands.command("prune")
def prune(
    older_than: Annotated[str, typer.Option(help="How long ago it was done: 30d.")] = "30d",
    outbox: words.Outbox = None,
) -> None:
    """Forget calls that were done long ago."""
    sys.exit(command("outbox_work").prune(settings(outbox=outbox), older_than))
