"""Pipelines and stages as rows, and the deals that stand in a stage."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from ordertrail.domain.pipeline import Board, Pipeline, Stage
from ordertrail.kit import clock
from ordertrail.kit.database import Reader, Tx
from ordertrail.store import sql

_PIPELINES = sql.rows(
    "id, name, position",
    "(SELECT * FROM pipelines WHERE workspace_id = :workspace_id ORDER BY position, id) f",
)
STAGES = sql.rows(
    "id, pipeline_id, name, description, position",
    "(SELECT s.* FROM pipelines p JOIN stages s"
    " ON s.workspace_id = p.workspace_id AND s.pipeline_id = p.id"
    " WHERE p.workspace_id = :workspace_id ORDER BY p.position, p.id, s.position, s.id) f",
)
_OF_PIPELINE = "id name position"
_OF_STAGE = "id pipeline_id name description position"
_ADD_PIPELINES = sql.insert("pipelines", _OF_PIPELINE)
_ADD_STAGES = sql.insert("stages", _OF_STAGE)
_CHANGE_PIPELINES = sql.update("pipelines", _OF_PIPELINE, "name position")
_CHANGE_STAGES = sql.update("stages", _OF_STAGE, "name description position")
_DELETE_PIPELINES = "DELETE FROM pipelines WHERE workspace_id = :workspace_id AND id @in(ids int)"
_DELETE_STAGES = "DELETE FROM stages WHERE workspace_id = :workspace_id AND id @in(ids int)"
_IN_USE = sql.rows(
    "j.value",
    "@list(ids int) j WHERE EXISTS (SELECT 1 FROM deals d"
    " WHERE d.workspace_id = :workspace_id AND d.stage_id = j.value)",
)
_MOVE = (
    "UPDATE deals @by(deals_stage)"
    " SET stage_id = :stage_id, pipeline_id = :pipeline_id, updated_at = :at"
    " WHERE workspace_id = :workspace_id AND stage_id = :from_id"
)


def every(reader: Reader, workspace_id: int) -> list[Pipeline]:
    """Return the pipelines of a workspace in their order."""
    return [Pipeline(*row) for row in reader.rows(_PIPELINES, workspace_id=workspace_id)]


def stages(reader: Reader, workspace_id: int) -> list[Stage]:
    """Return all stages of a workspace in the order of their pipelines and positions."""
    return [Stage(*row) for row in reader.rows(STAGES, workspace_id=workspace_id)]


def board(reader: Reader, workspace_id: int) -> Board:
    """Return the pipelines of a workspace with their stages."""
    return Board(tuple(every(reader, workspace_id)), tuple(stages(reader, workspace_id)))


def save(tx: Tx, workspace_id: int, before: Board, after: Board) -> None:
    """Write what is different between two states of the pipelines of a workspace."""
    new_pipelines, changed_pipelines = _apart(before.pipelines, after.pipelines)
    new_stages, changed_stages = _apart(before.stages, after.stages)
    for statement, rows in (
        (_ADD_PIPELINES, [_pipeline(each) for each in new_pipelines]),
        (_CHANGE_PIPELINES, [_pipeline(each) for each in changed_pipelines]),
        (_ADD_STAGES, [_stage(each) for each in new_stages]),
        (_CHANGE_STAGES, [_stage(each) for each in changed_stages]),
    ):
        if rows:
            tx.run(statement, workspace_id=workspace_id, rows=rows)
    for statement, gone in (
        (_DELETE_STAGES, _ids(before.stages) - _ids(after.stages)),
        (_DELETE_PIPELINES, _ids(before.pipelines) - _ids(after.pipelines)),
    ):
        if gone:
            tx.run(statement, workspace_id=workspace_id, ids=sorted(gone))


def in_use(reader: Reader, workspace_id: int, stage_ids: Collection[int]) -> set[int]:
    """Return those of the stages that a deal stands in."""
    if not stage_ids:
        return set()
    found = reader.rows(_IN_USE, workspace_id=workspace_id, ids=list(stage_ids))
    return {stage_id for [stage_id] in found}


def move_deals(tx: Tx, workspace_id: int, stage_id: int, to: Stage, at: datetime) -> None:
    """Put all deals of a stage into another one."""
    tx.run(
        _MOVE,
        workspace_id=workspace_id,
        from_id=stage_id,
        stage_id=to.id,
        pipeline_id=to.pipeline_id,
        at=clock.to_micros(at),
    )


def _apart(before: Iterable[Any], after: Iterable[Any]) -> tuple[list[Any], list[Any]]:
    """What is new, and what differs from what it was."""
    known = {each.id: each for each in before}
    new = [each for each in after if each.id not in known]
    return new, [each for each in after if known.get(each.id, each) != each]


def _ids(things: Iterable[Pipeline | Stage]) -> set[int]:
    return {each.id for each in things}


def _pipeline(each: Pipeline) -> list[Any]:
    return [each.id, each.name, each.position]


def _stage(each: Stage) -> list[Any]:
    return [each.id, each.pipeline_id, each.name, each.description, each.position]
