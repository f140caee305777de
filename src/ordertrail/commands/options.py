"""What several commands of the sync are asked alike: the flow, the file, the destination."""

import stat
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ordertrail.domain.errors import Invalid
from ordertrail.sync.flow_file import read_flow
from ordertrail.sync.outbox_places import file_of
from ordertrail.sync.rules import Flow, FlowName, Milestone, Stages
from ordertrail.sync.shops import formats
from ordertrail.sync.shops.readings import STANDARD_INPUT, Options, Reading

W = TypeVar("W", FlowName, Milestone)

_STAGE_COUNT = 3


@dataclass(frozen=True, slots=True)
class FlowOptions:
    """A file of settings, and what takes precedence over it."""

    config: Path | None = None
    flow: str | None = None
    sync_point: str | None = None
    stages: str | None = None


@dataclass(frozen=True, slots=True)
class FileOptions:
    """A file of orders and how to read it."""

    file: Path
    form: str | None = None
    timezone: str | None = None
    since: str | None = None
    limit: int | None = None
    strict: bool = False


def flow_of(asked: FlowOptions) -> Flow:
    """Return the settings that are asked for; raises Invalid naming what is wrong."""
    flow = Flow() if asked.config is None else read_flow(asked.config)
    if asked.flow is not None:
        flow = replace(flow, name=_word(FlowName, "flow", asked.flow))
    if asked.sync_point is not None:
        flow = replace(flow, sync_point=_word(Milestone, "sync-point", asked.sync_point))
    return flow if asked.stages is None else replace(flow, stages=_stages(asked.stages))


def reading_of(asked: FileOptions) -> Reading:
    """Return the reading of the file; raises Invalid naming the file and the place in it."""
    _check_there(asked.file)
    zone = None if asked.timezone is None else _zone(asked.timezone)
    since = None if asked.since is None else _moment(asked.since, zone)
    options = Options(strict=asked.strict, zone=zone, since=since, limit=asked.limit)
    try:
        return formats.read(asked.file, asked.form, options)
    except Invalid as error:
        raise Invalid(in_file(asked.file, error.fields)) from None


def existing_outbox(where: str) -> bool:
    """Tell whether an outbox is there already, as far as its place tells."""
    path = file_of(where)
    return path is None or path.exists()


def in_file(file: Path, fields: Mapping[str, str]) -> dict[str, str]:
    """Return the fields with the file's name before each place in it."""
    return {
        f"{file.name}, {place}" if place.startswith(("line ", "row ")) else place: reason
        for place, reason in fields.items()
    }


def _check_there(file: Path) -> None:
    """Tell at once of a file that is not there, before anybody is asked anything."""
    try:
        is_folder = file != STANDARD_INPUT and stat.S_ISDIR(file.stat().st_mode)
    except OSError as error:
        raise Invalid({file.name: f"cannot be read: {error.strerror}"}) from None
    if is_folder:
        raise Invalid({file.name: "cannot be read: it is a folder"})


def _word(kind: type[W], option: str, word: str) -> W:
    try:
        return kind(word)
    except ValueError:
        known = ", ".join(kind)
        raise Invalid({option: f"{word[:32]!r} is not known; there are: {known}"}) from None


def _stages(text: str) -> Stages:
    parts = [part.strip() for part in text.split(",")]
    if len(parts) != _STAGE_COUNT or not all(p.isascii() and p.isdigit() for p in parts):
        raise Invalid({"stages": "must be three stage ids, such as 13,12,14"})
    return Stages(*map(int, parts))


def _zone(name: str) -> tzinfo:
    try:
        return UTC if name.upper() == "UTC" else ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        reason = f"{name[:64]!r} is no zone; say one such as Europe/London, or UTC"
        raise Invalid({"timezone": reason}) from None


def _moment(text: str, zone: tzinfo | None) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        reason = f"{text[:40]!r} is no time; say one such as 2026-03-01 or 2026-03-01T12:00:00Z"
        raise Invalid({"since": reason}) from None
    return at if at.tzinfo else at.replace(tzinfo=zone or UTC)
