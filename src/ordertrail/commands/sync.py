"""`ordertrail sync FILE`: a file of orders, delivered, with its account of everything in it."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from itertools import islice

import typer
from rich.progress import Progress as ProgressBar

from ordertrail.commands import telling
from ordertrail.commands.endpoint import client_of, pace_of, require_endpoint
from ordertrail.commands.estimate import Estimate, progress_bar
from ordertrail.commands.options import (
    FileOptions,
    FlowOptions,
    flow_of,
    in_file,
    reading_of,
)
from ordertrail.commands.telling import Delivered
from ordertrail.domain.errors import Invalid
from ordertrail.domain.journal import Origin
from ordertrail.domain.order import Order
from ordertrail.kit import clock
from ordertrail.settings import Settings
from ordertrail.sync import preflight
from ordertrail.sync.asking import Alone, Asker
from ordertrail.sync.operations import State
from ordertrail.sync.outbox import Filter, Outbox, open_outbox
from ordertrail.sync.preflight import Preflight
from ordertrail.sync.progress import Progress, Summary
from ordertrail.sync.rules import Flow
from ordertrail.sync.run import run as run_sync
from ordertrail.sync.shops.readings import Reading, Rejected
from ordertrail.sync.watch import Stopped
from ordertrail.sync.worker import Pace, there

REJECTED_MAX = 10_000
LEFT_READ = 10_000


@dataclass(frozen=True, slots=True)
class Job:
    """What a person asks for; a `source` of None is the format's own."""

    file: FileOptions
    flow: FlowOptions
    source: str | None = None
    origin: str = Origin.BACKFILL
    limit_rate: float | None = None
    is_checked_first: bool = True
    as_json: bool = False


@dataclass(frozen=True, slots=True)
class Sync:
    """Orders on their way: what is read, by which settings, and how it is gone about."""

    reading: Reading
    flow: Flow
    source: str
    origin: Origin = Origin.LIVE
    pace: Pace = field(default_factory=Pace)
    is_checked_first: bool = False
    is_quiet: bool = False
    orders_max: int | None = None


def run(settings: Settings, job: Job) -> int:
    """Deliver the file and return the exit code; raises Refused for what cannot be read."""
    require_endpoint(settings)
    flow, reading = flow_of(job.flow), reading_of(job.file)
    asked = Sync(
        reading,
        flow,
        job.source or reading.source,
        origin_of(job.origin),
        pace_of(settings, job.limit_rate),
        is_checked_first=job.is_checked_first,
        is_quiet=job.as_json,
    )
    try:
        delivered = deliver(settings, asked)
    except Invalid as error:
        raise Invalid(in_file(job.file.file, error.fields)) from None
    except KeyboardInterrupt:
        typer.echo(
            f"What is not delivered waits in {settings.outbox_named}; run the same again.", err=True
        )
        raise
    telling.tell(reading, delivered, settings.outbox_named, as_json=job.as_json)
    return telling.exit_code(delivered.summary)


def deliver(settings: Settings, asked: Sync) -> Delivered:
    """Bring the endpoint to what the shop's orders say, with a progress bar unless quiet."""
    total = asked.reading.order_count
    if total is not None and asked.orders_max is not None:
        total = min(total, asked.orders_max)
    bar = progress_bar()
    rejected: list[Rejected] = []
    with nullcontext() if asked.is_quiet else bar, open_outbox(settings.outbox) as outbox:
        try:
            summary, before = asyncio.run(_run(settings, asked, outbox, bar, total, rejected))
        except asyncio.CancelledError:
            raise KeyboardInterrupt from None
        return delivered(outbox, summary, before, rejected)


def delivered(
    outbox: Outbox, summary: Summary, before: Preflight | None, rejected: list[Rejected]
) -> Delivered:
    """Return what came of a run, with what the outbox says of the rest."""
    parked = outbox.listed(summary.destination, Filter((State.PARKED,), limit=LEFT_READ))
    said = {each.order_id for each in rejected}
    quarantined = [
        each
        for each in outbox.quarantined(summary.destination, LEFT_READ)
        if each.order_id not in said
    ]
    return Delivered(summary, parked, quarantined, rejected, before)


def origin_of(word: str) -> Origin:
    """Return the origin of a name, or raise Invalid naming those that there are."""
    try:
        return Origin(word)
    except ValueError:
        reason = f"{word[:32]!r} is not known; there are: {', '.join(Origin)}"
        raise Invalid({"origin": reason}) from None


async def _run(
    settings: Settings,
    asked: Sync,
    outbox: Outbox,
    bar: ProgressBar,
    total: int | None,
    rejected: list[Rejected],
) -> tuple[Summary, Preflight | None]:
    loop, itself = asyncio.get_running_loop(), asyncio.current_task()
    if itself is not None:
        loop.add_signal_handler(signal.SIGTERM, itself.cancel)
    orders = islice(_noted(asked.reading, rejected), asked.orders_max)
    async with client_of(settings) as client:
        try:
            who = await there(client, asked.pace, outbox)
        except Stopped as stop:
            return Summary(Progress(), client.url, 0.0, stop.failure), None
        found = None
        if asked.is_checked_first:
            asker = Asker(client, who, asked.pace, Alone())
            found = await preflight.look(asker, asked.flow, who, now=clock.utc_now)
            telling.begin(client.url, found, is_quiet=asked.is_quiet)
        estimate = Estimate(bar, total, who.limit_per_s(asked.pace.limit_per_s))
        summary = await run_sync(
            orders,
            outbox,
            client,
            flow=asked.flow,
            source=asked.source,
            progress=estimate.show,
            pace=asked.pace,
            origin=asked.origin,
        )
        return summary, found


def _noted(reading: Reading, rejected: list[Rejected]) -> Iterator[Order | Rejected]:
    """Yield everything that is read, and note what is no order."""
    for each in reading.orders():
        if isinstance(each, Rejected) and len(rejected) < REJECTED_MAX:
            rejected.append(each)
        yield each
