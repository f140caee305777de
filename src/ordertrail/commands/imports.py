"""`ordertrail import`: a CSV file goes to a platform, and the report on its rows comes back."""

import asyncio
import gzip
import sys
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import typer

from ordertrail.client.uploads import Upload, send
from ordertrail.commands.endpoint import require_endpoint
from ordertrail.commands.exits import EXIT_DONE, EXIT_REFUSED
from ordertrail.domain.errors import Invalid
from ordertrail.kit import json
from ordertrail.kit.counting import counted
from ordertrail.settings import Settings
from ordertrail.sync.shops.readings import STANDARD_INPUT

SHOWN_MAX = 20
"""How many refused rows are shown to a person; with --json it is all of them."""

_PACKED_LEVEL = 1
_STATUSES = ("created", "changed", "unchanged", "refused")


@dataclass(frozen=True, slots=True)
class Job:
    """A file to import, as a person asks for it."""

    kind: str
    file: Path
    origin: str
    is_dry: bool
    as_json: bool


@dataclass(slots=True)
class _Report:
    """What was told so far: the first refused rows, and the totals at the end."""

    refused: list[dict[str, Any]] = field(default_factory=list)
    totals: dict[str, Any] = field(default_factory=dict)


def run(settings: Settings, job: Job) -> int:
    """Send the file, and return 0 only when no row was refused."""
    require_endpoint(settings)
    upload = Upload(job.kind, _packed(job.file), job.origin, job.is_dry)
    report = asyncio.run(_told(settings, upload, as_json=job.as_json))
    if not job.as_json:
        _tell(job, report)
    return EXIT_REFUSED if report.totals.get("refused") else EXIT_DONE


async def _told(settings: Settings, upload: Upload, *, as_json: bool) -> _Report:
    report = _Report()
    async with aclosing(send(settings.url, settings.token, upload)) as lines:
        async for line in lines:
            if as_json:
                typer.echo(json.dumps(line))
            if "totals" in line:
                report.totals = line["totals"]
            elif line.get("status") == "refused" and len(report.refused) < SHOWN_MAX:
                report.refused.append(line)
    return report


def _tell(job: Job, report: _Report) -> None:
    totals = report.totals
    became = ", ".join(f"{totals.get(status, 0)} {status}" for status in _STATUSES)
    dry = "; nothing was written" if job.is_dry else ""
    typer.echo(f"{_named(job.file)}: {counted(totals.get('rows', 0), 'row')}: {became}{dry}")
    if ignored := totals.get("ignored_columns"):
        typer.echo(f"  ignored columns: {', '.join(ignored)}")
    for line in report.refused:
        for name, reasons in line.get("errors", {}).items():
            typer.echo(f"  line {line['row']}: {name}: {'; '.join(reasons)}")
    more = totals.get("refused", 0) - sum(line.get("rows", 1) for line in report.refused)
    if more > 0:
        typer.echo(f"  and {more} more; --json shows all")


def _packed(file: Path) -> bytes:
    try:
        raw = sys.stdin.buffer.read() if file == STANDARD_INPUT else file.read_bytes()
    except OSError as error:
        raise Invalid({_named(file): f"cannot be read: {error.strerror}"}) from None
    return gzip.compress(raw, _PACKED_LEVEL, mtime=0)


def _named(file: Path) -> str:
    return "standard input" if file == STANDARD_INPUT else file.name
