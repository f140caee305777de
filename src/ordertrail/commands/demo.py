"""`ordertrail demo`: the platform and a thousand real orders, ready to look at."""

import contextlib
import re
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.table import Table

from ordertrail import opening
from ordertrail.actions import keys, workspaces
from ordertrail.commands import listening, serve, sync, telling
from ordertrail.commands.telling import Delivered
from ordertrail.domain.errors import Invalid, Unavailable
from ordertrail.insight import reports
from ordertrail.insight.reports import Summary
from ordertrail.kit import clock, json
from ordertrail.opening import Place
from ordertrail.sample import SAMPLE
from ordertrail.settings import Settings
from ordertrail.sync.rules import Flow
from ordertrail.sync.shops import online_retail

STOP_WAIT_S = 20


@dataclass(frozen=True, slots=True)
class Demo:
    """What a person asks for."""

    orders: int
    port: int
    data: Path
    leave: bool
    as_json: bool


def run(demo: Demo) -> None:
    """Serve, sync, print the summary; then keep serving, unless asked to leave."""
    demo.data.mkdir(parents=True, exist_ok=True)
    settings = Settings(
        database_url=f"sqlite:///{(demo.data / 'ordertrail.db').resolve()}",
        outbox=str(demo.data / "ordertrail.outbox"),
        token=secrets.token_hex(keys.TOKEN_LENGTH // 2),
    )
    database = opening.opened(settings, secrets.token_hex(16))
    key = _new_key(database, settings.token)
    with _served(settings, _free(demo.port)) as (server, address):
        if not demo.as_json:
            typer.echo(f"The platform runs at {address}; syncing {demo.orders:,} real orders…")
            typer.echo(f"Its data is kept in {demo.data}; delete that to begin anew.")
        delivered = _sync(settings.model_copy(update={"url": address}), demo)
        summary = database.read(lambda reader: reports.summary(reader, workspaces.DEFAULT_ID))
        database.write(lambda tx: keys.revoke(tx, key.workspace_id, key.id, clock.utc_now()))
        link = serve.new_link(database, address)
        _tell(demo, summary, delivered, link)
        if not delivered.summary.is_complete:
            sys.exit(telling.exit_code(delivered.summary))
        if not demo.leave:
            typer.echo("It goes on serving; Ctrl-C stops it.", err=True)
            sys.stdout.flush()
            with contextlib.suppress(KeyboardInterrupt):
                server.wait()
    database.close()


def _new_key(database: Place, token: str) -> keys.Key:
    key = keys.new_key(workspaces.DEFAULT_ID, "demo", "both", clock.utc_now())
    return database.write(lambda tx: keys.create(tx, key, token))


def _sync(settings: Settings, demo: Demo) -> Delivered:
    reading = online_retail.read(SAMPLE)
    asked = sync.Sync(
        reading, Flow(), reading.source, is_quiet=demo.as_json, orders_max=demo.orders
    )
    return sync.deliver(settings, asked)


def _free(port: int) -> int:
    """The port, or 0 for any free one when somebody else listens there."""
    try:
        listening.listen("127.0.0.1", port).close()
    except Invalid:
        return 0
    return port


@contextlib.contextmanager
def _served(settings: Settings, port: int) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A server process of its own, so that both halves have a processor each."""
    command = [sys.executable, "-m", "ordertrail", "serve", "--port", str(port)]
    server = subprocess.Popen(
        [*command, "--database", settings.database_url],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        first = server.stdout.readline() if server.stdout else ""
        found = re.search(r"http://\S+", first)
        if found is None:
            raise Unavailable("the server did not start; it says why above")
        yield server, found[0]
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(STOP_WAIT_S)


def _tell(demo: Demo, summary: Summary, delivered: Delivered, link: str) -> None:
    if demo.as_json:
        typer.echo(
            json.dumps({**_as_data(summary), "sync": _sync_data(delivered), "console": link})
        )
        return
    telling.tell_delivered(delivered, str(demo.data))
    table = Table(title="What the platform holds", show_header=False, title_justify="left")
    table.add_column()
    table.add_column(justify="right")
    for name, value in _lines(summary):
        table.add_row(name, value)
    Console(width=60).print(table)
    typer.echo(f"Open the console, this link works once: {link}")


def _lines(summary: Summary) -> list[tuple[str, str]]:
    lines = [("orders", f"{summary.orders:,}")]
    lines += [(f"  {stage.name}", f"{stage.count:,}") for stage in summary.deals_by_stage]
    lines += [("contacts", f"{summary.contacts:,}"), ("products", f"{summary.products:,}")]
    lines += [(f"product events: {name}", f"{n:,}") for name, n in summary.product_events.items()]
    lines += [(f"events: {name}", f"{n:,}") for name, n in summary.events.items()]
    for takings in summary.money:
        lines += [
            (f"gross {takings.currency}", f"{takings.gross:,}"),
            (f"refunds {takings.currency}", f"{takings.refunds:,}"),
            (f"net {takings.currency}", f"{takings.net:,}"),
        ]
    return lines


def _as_data(summary: Summary) -> dict[str, Any]:
    return {
        "orders": summary.orders,
        "deals_by_stage": {stage.name: stage.count for stage in summary.deals_by_stage},
        "contacts": summary.contacts,
        "products": summary.products,
        "product_events": summary.product_events,
        "events": summary.events,
        "money": [
            {
                "currency": takings.currency,
                "gross": str(takings.gross),
                "refunds": str(takings.refunds),
                "net": str(takings.net),
            }
            for takings in summary.money
        ],
    }


def _sync_data(delivered: Delivered) -> dict[str, Any]:
    progress = delivered.summary.progress
    return {
        "changed": progress.changed,
        "unchanged": progress.unchanged,
        "delivered": progress.delivered.total(),
        "parked": progress.parked,
        "seconds": round(delivered.summary.seconds, 2),
    }
