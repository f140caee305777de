"""Workspaces: making one, settling it, and what every page and call needs to know of it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ordertrail.actions.outcomes import of_each
from ordertrail.domain import money
from ordertrail.domain.errors import Invalid, Refused
from ordertrail.domain.journal import Author, Entry, Fields, Subject, told
from ordertrail.domain.pipeline import ORDER_STAGES, ORDERS, Board
from ordertrail.kit.committer import Batch
from ordertrail.kit.database import Reader, Tx
from ordertrail.store import ids, journal, pipelines, workspaces
from ordertrail.store.workspaces import Workspace

DEFAULT_ID = 1
NAME_LENGTH_MAX = 100

__all__ = [
    "DEFAULT_ID",
    "Change",
    "Settle",
    "Workspace",
    "change",
    "create",
    "ensure_default",
    "every",
    "get",
]


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be different about a workspace; None leaves a setting as it is."""

    name: str | None = None
    currency: str | None = None
    time_zone: str | None = None
    is_strict: bool | None = None


@dataclass(frozen=True, slots=True)
class Settle:
    """Change the settings of the workspace."""

    change: Change
    author: Author


def create(tx: Tx, workspace: Workspace) -> Workspace:
    """Create a workspace with the pipeline that clients in the field rely on."""
    workspaces.add(tx, workspace)
    pipelines.save(tx, workspace.id, Board((), ()), Board((ORDERS,), ORDER_STAGES))
    ids.take(tx, workspace.id, pipeline=1, stage=len(ORDER_STAGES))
    return workspace


def ensure_default(tx: Tx, uid: str, at: datetime) -> Workspace:
    """Return the first workspace; create it when there is none."""
    known = workspaces.every(tx)
    if known:
        return known[0]
    return create(tx, Workspace(DEFAULT_ID, uid, "Main", "USD", "UTC", at))


def every(reader: Reader) -> list[Workspace]:
    """Return all workspaces."""
    return workspaces.every(reader)


def get(reader: Reader, workspace_id: int) -> Workspace:
    """Return a workspace, which has to exist."""
    return workspaces.one(reader, workspace_id)


def change(tx: Tx, batch: Batch[Settle]) -> Sequence[Workspace | Refused]:
    """Change the settings of the batch's workspace, and return it as it is after each change.

    Another currency or zone is that of what comes: deals keep their currency.
    """
    known = workspaces.one(tx, batch.workspace_id)

    entries: list[Entry] = []

    def decide(command: Settle) -> Workspace:
        nonlocal known
        before, known = known, _changed(known, command.change)
        facts = _facts(before), _facts(known)
        entries.extend(told(Subject.WORKSPACE, known.id, facts, command.author, batch.at))
        return known

    outcomes = of_each(batch.commands, decide)
    workspaces.change(tx, known)
    journal.append(tx, batch.workspace_id, entries)
    return outcomes


def _facts(workspace: Workspace) -> Fields:
    return {
        "name": workspace.name,
        "currency": workspace.currency,
        "time_zone": workspace.time_zone,
        "strict": workspace.is_strict,
    }


def _changed(known: Workspace, change: Change) -> Workspace:
    name = known.name if change.name is None else change.name.strip()
    if not 0 < len(name) <= NAME_LENGTH_MAX:
        raise Invalid({"name": f"must have 1 to {NAME_LENGTH_MAX} characters"})
    return replace(
        known,
        name=name,
        currency=known.currency if change.currency is None else money.currency(change.currency),
        time_zone=known.time_zone if change.time_zone is None else _zone(change.time_zone),
        is_strict=known.is_strict if change.is_strict is None else change.is_strict,
    )


def _zone(name: str) -> str:
    """The name as it stands, if the machine knows such a zone."""
    try:
        return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Invalid({"time_zone": "is not a time zone such as Europe/London"}) from None
