"""`ordertrail outbox status`, `list`, `show`: what the outbox holds."""

from dataclasses import dataclass
from itertools import islice
from typing import Any

import typer
from rich.table import Table

from ordertrail.client.client import normalised
from ordertrail.commands import tables
from ordertrail.commands.exits import EXIT_DONE
from ordertrail.commands.options import existing_outbox
from ordertrail.domain.errors import Invalid, NotFound
from ordertrail.kit import json
from ordertrail.kit.counting import counted
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

QUARANTINED = "quarantined"
_STATES = (*(state.value for state in State), QUARANTINED)
_REASON_CHARS = 60
_QUARANTINED_MAX = 1_000_000


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
    with opened(settings) as outbox:
        found = [_standing(outbox, each) for each in outbox.destinations()]
    if as_json:
        typer.echo(json.dumps({"outbox": settings.outbox_named, "destinations": found}))
        return EXIT_DONE
    typer.echo(f"{settings.outbox_named}: {counted(len(found), 'destination')}")
    for each in found:
        typer.echo(f"\n{each['destination']}")
        states = ", ".join(f"{each[name]:,} {name}" for name in ("waiting", "leased", "parked"))
        typer.echo(
            f"  {counted(each['accepted'], 'call')} accepted = {each['done']:,} done, {states}"
        )
        typer.echo(
            f"  {counted(each['quarantined'], 'order')} quarantined, {each['older']:,} older"
        )
        for name in ("oldest_waiting", "next_due", "paused_because", "away_because"):
            if each[name]:
                typer.echo(f"  {name.replace('_', ' ')}: {each[name]}")
        if each["calls_a_second"]:
            typer.echo(f"  learned pace: {each['calls_a_second']:.1f} calls a second")
    return EXIT_DONE


def show_list(settings: Settings, which: Which, *, as_json: bool) -> int:
    """Print operations, or orders in quarantine, as a table or as JSON Lines."""
    with opened(settings) as outbox:
        destination = destination_meant(outbox, which.destination, settings.url)
        quarantined: list[Quarantined] = []
        operations: list[Listed] = []
        if QUARANTINED in (which.states or _STATES) and not which.kinds:
            quarantined = _quarantined(outbox, destination, which)
        if set(which.states) != {QUARANTINED}:
            operations = outbox.listed(destination, filter_of(which))
    if as_json:
        found: list[Listed | Quarantined] = [*operations, *quarantined]
        for each in found:
            typer.echo(json.dumps(_as_data(each)))
        return EXIT_DONE
    _print_operations(operations)
    _print_quarantined(quarantined)
    if which.limit in (len(operations), len(quarantined)):
        typer.echo(f"The first {which.limit}; --limit shows more.", err=True)
    return EXIT_DONE


def show(settings: Settings, which: Which, order_id: str, *, as_json: bool) -> int:
    """Print an order: its latest snapshot and everything that it caused."""
    with opened(settings) as outbox:
        destination = destination_meant(outbox, which.destination, settings.url)
        kept = order_meant(outbox, destination, order_id, which.source)
    if as_json:
        typer.echo(json.dumps(_order_data(kept)))
        return EXIT_DONE
    typer.echo(f"order {order_id} from {kept.source}, accepted {kept.accepted_at:%Y-%m-%d %H:%M}Z")
    if kept.quarantined_because:
        typer.echo(f"  its latest snapshot is in quarantine: {kept.quarantined_because}")
    if kept.older_count:
        typer.echo(f"  {kept.older_count} older snapshots came after it and were ignored")
    for name, value in _said(json.read_back(kept.order)).items():
        typer.echo(f"  {name}: {json.dumps(value)}")
    _print_operations(kept.operations)
    return EXIT_DONE


def opened(settings: Settings) -> Outbox:
    """Return the outbox, which must be there: looking at one makes none."""
    if not existing_outbox(settings.outbox):
        where = settings.outbox_named
        raise DatabaseRefused(
            f"there is no outbox {where}: --outbox or ORDERTRAIL_OUTBOX names another one"
        )
    return open_outbox(settings.outbox)


def destination_meant(outbox: Outbox, asked: str | None, url: str) -> str:
    """Return the destination that is named, by its address or its workspace; else the endpoint's.

    The only one that there is need not be named.
    """
    known = outbox.destinations()
    if asked is not None:
        meant = normalised(asked) if "://" in asked else asked
        found = [each for each in known if meant in (each, each.removeprefix("workspace:"))]
    else:
        found = known if len(known) == 1 else [e for e in known if e == normalised(url)]
    if len(found) == 1:
        return found[0]
    if not known:
        raise NotFound("the outbox holds nothing yet")
    raise Invalid({"destination": f"say one of: {', '.join(known)}"})


def filter_of(which: Which) -> Filter:
    """Return which operations are meant; raises Invalid for a state or kind that is none."""
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


def order_meant(outbox: Outbox, destination: str, order_id: str, source: str | None) -> KeptOrder:
    """Return an order that the outbox keeps; raises NotFound, with the reason if it has one."""
    sources = [source] if source is not None else outbox.sources(destination)
    for each in sources:
        kept = outbox.order(Route(each, destination), order_id)
        if kept is not None:
            return kept
    for quarantined in outbox.quarantined(destination, _QUARANTINED_MAX):
        if quarantined.order_id == order_id:
            raise NotFound(f"order {order_id} was never good: {quarantined.reason}")
    raise NotFound(f"the outbox has no order {order_id[:80]!r} for {destination}")


def _quarantined(outbox: Outbox, destination: str, which: Which) -> list[Quarantined]:
    found = (
        each
        for each in outbox.quarantined(destination, _QUARANTINED_MAX)
        if which.order_id in (None, each.order_id)
        and which.source in (None, each.source)
        and (which.reason or "") in each.reason
    )
    return list(islice(found, which.limit))


def _as_data(each: Listed | Quarantined) -> dict[str, Any]:
    """Return an entry for a program; what a call says of a person is left to `show`."""
    said: dict[str, Any] = json.read_back(each)
    if isinstance(each, Quarantined):
        return {"state": QUARANTINED, **said}
    return {name: value for name, value in said.items() if name != "body"}


def _order_data(kept: KeptOrder) -> dict[str, Any]:
    said: dict[str, Any] = json.read_back(kept)
    operations = [{**_as_data(each), "body": each.call.body} for each in kept.operations]
    return {**said, "operations": operations}


def _said(value: Any) -> Any:
    """Return a value of JSON without what says nothing."""
    if isinstance(value, dict):
        said = {name: _said(each) for name, each in value.items()}
        return {name: each for name, each in said.items() if each not in (None, [], {})}
    return [_said(each) for each in value] if isinstance(value, list) else value


def _print_operations(operations: list[Listed]) -> None:
    if not operations:
        typer.echo("no calls")
        return
    table = _table("id", "order", "kind", "state", "attempts", "why")
    for each in operations:
        is_in_doubt = each.is_unsure and each.state is not State.DONE
        why = each.reason or ("may have been carried out" if is_in_doubt else "")
        cells = (str(each.id), each.order_id, each.kind.value, each.state.value)
        table.add_row(*cells, str(each.attempts), why[:_REASON_CHARS])
    tables.show(table)


def _print_quarantined(quarantined: list[Quarantined]) -> None:
    if quarantined:
        table = _table("quarantined order", "source", "why")
        for each in quarantined:
            table.add_row(each.order_id, each.source, each.reason)
        tables.show(table)


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False)
    for name in columns:
        table.add_column(name, no_wrap=name in ("id", "kind", "state"))
    return table
