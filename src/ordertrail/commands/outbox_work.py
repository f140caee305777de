"""`ordertrail outbox retry`, `edit`, `replay`, `deliver`, `prune`: work on what it holds."""

import asyncio
import shlex
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import typer

from ordertrail.commands import telling
from ordertrail.commands.endpoint import client_of, pace_of, require_endpoint
from ordertrail.commands.exits import EXIT_DONE
from ordertrail.commands.options import FlowOptions, flow_of
from ordertrail.commands.outbox import Which, destination_meant, filter_of, opened, order_meant
from ordertrail.commands.sync import delivered
from ordertrail.domain.errors import Conflict, Invalid, NotFound
from ordertrail.kit import clock, json
from ordertrail.settings import Settings
from ordertrail.sync.operations import State
from ordertrail.sync.outbox import Filter, Listed, Outbox, Route
from ordertrail.sync.run import deliver_waiting, work
from ordertrail.sync.watch import Endurance

_DAYS_MAX = 36_500
_SENDS_THEM = "`ordertrail outbox deliver --once` sends them"


def retry(settings: Settings, which: Which, *, dry_run: bool) -> int:
    """Let parked operations wait again; they are delivered by the next run."""
    with opened(settings) as outbox:
        destination = destination_meant(outbox, which.destination, settings.url)
        wanted = replace(filter_of(which), states=(State.PARKED,), limit=10**9)
        meant = outbox.count if dry_run else outbox.retry
        count = meant(destination, wanted)
    would = "would wait" if dry_run else "wait"
    typer.echo(f"{count:,} calls {would} again; {_SENDS_THEM}")
    return EXIT_DONE


def edit(settings: Settings, which: Which, number: int, body: str | None) -> int:
    """Let a parked operation say something else: a body that is given, or one from an editor."""
    with opened(settings) as outbox:
        destination = destination_meant(outbox, which.destination, settings.url)
        found = outbox.listed(destination, Filter(after_id=number - 1, limit=1))
        if not found or found[0].id != number:
            raise NotFound(f"there is no operation {number}; `ordertrail outbox list` has them")
        if found[0].state is not State.PARKED:
            raise Conflict(f"operation {number} is {found[0].state}; only a parked one is edited")
        said = _body(settings, body, found[0])
        outbox.edit(destination, number, said)
    typer.echo(f"operation {number} says that now, and waits again")
    return EXIT_DONE


def replay(
    settings: Settings,
    which: Which,
    order_ids: tuple[str, ...],
    asked: FlowOptions,
    *,
    every: bool,
    dry_run: bool,
) -> int:
    """Say again what should be there for some orders, or all of them."""
    flow = flow_of(asked)
    if every == bool(order_ids):
        raise Invalid({"replay": "say --all, or --order ID once or several times"})
    count = orders = 0
    with opened(settings) as outbox:
        destination = destination_meant(outbox, which.destination, settings.url)
        for source, ids in _orders(outbox, destination, order_ids, which.source):
            orders += len(ids)
            if not dry_run:
                count += outbox.replay(Route(source, destination), flow, ids)
    if dry_run:
        typer.echo(f"{orders:,} orders would be said again")
        return EXIT_DONE
    typer.echo(f"{orders:,} orders: {count:,} calls wait; {_SENDS_THEM}")
    return EXIT_DONE


def prune(settings: Settings, older_than: str) -> int:
    """Forget what was done long ago; counts stay, and nothing is sent again for it."""
    text = older_than.removesuffix("d")
    if not text.isascii() or not text.isdigit() or int(text) > _DAYS_MAX:
        raise Invalid({"older-than": "must be a number of days, such as 30d"})
    with opened(settings) as outbox:
        count = outbox.prune(clock.utc_now() - timedelta(days=int(text)))
    typer.echo(f"{count:,} calls that were done are forgotten")
    return EXIT_DONE


def deliver(settings: Settings, *, once: bool, limit_rate: float | None) -> int:
    """Deliver what waits for the endpoint: until nothing is left, or for ever."""
    require_endpoint(settings)
    with opened(settings) as outbox:
        if once:
            return asyncio.run(_deliver_once(settings, outbox, limit_rate))
        typer.echo(f"Delivers from {settings.outbox_named} to {settings.url}; Ctrl-C stops it.")
        asyncio.run(_deliver_for_ever(settings, outbox, limit_rate))
    return EXIT_DONE


async def _deliver_once(settings: Settings, outbox: Outbox, limit_rate: float | None) -> int:
    async with client_of(settings) as client:
        summary = await deliver_waiting(outbox, client, pace=pace_of(settings, limit_rate))
    telling.tell_calls(delivered(outbox, summary, None, []), settings.outbox_named)
    return telling.exit_code(summary)


async def _deliver_for_ever(settings: Settings, outbox: Outbox, limit_rate: float | None) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    endurance = Endurance(stops_paused=False, away_s_max=None)
    pace = replace(pace_of(settings, limit_rate), endurance=endurance)
    async with client_of(settings) as client:
        await work(outbox, client, pace=pace, stop=stop)


def _orders(
    outbox: Outbox, destination: str, order_ids: tuple[str, ...], source: str | None
) -> Iterator[tuple[str, list[str]]]:
    """Yield the orders that are meant, some at a time, each time those of one source."""
    for order_id in order_ids:
        yield order_meant(outbox, destination, order_id, source).source, [order_id]
    after = 0
    while not order_ids and (page := outbox.orders(destination, after)):
        found: dict[str, list[str]] = {}
        for each in page:
            if source in (None, each.source):
                found.setdefault(each.source, []).append(each.order.id)
        yield from found.items()
        after = page[-1].id


def _body(settings: Settings, given: str | None, operation: Listed) -> dict[str, Any]:
    if given is None:
        shown = msgspec.json.format(json.dumps(operation.call.body), indent=2)
        text = _edited(settings.editor, f"{shown}\n")
    elif given.startswith("@"):
        text = _read(Path(given[1:]))
    else:
        text = given
    try:
        said = json.loads(text)
    except ValueError as error:
        raise Invalid({"body": f"is not JSON: {error}"}) from None
    if not isinstance(said, dict):
        raise Invalid({"body": "must be a JSON object"})
    return said


def _edited(editor: str, text: str) -> str:
    """Return what a person makes of the text in the editor."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "call.json"
        file.write_text(text, "utf-8")
        try:
            is_done = subprocess.run([*shlex.split(editor), file], check=False).returncode == 0
        except OSError as error:
            raise Invalid({"editor": f"{editor}: {error.strerror}; --body gives it"}) from None
        if not is_done:
            raise Invalid({"editor": f"{editor} failed, nothing is changed; --body gives it"})
        return _read(file)


def _read(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except UnicodeDecodeError:
        raise Invalid({"body": f"{file.name} is not UTF-8 text"}) from None
    except OSError as error:
        raise Invalid({"body": f"{file.name} cannot be read: {error.strerror}"}) from None
