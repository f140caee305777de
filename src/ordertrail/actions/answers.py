"""Writes that are carried out once, however often they are sent with the same key.

The answer is remembered in the transaction of the write: there is no moment in which one is on
disk and the other is not. What is refused is not remembered, so that it can be mended and sent
again under its key.
"""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from ordertrail.domain.errors import Conflict, KeyReused
from ordertrail.kit.committer import Action, Batch, weight
from ordertrail.kit.database import Tx
from ordertrail.kit.snapshot import Snapshot
from ordertrail.store import answers
from ordertrail.store.answers import Remembered

REMEMBERED_FOR = timedelta(days=8)
"""How long an answer is kept: the seven days that are promised, and one to be sure."""

__all__ = ["REMEMBERED_FOR", "Once", "Remembered", "once", "still_running"]


@dataclass(frozen=True, slots=True)
class Once:
    """A command that stands under a key; `fingerprint` tells its request from any other.

    `answer` makes status, JSON body and warnings of the outcome.
    """

    operation_key: str
    fingerprint: str
    command: Any
    answer: Callable[[Snapshot, Any], tuple[int, str, tuple[str, ...]]]

    @property
    def weight(self) -> int:
        """How many things the command touches."""
        return weight(self.command)


@functools.cache
def once(action: Action) -> Action:
    """Return the action on `Once` commands: the outcome of each is `Remembered`, or an error."""

    def decide(tx: Tx, batch: Batch[Once]) -> Sequence[Remembered | Exception]:
        known = answers.by_keys(tx, batch.workspace_id, {c.operation_key for c in batch.commands})
        fresh: dict[str, Once] = {}
        for each in batch.commands:
            if each.operation_key not in known:
                fresh.setdefault(each.operation_key, each)
        done = _carried_out(tx, batch, action, list(fresh.values()))
        _remember(tx, batch, [each for each in done.values() if isinstance(each, Remembered)])
        return [_outcome(each, known, done) for each in batch.commands]

    return decide


def still_running() -> Conflict:
    """Return what a request is told whose key is that of another which is not answered yet."""
    return Conflict("a request with this Idempotency-Key is still running; try again in a moment")


def _carried_out(
    tx: Tx, batch: Batch[Once], action: Action, fresh: Sequence[Once]
) -> dict[str, Remembered | Exception]:
    if not fresh:
        return {}
    commands = [each.command for each in fresh]
    outcomes = action(tx, Batch(batch.workspace_id, batch.at, commands))
    snapshot = Snapshot(tx)
    done: dict[str, Remembered | Exception] = {}
    for each, outcome in zip(fresh, outcomes, strict=True):
        if isinstance(outcome, Exception):
            done[each.operation_key] = outcome
        else:
            told = each.answer(snapshot, outcome)
            done[each.operation_key] = Remembered(each.operation_key, each.fingerprint, *told)
    return done


def _remember(tx: Tx, batch: Batch[Once], told: Sequence[Remembered]) -> None:
    if told:
        answers.add(tx, batch.workspace_id, told, batch.at)


def _outcome(
    each: Once,
    known: dict[str, Remembered],
    done: dict[str, Remembered | Exception],
) -> Remembered | Exception:
    """What was carried out now or before under the key; the first request of a batch counts."""
    remembered = known.get(each.operation_key) or done[each.operation_key]
    if isinstance(remembered, Remembered) and remembered.fingerprint != each.fingerprint:
        return KeyReused("this Idempotency-Key was used for another request; use a new one")
    return remembered
