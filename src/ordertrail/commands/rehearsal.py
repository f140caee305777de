"""`ordertrail sync --dry-run`: what would change, without a network and without a trace."""

import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import typer

from ordertrail.client.client import normalised
from ordertrail.commands.exits import EXIT_DONE, EXIT_REFUSED
from ordertrail.commands.options import flow_of, reading_of
from ordertrail.commands.sync import Job
from ordertrail.commands.telling import LEFT_SHOWN
from ordertrail.kit import json
from ordertrail.kit.counting import counted
from ordertrail.kit.sqlite import Sqlite
from ordertrail.settings import Settings
from ordertrail.sync.outbox import Outbox, Route, open_outbox
from ordertrail.sync.outbox_places import file_of
from ordertrail.sync.rehearsal import Rehearsal, rehearse
from ordertrail.sync.shops.readings import Reading

_BODY_CHARS = 240


def run(settings: Settings, job: Job) -> int:
    """Print what a sync would change, and return the exit code that it would have at best."""
    flow, reading = flow_of(job.flow), reading_of(job.file)
    source = job.source or reading.source
    with tempfile.TemporaryDirectory() as folder:
        where = _copy(settings.outbox, Path(folder))
        with open_outbox(where) as outbox:
            route = Route(source, _destination(outbox, settings.url))
            found = rehearse(outbox, route, flow, reading.orders())
    if job.as_json:
        typer.echo(json.dumps(as_data(reading, found)))
    else:
        tell(reading, found)
    return EXIT_REFUSED if found.refused or found.rejected else EXIT_DONE


def as_data(reading: Reading, found: Rehearsal) -> dict[str, Any]:
    """Return what would change for a program."""
    return {
        "rows": reading.accounts.as_data(),
        "orders": found.orders,
        "changed": found.changed,
        "unchanged": found.unchanged,
        "older": found.older,
        "quarantined": len(found.refused),
        "rejected": len(found.rejected),
        "would_call": {str(kind): count for kind, count in sorted(found.operations.items())},
        "worth_before": {c: str(v) for c, v in found.amounts(found.worth_before).items()},
        "worth_after": {c: str(v) for c, v in found.amounts(found.worth_after).items()},
        "examples": {
            kind.value: [
                {"method": each.method, "path": each.path, "body": each.call.body} for each in some
            ]
            for kind, some in found.examples.items()
            if some
        },
        "quarantined_because": [f"{order_id}: {why}" for order_id, why in found.refused],
        "rejected_because": [str(each) for each in found.rejected],
    }


def tell(reading: Reading, found: Rehearsal) -> None:
    """Print what would change for a person."""
    for line in reading.accounts.told():
        typer.echo(line)
    typer.echo(
        f"{counted(found.orders, 'order')}: {found.changed:,} would change,"
        f" {found.unchanged:,} unchanged, {found.older:,} older,"
        f" {len(found.refused):,} quarantined, {len(found.rejected):,} rejected"
    )
    typer.echo(
        f"{counted(found.operations.total(), 'call')} would be made; nothing was sent or written"
    )
    for kind, some in found.examples.items():
        if not found.operations[kind]:
            continue
        typer.echo(f"  {kind.value}: {found.operations[kind]:,}, such as")
        for each in some:
            typer.echo(f"    {each.method} {each.path}")
            typer.echo(f"      {_short(each.body)}")
    codes = {*found.worth_before, *found.worth_after}
    before, after = (
        found.amounts(Counter({code: worth[code] for code in codes}))
        for worth in (found.worth_before, found.worth_after)
    )
    for code in sorted(codes):
        typer.echo(f"  worth in {code}: {before[code]:,} before, {after[code]:,} after")
    for order_id, why in found.refused[:LEFT_SHOWN]:
        typer.echo(f"  quarantined: order {order_id}: {why}", err=True)
    for rejected in found.rejected[:LEFT_SHOWN]:
        typer.echo(f"  rejected: {rejected}", err=True)


def _copy(outbox: str, folder: Path) -> str:
    """Return where to rehearse: a copy of a file, a new one, or a database as it is."""
    copy, path = folder / "rehearsal.outbox", file_of(outbox)
    if path is None:
        return outbox
    if path.exists():
        Sqlite(path).copy_to(copy)
    return str(copy)


def _destination(outbox: Outbox, url: str) -> str:
    """Return the destination that is meant: by its address, or the only one that there is."""
    known, address = outbox.destinations(), normalised(url)
    return known[0] if len(known) == 1 and address not in known else address


def _short(body: str) -> str:
    return body if len(body) <= _BODY_CHARS else f"{body[: _BODY_CHARS - 3]}..."
