"""`ordertrail explain FILE`: the calls that orders would cause, without making them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import typer

from ordertrail.commands.exits import EXIT_DONE, EXIT_REFUSED
from ordertrail.commands.options import FileOptions, FlowOptions, flow_of, reading_of
from ordertrail.domain.errors import Invalid, NotFound
from ordertrail.domain.order import Order
from ordertrail.kit import json
from ordertrail.kit.counting import counted
from ordertrail.settings import Settings
from ordertrail.sync.flow import desired
from ordertrail.sync.operations import Operation
from ordertrail.sync.plan import Planned, plan
from ordertrail.sync.rules import Flow
from ordertrail.sync.shops.readings import Rejected


@dataclass(frozen=True, slots=True)
class Job:
    """What a person asks for; an `order_id` of None is any order."""

    file: FileOptions
    flow: FlowOptions
    order_id: str | None = None
    orders_max: int = 1
    source: str | None = None
    as_curl: bool = False
    as_json: bool = False


@dataclass(frozen=True, slots=True)
class Explained:
    """The calls of one order, or why there are none."""

    order_id: str
    operations: list[Operation]
    why_none: str | None = None

    def as_data(self) -> dict[str, Any]:
        """Return it for a program."""
        calls = [
            {
                "key": each.key,
                "kind": each.kind.value,
                "method": each.call.method,
                "path": each.call.path,
                "body": each.call.body,
            }
            for each in self.operations
        ]
        return {"order": self.order_id, "calls": calls, "why_none": self.why_none}


def run(settings: Settings, job: Job) -> int:
    """Print the calls, and return the exit code; raises Refused for what cannot be read."""
    flow, reading = flow_of(job.flow), reading_of(job.file)
    source = job.source or reading.source
    told = 0
    has_failed = False
    for each in reading.orders():
        if isinstance(each, Rejected):
            has_failed = has_failed or job.order_id in (None, each.order_id)
            typer.echo(f"rejected: {each}", err=True)
            continue
        if job.order_id not in (None, each.id):
            continue
        explained = explain(each, source, flow)
        has_failed = has_failed or (explained.why_none is not None and not _is_waiting(explained))
        _tell(explained, settings.url, job)
        told += 1
        if told >= job.orders_max:
            break
    if not told and not has_failed:
        wanted = "no order" if job.order_id is None else f"no order {job.order_id[:80]!r}"
        raise NotFound(f"{job.file.file.name} has {wanted}")
    return EXIT_REFUSED if has_failed else EXIT_DONE


def explain(order: Order, source: str, flow: Flow) -> Explained:
    """Return the calls that an order causes at a destination that knows nothing of it."""
    try:
        wanted = desired(order, flow)
    except Invalid as error:
        return Explained(order.id, [], str(error))
    if wanted is None:
        return Explained(order.id, [], _NOT_YET)
    return Explained(order.id, plan(source, order.id, wanted, Planned()).operations)


_NOT_YET = "the simple flow says nothing of it: it has not reached the sync point, or never will"


def _is_waiting(explained: Explained) -> bool:
    return explained.why_none == _NOT_YET


def _tell(explained: Explained, url: str, job: Job) -> None:
    if job.as_json:
        typer.echo(json.dumps(explained.as_data()))
        return
    if explained.why_none is not None:
        typer.echo(f"order {explained.order_id}: {explained.why_none}")
        return
    if not job.as_curl:
        typer.echo(f"order {explained.order_id}: {counted(len(explained.operations), 'call')}")
    for line in _lines(explained.operations, url, as_curl=job.as_curl):
        typer.echo(line)


def _lines(operations: list[Operation], url: str, *, as_curl: bool) -> Iterator[str]:
    for number, each in enumerate(operations, 1):
        if as_curl:
            yield f"# {number}. {each.kind.value.replace('_', ' ')}"
            yield each.call.as_curl(url)
            yield ""
            continue
        yield f"\n{number}. {each.call.method} {each.call.path}"
        yield f"   key {each.key}"
        for name, value in each.call.body.items():
            yield f"   {name}: {json.dumps(value)}"
