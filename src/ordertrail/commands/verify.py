"""`ordertrail verify`: the shop's truth against the destination, and mending what differs."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any

import typer

from ordertrail.client.client import Client
from ordertrail.commands.options import FileOptions, FlowOptions, flow_of, reading_of
from ordertrail.commands.sync import pace_of
from ordertrail.commands.telling import EXIT_DONE, EXIT_REFUSED
from ordertrail.domain.errors import Invalid, Unauthorised
from ordertrail.domain.order import Order
from ordertrail.kit import json
from ordertrail.settings import Settings
from ordertrail.sync.outbox import Outbox, Route, open_outbox
from ordertrail.sync.progress import Summary
from ordertrail.sync.rules import Flow
from ordertrail.sync.run import run as run_sync
from ordertrail.sync.shops.readings import SHOP, Reading
from ordertrail.sync.verify import Reader, Truth, Verified, verify
from ordertrail.sync.watch import Stopped
from ordertrail.sync.worker import Pace, there

SHOWN = 5
PAGE = 200


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


def run(settings: Settings, job: Job) -> int:
    """Compare, mend if asked to, and return 0 only when nothing differs."""
    if not settings.token:
        raise Unauthorised("no API key: give --token, or set ORDERTRAIL_TOKEN")
    flow = flow_of(job.flow)
    reading = None if job.file is None else reading_of(job.file)
    with open_outbox(settings.outbox) as outbox:
        found, mended = asyncio.run(_run(settings, job, flow, reading, outbox))
    if job.as_json:
        typer.echo(json.dumps(as_data(found, mended)))
    else:
        tell(found, mended)
    return EXIT_DONE if found.is_clean else EXIT_REFUSED


def as_data(found: Verified, mended: int) -> dict[str, Any]:
    """Return what was found for a program."""
    return {
        "orders": found.orders,
        "drifted": len(found.drifted),
        "not_to_be_there": found.unsaid,
        "cannot_be_true": found.refused,
        "mended": mended,
        "drift": {str(drift): count for drift, count in sorted(found.counts.items())},
        "examples": {str(drift): some for drift, some in sorted(found.examples.items())},
    }


def tell(found: Verified, mended: int) -> None:
    """Print what was found for a person."""
    if mended:
        typer.echo(f"{mended:,} orders were said again; looked at once more:")
    typer.echo(f"{found.orders:,} orders: {len(found.drifted):,} differ")
    for count, what in ((found.unsaid, "not to be there yet"), (found.refused, "cannot be true")):
        if count:
            typer.echo(f"  {count:,} others: {what}")
    for drift, count in found.counts.most_common():
        typer.echo(f"  {drift}: {count:,}")
        for example in found.examples[drift][:SHOWN]:
            typer.echo(f"    {example}")
    if found.drifted:
        typer.echo("`ordertrail verify --fix` says these orders again.", err=True)


async def _run(
    settings: Settings, job: Job, flow: Flow, reading: Reading | None, outbox: Outbox
) -> tuple[Verified, int]:
    pace = pace_of(settings, job.limit_rate)
    async with Client(
        settings.url, settings.token, connections_max=settings.connections_max
    ) as client:
        try:
            who = await there(client, pace, outbox)
        except Stopped as stop:
            raise stop.failure from None
        route = Route(job.source or (reading.source if reading else SHOP), who.name)
        if reading is None:
            route = _known(outbox, route, job.source)
        turn = _turns(who.limit_per_s(job.limit_rate))
        truths = list(_sampled(_truths(outbox, route, reading), job.sample))
        found = await verify(truths, flow, Reader(client, turn), _nothing)
        if not job.is_to_fix or found.is_clean:
            return found, 0
        mended = list(found.drifted)
        await _mend(outbox, client, route, flow, truths, mended, pace)
        return await verify(truths, flow, Reader(client, turn), _nothing), len(mended)


async def _mend(
    outbox: Outbox,
    client: Client,
    route: Route,
    flow: Flow,
    truths: list[Truth],
    order_ids: list[str],
    pace: Pace,
) -> Summary:
    """Say orders again that differ, and deliver that; those of a file are accepted first."""
    orders = [each.order for each in truths if each.order.id in set(order_ids)]
    outbox.accept(route, flow, orders)
    outbox.replay(route, flow, order_ids)
    summary = await run_sync(
        (), outbox, client, flow=flow, source=route.source, progress=_nothing, pace=pace
    )
    if summary.stopped is not None:
        raise summary.stopped
    if summary.progress.parked:
        typer.echo(
            f"{summary.progress.parked:,} calls are parked: ordertrail outbox list", err=True
        )
    return summary


def _truths(outbox: Outbox, route: Route, reading: Reading | None) -> Iterator[Truth]:
    if reading is not None:
        for each in reading.orders():
            if isinstance(each, Order):
                kept = outbox.order(route, each.id)
                yield Truth(each, _person(kept.planned.deal) if kept else None)
        return
    after = 0
    while page := outbox.orders(route.destination, after, PAGE):
        for kept in page:
            if kept.source == route.source:
                yield Truth(kept.order, _person(kept.planned.deal))
        after = page[-1].id


def _person(deal: Any) -> str | None:
    found = deal.get("user_custom_id")
    return None if found is None else str(found)


def _known(outbox: Outbox, route: Route, source: str | None) -> Route:
    """Return the route whose orders the outbox has; raises Invalid when that is not one."""
    known = outbox.sources(route.destination)
    if not known:
        reason = f"has no orders for {route.destination}: sync some, or name a FILE to verify"
        raise Invalid({"outbox": reason})
    if source is None and len(known) > 1:
        raise Invalid({"source": f"say one of: {', '.join(known)}"})
    return route if source is not None else Route(known[0], route.destination)


def _sampled(truths: Iterator[Truth], sample: int | None) -> Iterator[Truth]:
    """Yield the truths, or so many of them, each as likely as the others."""
    if sample is None:
        yield from truths
        return
    kept: list[Truth] = []
    for number, truth in enumerate(truths):
        if len(kept) < sample:
            kept.append(truth)
        elif (place := random.randrange(number + 1)) < sample:  # noqa: S311
            kept[place] = truth
    yield from kept


def _turns(limit_per_s: float | None) -> Callable[[], Awaitable[None]]:
    """Return what waits such that no more calls are made than the limit allows."""
    loop = asyncio.get_running_loop()
    next_at = loop.time()

    async def turn() -> None:
        nonlocal next_at
        if limit_per_s is None:
            return
        wait_s = max(next_at - loop.time(), 0.0)
        next_at = max(next_at, loop.time()) + 1.0 / limit_per_s
        await asyncio.sleep(wait_s)

    return turn


def _nothing(_: object) -> None:
    """What is told of progress is not shown."""
