"""`ordertrail sync FILE`: a file of orders, delivered, with its account of every row."""

import asyncio
import logging
import signal
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.progress import (
    Progress as ProgressBar,
)

from ordertrail.client.client import Client
from ordertrail.domain.errors import Forbidden, Invalid, Refused, Unauthorised
from ordertrail.kit import json
from ordertrail.settings import Settings
from ordertrail.sync.deliver import Limits
from ordertrail.sync.flow import Flow, Stages
from ordertrail.sync.outbox import Outbox
from ordertrail.sync.outbox_operations import Parked
from ordertrail.sync.outbox_orders import Quarantined
from ordertrail.sync.progress import Progress, Summary
from ordertrail.sync.run import Pace
from ordertrail.sync.run import run as run_sync
from ordertrail.sync.shops import online_retail
from ordertrail.sync.shops.online_retail import Accounts, Reading

EXIT_DONE, EXIT_REFUSED, EXIT_LATER, EXIT_NOT_ALLOWED = 0, 2, 75, 77
LEFT_SHOWN = 10
LEFT_READ = 10_000
_GO_ON = "mend what is wrong and run the same again to go on."
_STAGE_COUNT = 3


@dataclass(frozen=True, slots=True)
class Job:
    """What a person asks for."""

    file: Path
    flow: str
    form: str
    stages: str
    as_json: bool


@dataclass(frozen=True, slots=True)
class Delivered:
    """What came of it, and why operations are parked and orders in quarantine."""

    summary: Summary
    parked: list[Parked]
    quarantined: list[Quarantined]


def run(settings: Settings, job: Job) -> int:
    """Deliver the file and return the exit code; raises Refused for what cannot be read."""
    if job.flow != "detailed":
        raise Invalid({"flow": f"{job.flow[:32]!r} is not known; there is: detailed"})
    if job.form != "online-retail":
        raise Invalid({"format": f"{job.form[:32]!r} is not known; there is: online-retail"})
    if not settings.token:
        raise Unauthorised("no API key: give --token, or set ORDERTRAIL_TOKEN")
    flow = Flow(_stages(job.stages))
    try:
        reading = online_retail.read(job.file)
    except Invalid as error:
        raise Invalid(_in_file(job.file, error.fields)) from None
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(message)s")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        delivered = deliver(settings, reading, flow, quiet=job.as_json)
    except KeyboardInterrupt:
        typer.echo(
            f"What is not delivered waits in {settings.outbox}; run the same again.", err=True
        )
        raise
    if job.as_json:
        typer.echo(json.dumps(as_data(reading.accounts, delivered)))
    else:
        _tell(reading.accounts, delivered, settings.outbox)
    return exit_code(delivered.summary)


def deliver(
    settings: Settings, reading: Reading, flow: Flow, *, quiet: bool, orders_max: int | None = None
) -> Delivered:
    """Bring the endpoint to what the shop's orders say, with a progress bar unless `quiet`."""
    total = min(reading.order_count, orders_max or reading.order_count)
    bar = _bar()
    task = bar.add_task("orders", total=total, calls=0)

    def show(progress: Progress) -> None:
        done = progress.delivered.total()
        everything = done + progress.waiting
        share = done / everything if everything else 1.0
        bar.update(task, completed=progress.orders * share, calls=done)

    with nullcontext() if quiet else bar, Outbox(settings.outbox) as outbox:
        summary = asyncio.run(_run(settings, reading, flow, outbox, show, orders_max))
        there = summary.destination
        return Delivered(
            summary, outbox.parked(there, LEFT_READ), outbox.quarantined(there, LEFT_READ)
        )


async def _run(
    settings: Settings,
    reading: Reading,
    flow: Flow,
    outbox: Outbox,
    show: Callable[[Progress], None],
    orders_max: int | None,
) -> Summary:
    orders = islice(reading.orders(), orders_max)
    async with Client(
        settings.url, settings.token, connections_max=settings.connections_max
    ) as client:
        at_once = settings.connections_max
        pace = Pace(limits=Limits(calls_max=at_once, lanes_max=at_once))
        return await run_sync(
            orders, outbox, client, flow=flow, source="online-retail", progress=show, pace=pace
        )


def exit_code(summary: Summary) -> int:
    """Return 0 done, 2 something was refused, 75 try again later, 77 not allowed."""
    if isinstance(summary.stopped, Unauthorised | Forbidden):
        return EXIT_NOT_ALLOWED
    if isinstance(summary.stopped, Refused):
        return EXIT_REFUSED
    if summary.stopped is not None or summary.progress.waiting:
        return EXIT_LATER
    return EXIT_DONE if summary.is_complete else EXIT_REFUSED


def as_data(accounts: Accounts, delivered: Delivered) -> dict[str, Any]:
    """Return the result as what `--json` prints."""
    progress = delivered.summary.progress
    stopped = delivered.summary.stopped
    return {
        "rows": asdict(accounts),
        "orders": progress.orders,
        "changed": progress.changed,
        "unchanged": progress.unchanged,
        "quarantined": progress.quarantined,
        "planned": {str(kind): count for kind, count in sorted(progress.planned.items())},
        "delivered": {str(kind): count for kind, count in sorted(progress.delivered.items())},
        "waiting": progress.waiting,
        "parked": progress.parked,
        "parked_because": [
            f"{e.order_id}: {e.reason}" for e in delivered.parked if not _is_follower(e)
        ],
        "quarantined_because": [f"{e.order_id}: {e.reason}" for e in delivered.quarantined],
        "stopped_because": str(stopped) if stopped else None,
        "seconds": round(delivered.summary.seconds, 3),
    }


def _stages(text: str) -> Stages:
    parts = [part.strip() for part in text.split(",")]
    if len(parts) != _STAGE_COUNT or not all(p.isascii() and p.isdigit() for p in parts):
        raise Invalid({"stages": "must be three stage ids, such as 13,12,14"})
    return Stages(*map(int, parts))


def _bar() -> ProgressBar:
    return ProgressBar(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[calls]:,} calls"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    )


def _tell(accounts: Accounts, delivered: Delivered, outbox: Path) -> None:
    typer.echo(
        f"{accounts.rows_read:,} rows: {accounts.order_rows:,} of orders,"
        f" {accounts.refund_rows:,} of refunds, {_counted(accounts.rows_skipped)} skipped"
    )
    typer.echo(
        f"{accounts.refund_rows:,} refund rows: {accounts.refund_rows_applied:,} found their order,"
        f" {_counted(accounts.refund_rows_not_applied)} did not"
    )
    tell_delivered(delivered, outbox)


def tell_delivered(delivered: Delivered, outbox: Path) -> None:
    """Print what was changed and delivered, and what is left and why."""
    summary, progress = delivered.summary, delivered.summary.progress
    done = progress.delivered.total()
    typer.echo(
        f"{progress.orders:,} orders: {progress.changed:,} changed,"
        f" {progress.unchanged:,} unchanged, {progress.quarantined:,} quarantined"
    )
    rate = f", {done / summary.seconds:,.0f} a second" if done and summary.seconds else ""
    typer.echo(
        f"{done:,} calls delivered in {summary.seconds:,.1f} s{rate};"
        f" {progress.waiting:,} waiting, {progress.parked:,} parked"
    )
    causes = Counter(each.reason for each in delivered.parked if not _is_follower(each))
    for reason, count in causes.most_common(LEFT_SHOWN):
        typer.echo(f"  parked: {count:,} calls: {reason}", err=True)
    if delivered.parked:
        followers = sum(map(_is_follower, delivered.parked))
        typer.echo(f"  {followers:,} calls wait for these; {_GO_ON}", err=True)
    for order in delivered.quarantined[:LEFT_SHOWN]:
        typer.echo(f"  quarantined: order {order.order_id}: {order.reason}", err=True)
    if summary.stopped is not None:
        typer.echo(f"stopped: {summary.stopped}", err=True)
        left = f"What is left waits in {outbox}" if progress.orders else "Nothing was accepted"
        typer.echo(f"{left}; {_GO_ON}", err=True)


def _in_file(file: Path, fields: Mapping[str, str]) -> dict[str, str]:
    """The fields with the file's name before each place in it."""
    return {
        f"{file.name}, {place}" if place.startswith(("line ", "row ")) else place: reason
        for place, reason in fields.items()
    }


def _is_follower(parked: Parked) -> bool:
    return parked.reason.startswith("waits for ")


def _counted(counts: Any) -> str:
    total = sum(counts.values())
    reasons = ", ".join(f"{count:,} {reason}" for reason, count in sorted(counts.items()))
    return f"{total:,} ({reasons})" if reasons else f"{total:,}"
