"""What a sync says at its end, to a person or to a program, and the exit code that it means."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import typer

from ordertrail.commands.exits import EXIT_DONE, EXIT_LATER, EXIT_NOT_ALLOWED, EXIT_REFUSED
from ordertrail.domain.errors import Forbidden, Refused, Unauthorised
from ordertrail.kit import json
from ordertrail.kit.counting import counted
from ordertrail.sync.outbox import Listed, Quarantined
from ordertrail.sync.preflight import Preflight
from ordertrail.sync.progress import Summary
from ordertrail.sync.shops.readings import Reading, Rejected

LEFT_SHOWN = 10
_GO_ON = "mend what is wrong and run the same again to go on."


@dataclass(frozen=True, slots=True)
class Delivered:
    """What came of a run, and what is left and why."""

    summary: Summary
    parked: list[Listed] = field(default_factory=list)
    quarantined: list[Quarantined] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    preflight: Preflight | None = None


def exit_code(summary: Summary) -> int:
    """Return 0 done, 2 something was refused, 75 try again later, 77 not allowed."""
    if isinstance(summary.stopped, Unauthorised | Forbidden):
        return EXIT_NOT_ALLOWED
    if isinstance(summary.stopped, Refused):
        return EXIT_REFUSED
    if summary.stopped is not None or summary.progress.waiting:
        return EXIT_LATER
    return EXIT_DONE if summary.is_complete else EXIT_REFUSED


def begin(url: str, found: Preflight, *, is_quiet: bool) -> None:
    """Say what is at the other end, and what somebody should know, before the first write."""
    if not is_quiet:
        typer.echo(f"{url}: {found}", err=True)
    for warning in found.warnings:
        typer.echo(f"note: {warning}", err=True)


def tell(reading: Reading, delivered: Delivered, outbox: str, *, as_json: bool) -> None:
    """Print what a run came to."""
    if as_json:
        typer.echo(json.dumps(as_data(reading, delivered)))
        return
    for line in reading.accounts.told():
        typer.echo(line)
    tell_delivered(delivered, outbox)


def as_data(reading: Reading, delivered: Delivered) -> dict[str, Any]:
    """Return the result as what `--json` prints."""
    progress, stopped = delivered.summary.progress, delivered.summary.stopped
    return {
        "rows": reading.accounts.as_data(),
        "destination": delivered.summary.destination,
        "preflight": delivered.preflight,
        "orders": progress.orders,
        "changed": progress.changed,
        "unchanged": progress.unchanged,
        "older": progress.older,
        "quarantined": progress.quarantined,
        "rejected": progress.rejected,
        "planned": {str(kind): count for kind, count in sorted(progress.planned.items())},
        "delivered": {str(kind): count for kind, count in sorted(progress.delivered.items())},
        "waiting": progress.waiting,
        "parked": progress.parked,
        "parked_because": [
            f"{e.order_id}: {e.reason}" for e in delivered.parked if not is_follower(e)
        ],
        "quarantined_because": [f"{e.order_id}: {e.reason}" for e in delivered.quarantined],
        "rejected_because": [str(each) for each in delivered.rejected],
        "stopped_because": str(stopped) if stopped else None,
        "seconds": round(delivered.summary.seconds, 3),
    }


def tell_delivered(delivered: Delivered, outbox: str) -> None:
    """Print what was changed and delivered, and what is left and why."""
    progress = delivered.summary.progress
    typer.echo(
        f"{counted(progress.orders, 'order')}: {progress.changed:,} changed,"
        f" {progress.unchanged:,} unchanged, {progress.older:,} older,"
        f" {progress.quarantined:,} quarantined, {progress.rejected:,} rejected"
    )
    tell_calls(delivered, outbox)


def tell_calls(delivered: Delivered, outbox: str) -> None:
    """Print what was delivered, and what is left and why."""
    summary, progress = delivered.summary, delivered.summary.progress
    done = progress.delivered.total()
    rate = f", {done / summary.seconds:,.0f} a second" if done and summary.seconds else ""
    typer.echo(
        f"{counted(done, 'call')} delivered in {summary.seconds:,.1f} s{rate};"
        f" {progress.waiting:,} waiting, {progress.parked:,} parked"
    )
    _tell_left(delivered)
    if summary.stopped is not None:
        typer.echo(f"stopped: {summary.stopped}", err=True)
        left = f"What is left waits in {outbox}" if progress.orders else "Nothing was accepted"
        typer.echo(f"{left}; {_GO_ON}", err=True)


def is_follower(parked: Listed) -> bool:
    """Tell whether an operation is parked only because one that it needs is."""
    return (parked.reason or "").startswith("waits for ")


def _tell_left(delivered: Delivered) -> None:
    causes = Counter(each.reason for each in delivered.parked if not is_follower(each))
    for reason, count in causes.most_common(LEFT_SHOWN):
        typer.echo(f"  parked: {counted(count, 'call')}: {reason}", err=True)
    if delivered.parked:
        followers = sum(map(is_follower, delivered.parked))
        typer.echo(f"  {followers:,} calls wait for these; {_GO_ON}", err=True)
    for order in delivered.quarantined[:LEFT_SHOWN]:
        typer.echo(f"  quarantined: order {order.order_id}: {order.reason}", err=True)
    for rejected in delivered.rejected[:LEFT_SHOWN]:
        typer.echo(f"  rejected: {rejected}", err=True)
