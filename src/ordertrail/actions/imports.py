"""Imports: upserts whose outcome is what became of each thing, and the same as a trial."""

import enum
import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ordertrail.kit.committer import Action, Batch
from ordertrail.kit.database import Tx
from ordertrail.store import trials


class Result(enum.StrEnum):
    """What became of a thing that was sent."""

    CREATED = "created"
    CHANGED = "changed"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of a thing: its id, None when it has none yet; what was not taken as sent."""

    status: Result
    id: int | None
    warnings: tuple[str, ...] = ()


@functools.cache
def judged(action: Action) -> Action:
    """Return the upserts with the outcome `Judged` for what was `Written`."""

    def decide(tx: Tx, batch: Batch[Any]) -> Sequence[Judged | Exception]:
        return _judged(batch, action(tx, batch))

    return decide


@functools.cache
def tried(action: Action) -> Action:
    """Return the same without a trace: nothing is written, and no id is taken."""

    def decide(tx: Tx, batch: Batch[Any]) -> Sequence[Judged | Exception]:
        outcomes = trials.undone(tx, lambda: _judged(batch, action(tx, batch)))
        return [_without_new_id(outcome) for outcome in outcomes]

    return decide


def _judged(batch: Batch[Any], outcomes: Sequence[Any]) -> list[Judged | Exception]:
    """What is written now bears its time; a thing that is named twice is held against before."""
    latest: dict[int, Any] = {}
    told: list[Judged | Exception] = []
    for outcome in outcomes:
        if isinstance(outcome, Exception):
            told.append(outcome)
            continue
        thing = outcome.thing
        if outcome.is_new:
            status = Result.CREATED
        elif thing.updated_at != batch.at or latest.get(thing.id) == thing:
            status = Result.UNCHANGED
        else:
            status = Result.CHANGED
        latest[thing.id] = thing
        told.append(Judged(status, thing.id, tuple(outcome.warnings)))
    return told


def _without_new_id(outcome: Judged | Exception) -> Judged | Exception:
    if isinstance(outcome, Judged) and outcome.status is Result.CREATED:
        return Judged(outcome.status, None, outcome.warnings)
    return outcome
