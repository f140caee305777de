"""Pipelines and stages: arranging them, and moving deals out of a stage that goes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from ordertrail.actions.outcomes import of_each
from ordertrail.domain.errors import Conflict, Invalid, Refused
from ordertrail.domain.journal import Author, Entry, Fields, Subject, told
from ordertrail.domain.pipeline import Board, Pipeline, Stage
from ordertrail.kit.committer import Batch
from ordertrail.kit.database import Reader, Tx
from ordertrail.store import ids, journal, pipelines

T = TypeVar("T", Pipeline, Stage)

REMOVAL_WEIGHT = 500
"""What the removal of a stage counts for in a batch: it touches all deals in the stage."""


@dataclass(frozen=True, slots=True)
class AddPipeline:
    """Add a pipeline behind the others."""

    name: str
    author: Author


@dataclass(frozen=True, slots=True)
class AddStage:
    """Add a stage behind the others of its pipeline."""

    pipeline_id: int
    name: str
    description: str
    author: Author


@dataclass(frozen=True, slots=True)
class RenamePipeline:
    """Give a pipeline another name."""

    pipeline_id: int
    name: str
    author: Author


@dataclass(frozen=True, slots=True)
class OrderStages:
    """Put the stages of a pipeline in this order."""

    pipeline_id: int
    stage_ids: tuple[int, ...]
    author: Author


@dataclass(frozen=True, slots=True)
class ChangeStage:
    """Describe a stage anew; None leaves a field as it is."""

    stage_id: int
    name: str | None
    description: str | None
    author: Author


@dataclass(frozen=True, slots=True)
class RemovePipeline:
    """Remove a pipeline with its stages, in none of which a deal may stand."""

    pipeline_id: int
    author: Author


@dataclass(frozen=True, slots=True)
class RemoveStage:
    """Remove a stage; the deals in it go to another one first, if that is named."""

    stage_id: int
    move_to: int | None
    author: Author

    @property
    def weight(self) -> int:
        """As much as a part: others have their turn between two of them."""
        return REMOVAL_WEIGHT


@dataclass(frozen=True, slots=True)
class Removed:
    """The stage that is gone, and how many deals were moved."""

    stage: Stage
    moved: int


Arrangement = AddPipeline | AddStage | RenamePipeline | OrderStages | ChangeStage | RemovePipeline


def arrange(
    tx: Tx, batch: Batch[Arrangement]
) -> Sequence[Pipeline | Stage | tuple[Stage, ...] | Refused]:
    """Add, change, order and remove; what was added, changed or removed is each outcome."""
    arranging = _Arranging(tx, batch)
    outcomes = of_each(batch.commands, arranging.change)
    arranging.write(tx)
    return outcomes


def remove_stages(tx: Tx, batch: Batch[RemoveStage]) -> Sequence[Removed | Refused]:
    """Remove stages; all deals in them are moved, each with an entry in the journal."""
    removing = _Removing(tx, batch)
    outcomes = of_each(batch.commands, removing.decide)
    removing.write()
    return outcomes


def board(reader: Reader, workspace_id: int) -> Board:
    """Return the pipelines of a workspace with their stages."""
    return pipelines.board(reader, workspace_id)


class _Arranging:
    """The pipelines of a workspace, before and after a batch."""

    def __init__(self, tx: Tx, batch: Batch[Arrangement]) -> None:
        self._workspace_id, self._at = batch.workspace_id, batch.at
        self._entries: list[Entry] = []
        self._before = self._board = pipelines.board(tx, batch.workspace_id)
        kinds = [type(command) for command in batch.commands]
        taken = ids.take(
            tx,
            batch.workspace_id,
            pipeline=kinds.count(AddPipeline),
            stage=kinds.count(AddStage),
        )
        self._pipeline_ids, self._stage_ids = taken["pipeline"], taken["stage"]
        going = {c.pipeline_id for c in batch.commands if isinstance(c, RemovePipeline)}
        leaving = [each.id for each in self._board.stages if each.pipeline_id in going]
        self._in_use = pipelines.in_use(tx, batch.workspace_id, leaving)

    def change(self, command: Arrangement) -> Pipeline | Stage | tuple[Stage, ...]:
        """Change the board, or raise Refused."""
        before = self._board
        outcome = self._decide(command)
        self._entries += _told(before, self._board, command.author, self._at)
        if isinstance(command, OrderStages):
            number = command.pipeline_id
            facts = _order(before, number), _order(self._board, number)
            self._entries += told(Subject.PIPELINE, number, facts, command.author, self._at)
        return outcome

    def _decide(self, command: Arrangement) -> Pipeline | Stage | tuple[Stage, ...]:
        match command:
            case AddPipeline(name):
                number = next(self._pipeline_ids)
                self._board = self._board.with_pipeline(number, name)
                return self._board.pipeline(number)
            case AddStage(pipeline_id, name, description):
                stage = Stage(next(self._stage_ids), pipeline_id, name, description)
                self._board = self._board.with_stage(stage)
                return self._board.stage(stage.id)
            case RenamePipeline(pipeline_id, name):
                self._board = self._board.renamed(pipeline_id, name)
                return self._board.pipeline(pipeline_id)
            case OrderStages(pipeline_id, stage_ids):
                self._board = self._board.ordered(pipeline_id, stage_ids)
                return self._board.stages_of(pipeline_id)
            case ChangeStage(stage_id, name, description):
                self._board = self._board.described(stage_id, name, description)
                return self._board.stage(stage_id)
            case RemovePipeline(pipeline_id):
                return self._remove(pipeline_id)

    def write(self, tx: Tx) -> None:
        """Write what is different."""
        pipelines.save(tx, self._workspace_id, self._before, self._board)
        journal.append(tx, self._workspace_id, self._entries)

    def _remove(self, pipeline_id: int) -> Pipeline:
        gone = self._board.pipeline(pipeline_id)
        without = self._board.without_pipeline(pipeline_id)
        if any(stage.id in self._in_use for stage in self._board.stages_of(pipeline_id)):
            raise Conflict("deals stand in this pipeline; move them to another one first")
        self._board = without
        return gone


class _Removing:
    """Stages on their way out."""

    def __init__(self, tx: Tx, batch: Batch[RemoveStage]) -> None:
        self._tx, self._batch = tx, batch
        self._entries: list[Entry] = []
        self._before = self._board = pipelines.board(tx, batch.workspace_id)

    def decide(self, command: RemoveStage) -> Removed:
        """Move the deals of the stage, and take it off the board; or raise Refused."""
        stage = self._board.stage(command.stage_id)
        without = self._board.without_stage(stage.id)
        target = self._target(command, without)
        moved = 0
        if self._is_used(stage):
            if target is None:
                raise Conflict("deals stand in this stage; say by move_to to which they go")
            moved = self._move(stage, target, command.author)
        self._entries += _told(self._board, without, command.author, self._batch.at)
        self._board = without
        return Removed(stage, moved)

    def write(self) -> None:
        """Write what is different."""
        pipelines.save(self._tx, self._batch.workspace_id, self._before, self._board)
        journal.append(self._tx, self._batch.workspace_id, self._entries)

    def _target(self, command: RemoveStage, without: Board) -> Stage | None:
        if command.move_to is None:
            return None
        for stage in without.stages:
            if stage.id == command.move_to:
                return stage
        raise Invalid({"move_to": f"no other stage {command.move_to} in this workspace"})

    def _is_used(self, stage: Stage) -> bool:
        return bool(pipelines.in_use(self._tx, self._batch.workspace_id, [stage.id]))

    def _move(self, stage: Stage, target: Stage, author: Author) -> int:
        workspace_id, at = self._batch.workspace_id, self._batch.at
        changes = {"stage": (stage.id, target.id)}
        if target.pipeline_id != stage.pipeline_id:
            changes["pipeline"] = (stage.pipeline_id, target.pipeline_id)
        moved = journal.append_for_deals_in(
            self._tx, workspace_id, stage.id, changes, author=author, at=at
        )
        pipelines.move_deals(self._tx, workspace_id, stage.id, target, at)
        return moved


def _told(before: Board, after: Board, author: Author, at: datetime) -> Iterator[Entry]:
    """The entries about pipelines and stages that differ, whatever their places are."""
    for old, new in _apart(before.pipelines, after.pipelines):
        facts = _named(old), _named(new)
        yield from told(Subject.PIPELINE, _id(old, new), facts, author, at)
    for was, now in _apart(before.stages, after.stages):
        facts = _described(was), _described(now)
        yield from told(Subject.STAGE, _id(was, now), facts, author, at)


def _apart(before: Sequence[T], after: Sequence[T]) -> Iterator[tuple[T | None, T | None]]:
    """What is not the same before and after, each with what it was and is."""
    old, new = {each.id: each for each in before}, {each.id: each for each in after}
    for number, each in old.items():
        if new.get(number) is not each:
            yield each, new.get(number)
    yield from ((None, each) for number, each in new.items() if number not in old)


def _id(old: T | None, new: T | None) -> int:
    return next(each.id for each in (old, new) if each is not None)


def _named(pipeline: Pipeline | None) -> Fields | None:
    return None if pipeline is None else {"name": pipeline.name}


def _described(stage: Stage | None) -> Fields | None:
    if stage is None:
        return None
    return {"pipeline": stage.pipeline_id, "name": stage.name, "description": stage.description}


def _order(board: Board, pipeline_id: int) -> Fields:
    return {"stages": [stage.id for stage in board.stages_of(pipeline_id)]}
