"""The options that commands of the sync share, as the command line spells them."""

from pathlib import Path
from typing import Annotated

import typer

To = Annotated[str | None, typer.Option("--to", help="The endpoint; else ORDERTRAIL_URL.")]
Token = Annotated[str | None, typer.Option(help="Its API key; else ORDERTRAIL_TOKEN.")]
Outbox = Annotated[
    str | None,
    typer.Option(help="The outbox: a file, or postgresql://…; else ORDERTRAIL_OUTBOX."),
]
Form = Annotated[
    str | None,
    typer.Option("--format", help="jsonl, csv or online-retail; else as the file's name says."),
]
Source = Annotated[str | None, typer.Option(help="The name of the shop; the format has one.")]
Timezone = Annotated[
    str | None, typer.Option(help="The zone of times without one, such as Europe/London.")
]
Since = Annotated[str | None, typer.Option(help="Only orders that changed since: 2026-03-01.")]
Strict = Annotated[bool, typer.Option("--strict", help="Stop at the first order that is wrong.")]
LimitRate = Annotated[
    float | None, typer.Option(min=0, help="Calls a second; 0: no limit; else by the endpoint.")
]
Config = Annotated[Path | None, typer.Option(help="A file with the flow's settings, TOML or JSON.")]
FlowWord = Annotated[str | None, typer.Option("--flow", help="detailed (the default) or simple.")]
SyncPoint = Annotated[
    str | None, typer.Option(help="When the simple flow says an order: placed or fulfilled.")
]
Stages = Annotated[str | None, typer.Option(help="Stage ids: placed,fulfilled,cancelled.")]
Destination = Annotated[
    str | None, typer.Option(help="Which destination, if the outbox has several.")
]
OneSource = Annotated[str | None, typer.Option("--source", help="Only what came from this shop.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done; do nothing.")]
