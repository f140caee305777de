"""`ordertrail outbox …`: what the outbox holds, and to have it tried, edited, said again, sent."""

import asyncio
import logging
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.table import Table

from ordertrail.client.client import Client, normalised
from ordertrail.commands import telling
from ordertrail.commands.options import FlowOptions, flow_of
from ordertrail.commands.sync import delivered, pace_of
from ordertrail.commands.telling import EXIT_DONE
from ordertrail.domain.errors import Conflict, Invalid, NotFound, Unauthorised
from ordertrail.kit import clock, json
from ordertrail.kit.database import DatabaseRefused
from ordertrail.settings import Settings
from ordertrail.sync import standing
from ordertrail.sync.operations import Kind, State
from ordertrail.sync.outbox import (
    Filter,
    KeptOrder,
    Listed,
    Outbox,
    Quarantined,
    Route,
    open_outbox,
)
from ordertrail.sync.run import run as run_sync
from ordertrail.sync.run import work as work_for_ever
from ordertrail.sync.watch import Endurance

QUARANTINED = "quarantined"
_STATES = (*(state.value for state in State), QUARANTINED)
_REASON_CHARS = 60
_DAYS_MAX = 36_500


@dataclass(frozen=True, slots=True)
class Which:
    """Which operations of which destination a person means."""

    destination: str | None = None
    states: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    order_id: str | None = None
    source: str | None = None
    reason: str | None = None
    limit: int = 50


def status(settings: Settings, *, as_json: bool) -> int:
    """Print how much of what there is, and how each destination stands."""
    with _opened(settings) as outbox:
        found = [_standing(outbox, each) for each in outbox.destinations()]
    if as_json:
        typer.echo(json.dumps({"outbox": settings.outbox_named, "destinations": found}))
        return EXIT_DONE
    typer.echo(f"{settings.outbox_named}: {len(found)} destinations")
    for each in found:
        typer.echo(f"\n{each['destination']}")
        states = ", ".join(f"{each[name]:,} {name}" for name in ("waiting", "leased", "parked"))
        typer.echo(f"  {each['accepted']:,} calls accepted = {each['done']:,} done, {states}")
        typer.echo(f"  {each['quarantined']:,} orders quarantined, {each['older']:,} older")
        for name in ("oldest_waiting", "next_due", "paused_because", "away_because"):
            if each[name]:
                typer.echo(f"  {name.replace('_', ' ')}: {each[name]}")
        if each["calls_a_second"]:
            typer.echo(f"  learned pace: {each['calls_a_second']:.1f} calls a second")
    return EXIT_DONE


def show_list(settings: Settings, which: Which, *, as_json: bool) -> int:
    """Print operations, or orders in quarantine, as a table or as JSON Lines."""
    with _opened(settings) as outbox:
        destination = _one(outbox, which.destination, settings.url)
        quarantined: list[Quarantined] = []
        operations: list[Listed] = []
        if QUARANTINED in which.states or not which.states:
            quarantined = [
                each
                for each in outbox.quarantined(destination, which.limit)
                if which.order_id in (None, each.order_id)
                and which.source in (None, each.source)
                and (which.reason or "") in each.reason
            ]
        if set(which.states) != {QUARANTINED}:
            operations = outbox.listed(destination, _filter(which))
    if as_json:
        found: list[Listed | Quarantined] = [*operations, *quarantined]
        for each in found:
            typer.echo(json.dumps(_as_data(each)))
        return EXIT_DONE
    _print_operations(operations)
    _print_quarantined(quarantined)
    if len(operations) == which.limit:
        typer.echo(f"The first {which.limit}; --limit shows more.", err=True)
    return EXIT_DONE


def show(settings: Settings, which: Which, order_id: str, *, as_json: bool) -> int:
    """Print an order: its latest snapshot and everything that it caused."""
    with _opened(settings) as outbox:
        destination = _one(outbox, which.destination, settings.url)
        kept = _kept(outbox, destination, order_id, which.source)
    if as_json:
        typer.echo(json.dumps(_order_data(kept)))
        return EXIT_DONE
    typer.echo(f"order {order_id} from {kept.source}, accepted {kept.accepted_at:%Y-%m-%d %H:%M}Z")
    if kept.quarantined_because:
        typer.echo(f"  its latest snapshot is in quarantine: {kept.quarantined_because}")
    if kept.older_count:
        typer.echo(f"  {kept.older_count} older snapshots came after it and were ignored")
    for name, value in json.loads(json.dumps(kept.order)).items():
        if value not in (None, [], {}):
            typer.echo(f"  {name}: {json.dumps(value)}")
    _print_operations(kept.operations)
    return EXIT_DONE


def retry(settings: Settings, which: Which, *, dry_run: bool) -> int:
    """Let parked operations wait again; they are delivered by the next run."""
    with _opened(settings) as outbox:
        destination = _one(outbox, which.destination, settings.url)
        wanted = replace(_filter(which), states=(State.PARKED,), limit=10**9)
        count = len(outbox.listed(destination, wanted))
        if not dry_run:
            count = outbox.retry(destination, wanted)
    would = "would wait" if dry_run else "wait"
    typer.echo(f"{count:,} calls {would} again; `ordertrail outbox deliver --once` sends them")
    return EXIT_DONE


def edit(settings: Settings, which: Which, number: int, body: str | None) -> int:
    """Let a parked operation say something else: a body that is given, or one from an editor."""
    with _opened(settings) as outbox:
        destination = _one(outbox, which.destination, settings.url)
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
    with _opened(settings) as outbox:
        destination = _one(outbox, which.destination, settings.url)
        wanted = _orders(outbox, destination, order_ids, which.source)
        if dry_run:
            typer.echo(f"{sum(map(len, wanted.values())):,} orders would be said again")
            return EXIT_DONE
        count = sum(
            outbox.replay(Route(source, destination), flow, ids) for source, ids in wanted.items()
        )
    typer.echo(f"{count:,} calls wait; `ordertrail outbox deliver --once` sends them")
    return EXIT_DONE


def prune(settings: Settings, older_than: str) -> int:
    """Forget what was done long ago; counts stay, and nothing is sent again for it."""
    text = older_than.removesuffix("d")
    if not text.isascii() or not text.isdigit() or int(text) > _DAYS_MAX:
        raise Invalid({"older-than": "must be a number of days, such as 30d"})
    with _opened(settings) as outbox:
        count = outbox.prune(clock.utc_now() - timedelta(days=int(text)))
    typer.echo(f"{count:,} calls that were done are forgotten")
    return EXIT_DONE


def deliver(settings: Settings, *, once: bool, limit_rate: float | None) -> int:
    """Deliver what waits for the endpoint: until nothing is left, or for ever."""
    if not settings.token:
        raise Unauthorised("no API key: give --token, or set ORDERTRAIL_TOKEN")
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(message)s")
    with _opened(settings) as outbox:
        if once:
            return asyncio.run(_deliver_once(settings, outbox, limit_rate))
        typer.echo(f"Delivers from {settings.outbox_named} to {settings.url}; Ctrl-C stops it.")
        asyncio.run(_deliver_for_ever(settings, outbox, limit_rate))
    return EXIT_DONE


async def _deliver_once(settings: Settings, outbox: Outbox, limit_rate: float | None) -> int:
    async with _client(settings) as client:
        summary = await run_sync(
            (),
            outbox,
            client,
            flow=flow_of(FlowOptions()),
            source="",
            progress=lambda _: None,
            pace=pace_of(settings, limit_rate),
        )
    telling.tell_delivered(delivered(outbox, summary, None, []), settings.outbox_named)
    return telling.exit_code(summary)


async def _deliver_for_ever(settings: Settings, outbox: Outbox, limit_rate: float | None) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    endurance = Endurance(stops_paused=False, away_s_max=None)
    pace = replace(pace_of(settings, limit_rate), endurance=endurance)
    async with _client(settings) as client:
        await work_for_ever(outbox, client, pace=pace, stop=stop)


def _client(settings: Settings) -> Client:
    return Client(settings.url, settings.token, connections_max=settings.connections_max)


def _opened(settings: Settings) -> Outbox:
    """Return the outbox, which must be there: looking at one makes none."""
    where = settings.outbox
    if "://" not in where and not Path(where).exists():
        raise DatabaseRefused(
            f"there is no outbox {where}: --outbox or ORDERTRAIL_OUTBOX names another one"
        )
    return open_outbox(where)


def _one(outbox: Outbox, asked: str | None, url: str) -> str:
    """Return the destination that is meant: the one named, the endpoint's, or the only one."""
    known = outbox.destinations()
    if asked is not None:
        found = [each for each in known if asked in (each, each.removeprefix("workspace:"))]
    else:
        found = known if len(known) == 1 else [e for e in known if e == normalised(url)]
    if len(found) == 1:
        return found[0]
    if not known:
        raise NotFound("the outbox holds nothing yet")
    raise Invalid({"destination": f"say one of: {', '.join(known)}"})


def _filter(which: Which) -> Filter:
    wrong = [each for each in which.states if each not in _STATES]
    if wrong:
        raise Invalid({"state": f"{wrong[0][:32]!r} is not one of: {', '.join(_STATES)}"})
    kinds = [kind.value for kind in Kind]
    odd = [each for each in which.kinds if each not in kinds]
    if odd:
        raise Invalid({"kind": f"{odd[0][:32]!r} is not one of: {', '.join(kinds)}"})
    states = tuple(State(each) for each in which.states if each != QUARANTINED)
    return Filter(
        states or tuple(State),
        tuple(map(Kind, which.kinds)) or tuple(Kind),
        which.order_id,
        which.source,
        which.reason,
        which.limit,
    )


def _standing(outbox: Outbox, destination: str) -> dict[str, Any]:
    counts = outbox.counts(destination)
    stands = standing.read(outbox.shared(destination, lambda text: (text, text)))
    oldest, due = outbox.oldest_waiting(destination), outbox.due_at(destination)
    return {
        "destination": destination,
        "accepted": counts.accepted,
        "done": counts.done,
        "waiting": counts.waiting,
        "leased": counts.leased,
        "parked": counts.parked,
        "quarantined": counts.quarantined,
        "older": counts.older,
        "oldest_waiting": None if oldest is None else oldest.isoformat(),
        "next_due": None if due is None else due.isoformat(),
        "paused_because": stands.paused_because,
        "away_because": stands.away_because,
        "calls_a_second": stands.rate.learned_per_s,
    }


def _orders(
    outbox: Outbox, destination: str, order_ids: tuple[str, ...], source: str | None
) -> dict[str, list[str]]:
    """Return the orders that are meant, by their source."""
    found: dict[str, list[str]] = {}
    if order_ids:
        for order_id in order_ids:
            kept = _kept(outbox, destination, order_id, source)
            found.setdefault(kept.source, []).append(order_id)
        return found
    after = 0
    while page := outbox.orders(destination, after):
        for each in page:
            if source in (None, each.source):
                found.setdefault(each.source, []).append(each.order.id)
        after = page[-1].id
    return found


def _kept(outbox: Outbox, destination: str, order_id: str, source: str | None) -> KeptOrder:
    sources = [source] if source is not None else outbox.sources(destination)
    for each in sources:
        kept = outbox.order(Route(each, destination), order_id)
        if kept is not None:
            return kept
    for quarantined in outbox.quarantined(destination):
        if quarantined.order_id == order_id:
            raise NotFound(f"order {order_id} was never good: {quarantined.reason}")
    raise NotFound(f"the outbox has no order {order_id[:80]!r} for {destination}")


def _body(settings: Settings, given: str | None, operation: Listed) -> dict[str, Any]:
    if given is None:
        text = _edited(settings.editor, json.dumps(operation.call.body))
    elif given.startswith("@"):
        text = Path(given[1:]).read_text("utf-8")
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
    with tempfile.NamedTemporaryFile("w+", suffix=".json") as file:
        file.write(text)
        file.flush()
        if subprocess.run([*editor.split(), file.name], check=False).returncode:
            raise Invalid({"editor": f"{editor} failed, nothing is changed; --body gives it"})
        return Path(file.name).read_text("utf-8")


def _as_data(each: Listed | Quarantined) -> dict[str, Any]:
    if isinstance(each, Quarantined):
        return {"state": QUARANTINED, **json.loads(json.dumps(each))}
    said: dict[str, Any] = json.loads(json.dumps(each))
    return {**said, "body": each.call.body}


def _order_data(kept: KeptOrder) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(json.dumps(kept))
    return {**said, "operations": [_as_data(each) for each in kept.operations]}


def _print_operations(operations: list[Listed]) -> None:
    if not operations:
        typer.echo("no calls")
        return
    table = _table("id", "order", "kind", "state", "attempts", "why")
    for each in operations:
        why = each.reason or ("may have been carried out" if each.is_unsure else "")
        cells = (str(each.id), each.order_id, each.kind.value, each.state.value)
        table.add_row(*cells, str(each.attempts), why[:_REASON_CHARS])
    Console().print(table)


def _print_quarantined(quarantined: list[Quarantined]) -> None:
    if quarantined:
        table = _table("quarantined order", "source", "why")
        for each in quarantined:
            table.add_row(each.order_id, each.source, each.reason)
        Console().print(table)


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False)
    for name in columns:
        table.add_column(name, no_wrap=name in ("id", "kind", "state"))
    return table
