"""`ordertrail verify`: the shop's truth against the destination, and mending what differs."""

import asyncio
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.progress import Progress as ProgressBar
from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

from ordertrail.client.client import Client
from ordertrail.commands.endpoint import client_of, pace_of, require_endpoint
from ordertrail.commands.exits import EXIT_DONE, EXIT_REFUSED
from ordertrail.commands.options import (
    FileOptions,
    FlowOptions,
    existing_outbox,
    flow_of,
    reading_of,
)
from ordertrail.commands.telling import LEFT_SHOWN
from ordertrail.domain.errors import Invalid, NotFound
from ordertrail.domain.journal import Origin
from ordertrail.kit import json
from ordertrail.kit.counting import counted
from ordertrail.settings import Settings
from ordertrail.sync import truths
from ordertrail.sync.asking import Asker
from ordertrail.sync.drift import Drift
from ordertrail.sync.outbox import Outbox, Route, open_outbox
from ordertrail.sync.rules import Flow
from ordertrail.sync.run import deliver_waiting
from ordertrail.sync.shops.readings import Reading, Rejected
from ordertrail.sync.verify import Reader, Truth, Verified, verify
from ordertrail.sync.watch import Stopped
from ordertrail.sync.worker import There, there

SHOWN = 5
MENDED_AT_ONCE = 500
QUARANTINED_MAX = 10_000
BEYOND_MENDING = (Drift.EVENT_TWICE, Drift.PRODUCT_EVENT_TWICE)


@dataclass(frozen=True, slots=True)
class Job:
    """What a person asks for; without a file the outbox's own snapshots are the truth."""

    file: FileOptions | None
    flow: FlowOptions
    source: str | None = None
    sample: int | None = None
    limit_rate: float | None = None
    is_to_fix: bool = False
    as_json: bool = False


@dataclass(slots=True)
class Report:
    """What came of it: what differs (after mending), how many orders were mended, what is undone.

    `undone` are calls that the outbox still has to make, or that are parked.
    """

    found: Verified = field(default_factory=Verified)
    mended: int = 0
    undone: int = 0
    rejected: list[Rejected] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)


def run(settings: Settings, job: Job) -> int:
    """Compare, mend if asked to, and return 0 only when nothing differs."""
    require_endpoint(settings)
    flow = flow_of(job.flow)
    reading = None if job.file is None else reading_of(job.file)
    with ExitStack() as stack:
        outbox = None
        if job.is_to_fix or reading is None or existing_outbox(settings.outbox):
            if reading is None and not existing_outbox(settings.outbox):
                raise NotFound(f"there is no outbox {settings.outbox_named}: name a FILE to verify")
            outbox = stack.enter_context(open_outbox(settings.outbox))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        apart = stack.enter_context(open_outbox(folder / "file.outbox"))
        report = asyncio.run(_Work(settings, job, flow, reading, outbox, apart).run())
    if job.as_json:
        typer.echo(json.dumps(as_data(report)))
    else:
        tell(report)
    is_clean = report.found.is_clean and not report.rejected and not report.refused
    return EXIT_DONE if is_clean else EXIT_REFUSED


def as_data(report: Report) -> dict[str, Any]:
    """Return what was found for a program."""
    found = report.found
    return {
        "orders": found.orders,
        "drifted": len(found.drifted),
        "not_to_be_there": found.unsaid,
        "cannot_be_true": found.refused + len(report.refused),
        "rejected": len(report.rejected),
        "untold": len(found.untold),
        "mended": report.mended,
        "undone": report.undone,
        "drift": {str(drift): count for drift, count in sorted(found.counts.items())},
        "examples": {str(drift): some for drift, some in sorted(found.examples.items())},
        "drifted_orders": found.drifted,
        "cannot_be_true_because": [f"{order_id}: {why}" for order_id, why in report.refused],
        "rejected_because": [str(each) for each in report.rejected],
        "untold_because": found.untold,
    }


def tell(report: Report) -> None:
    """Print what was found for a person."""
    found = report.found
    if report.mended:
        typer.echo(f"{report.mended:,} orders were said again; looked at once more:")
    typer.echo(f"{counted(found.orders, 'order')}: {len(found.drifted):,} differ")
    others = (
        (found.unsaid, "are not to be there yet"),
        (found.refused + len(report.refused), "cannot be true"),
        (len(report.rejected), "are rejected"),
        (len(found.untold), "could not be looked at"),
    )
    for count, what in others:
        if count:
            typer.echo(f"  {counted(count, 'other')} {what}")
    for drift, count in found.counts.most_common():
        typer.echo(f"  {drift}: {count:,}")
        for example in found.examples[drift][:SHOWN]:
            typer.echo(f"    {example}")
    _tell_why(report)
    if report.undone:
        typer.echo(
            f"{report.undone:,} calls are not made yet, or parked: `ordertrail outbox status`",
            err=True,
        )
    if any(found.counts[each] for each in BEYOND_MENDING):
        typer.echo("What is there twice has to be deleted there by hand.", err=True)
    if found.drifted and not report.mended:
        typer.echo("`ordertrail verify --fix` says these orders again.", err=True)


def _tell_why(report: Report) -> None:
    for order_id, why in report.refused[:LEFT_SHOWN]:
        typer.echo(f"  cannot be true: order {order_id}: {why}", err=True)
    for rejected in report.rejected[:LEFT_SHOWN]:
        typer.echo(f"  rejected: {rejected}", err=True)
    for untold in report.found.untold[:LEFT_SHOWN]:
        typer.echo(f"  could not be looked at: order {untold}", err=True)


class _Work:
    """One verification: what is the truth, looking, mending, looking again.

    A file is read into an outbox `apart`, which tells its latest snapshots from older ones.
    """

    def __init__(
        self,
        settings: Settings,
        job: Job,
        flow: Flow,
        reading: Reading | None,
        outbox: Outbox | None,
        apart: Outbox,
    ) -> None:
        self._settings = settings
        self._job = job
        self._flow = flow
        self._reading = reading
        self._outbox = outbox
        self._apart = apart
        self._pace = pace_of(settings, job.limit_rate)
        self._report = Report()

    async def run(self) -> Report:
        """Return what was found."""
        async with client_of(self._settings) as client:
            try:
                who = await there(client, self._pace, self._outbox)
            except Stopped as stop:
                raise stop.failure from None
            route, every = self._truths(who)
            asker = Asker(client, who, self._pace, self._outbox or self._apart)
            found = await self._look(asker, every)
            if self._job.is_to_fix and found.drifted and self._outbox is not None:
                self._report.mended = len(found.drifted)
                await self._mend(self._outbox, client, route, set(found.drifted), every)
                found = await self._look(asker, every)
            self._report.found = found
            if self._outbox is not None:
                counts = self._outbox.counts(who.name)
                self._report.undone = counts.waiting + counts.leased + counts.parked
        return self._report

    def _truths(self, who: There) -> tuple[Route, Callable[[], Iterable[Truth]]]:
        """Return whose orders are meant, and what yields them as often as wanted."""
        if self._reading is not None:
            route = Route(self._job.source or self._reading.source, who.name)
            self._report.rejected, self._report.refused = truths.read_apart(
                self._apart, route, self._flow, self._reading.orders()
            )

            def every() -> Iterator[Truth]:
                return truths.of_file(self._apart, self._outbox, route)
        else:
            outbox = self._outbox or self._apart
            route = _known(outbox, who.name, self._job.source)
            self._report.refused = [
                (each.order_id, each.reason)
                for each in outbox.quarantined(who.name, QUARANTINED_MAX)
                if each.source == route.source
            ]

            def every() -> Iterator[Truth]:
                return truths.of_outbox(outbox, route)

        if self._job.sample is None:
            return route, every
        some = truths.sampled(every(), self._job.sample)
        return route, lambda: some

    async def _look(self, asker: Asker, every: Callable[[], Iterable[Truth]]) -> Verified:
        bar = _bar()
        task = bar.add_task("orders looked at", total=None, differ=0)

        def show(found: Verified) -> None:
            bar.update(task, completed=found.orders, differ=len(found.drifted))

        with nullcontext() if self._job.as_json else bar:
            return await verify(every(), self._flow, Reader(asker), progress=show)

    async def _mend(
        self,
        outbox: Outbox,
        client: Client,
        route: Route,
        order_ids: set[str],
        every: Callable[[], Iterable[Truth]],
    ) -> None:
        """Say orders again that differ, some at a time, and deliver that."""
        drifted = (truth.order for truth in every() if truth.order.id in order_ids)
        while some := list(islice(drifted, MENDED_AT_ONCE)):
            if self._reading is not None:
                outbox.accept(route, self._flow, some, origin=Origin.REPLAY)
            outbox.replay(route, self._flow, [order.id for order in some])
            summary = await deliver_waiting(outbox, client, pace=self._pace)
            if summary.stopped is not None:
                raise summary.stopped


def _known(outbox: Outbox, destination: str, source: str | None) -> Route:
    """Return the route whose orders the outbox has; raises Invalid when that is not one."""
    known = outbox.sources(destination)
    if not known:
        reason = f"has no orders for {destination}: sync some, or name a FILE to verify"
        raise Invalid({"outbox": reason})
    if source is not None and source not in known:
        raise Invalid({"source": f"the outbox has no orders of it; say one of: {', '.join(known)}"})
    if source is None and len(known) > 1:
        raise Invalid({"source": f"say one of: {', '.join(known)}"})
    return Route(source or known[0], destination)


def _bar() -> ProgressBar:
    console = Console(stderr=True)
    return ProgressBar(
        SpinnerColumn(),
        TextColumn("{task.completed:,.0f} {task.description}, {task.fields[differ]:,} differ"),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
