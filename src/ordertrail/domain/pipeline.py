"""Pipelines and their stages: where deals live."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from ordertrail.domain.errors import Conflict, Invalid, unknown

PIPELINES_MAX = 100
STAGES_MAX = 200
"""How many stages one pipeline may have."""

NAME_LENGTH_MAX = 100
DESCRIPTION_LENGTH_MAX = 1_000


@dataclass(frozen=True, slots=True)
class Stage:
    """One column of a pipeline; `position` orders the stages of one pipeline."""

    id: int
    pipeline_id: int
    name: str
    description: str = ""
    position: int = 0


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A named row of stages."""

    id: int
    name: str
    position: int = 0


ORDERS = Pipeline(1, "Orders")
ORDER_STAGES = (
    Stage(1, 1, "New order", "The order was placed", 0),
    Stage(2, 1, "Order fulfilled", "The order was sent or handed over", 1),
    Stage(3, 1, "Order cancelled/returned", "The order was called off or came back whole", 2),
)
"""What a fresh workspace begins with; clients in the field rely on the ids 1, 2 and 3."""


@dataclass(frozen=True, slots=True)
class StageChange:
    """A deal came to a stage, and left it for another one; `left_at` is None while it is there.

    `id` is the change's number in the journal, `stage_name` what a stage that is no more was called
    last, None where the journal does not say.
    """

    id: int
    stage_id: int
    stage_name: str | None
    changed_by: str | None
    entered_at: datetime
    left_at: datetime | None


@dataclass(frozen=True, slots=True)
class KnownStages:
    """All stages of a workspace, by id, in the order of their pipelines and positions."""

    by_id: Mapping[int, Stage]

    def first(self, pipeline_id: int | None = None) -> Stage:
        """Return the first stage of a pipeline, or of all; raises Invalid when there is none."""
        for stage in self.by_id.values():
            if pipeline_id in (None, stage.pipeline_id):
                return stage
        raise Invalid({"pipeline": f"no pipeline {pipeline_id} with a stage in this workspace"})

    def named(self, stage_id: int, pipeline_id: int | None = None) -> Stage:
        """Return the stage, or raise Invalid saying which ids there are."""
        stage = self.by_id.get(stage_id)
        if stage is None:
            known = ", ".join(f"{each.id} {each.name}" for each in list(self.by_id.values())[:20])
            raise Invalid({"stage": f"no stage {stage_id} in this workspace; there are: {known}"})
        if pipeline_id not in (None, stage.pipeline_id):
            raise Invalid(
                {"stage": f"stage {stage_id} is of pipeline {stage.pipeline_id}, not {pipeline_id}"}
            )
        return stage


@dataclass(frozen=True, slots=True)
class Board:
    """All pipelines of a workspace and all their stages, in order; what changes it makes another.

    The stages of a pipeline are numbered from 0 on. There is always a stage for a deal to begin in.
    """

    pipelines: tuple[Pipeline, ...]
    stages: tuple[Stage, ...]

    def pipeline(self, pipeline_id: int) -> Pipeline:
        """Return the pipeline with this id, or raise NotFound."""
        for pipeline in self.pipelines:
            if pipeline.id == pipeline_id:
                return pipeline
        raise unknown("pipeline", pipeline_id)

    def stage(self, stage_id: int) -> Stage:
        """Return the stage with this id, or raise NotFound."""
        for stage in self.stages:
            if stage.id == stage_id:
                return stage
        raise unknown("stage", stage_id)

    def stages_of(self, pipeline_id: int) -> tuple[Stage, ...]:
        """Return the stages of a pipeline in their order."""
        return tuple(stage for stage in self.stages if stage.pipeline_id == pipeline_id)

    def with_pipeline(self, pipeline_id: int, name: str) -> "Board":
        """Return the board with one more pipeline, the last; raises Conflict when it is full."""
        if len(self.pipelines) >= PIPELINES_MAX:
            raise Conflict(f"a workspace has at most {PIPELINES_MAX} pipelines")
        position = 1 + max((each.position for each in self.pipelines), default=-1)
        return replace(self, pipelines=(*self.pipelines, Pipeline(pipeline_id, name, position)))

    def with_stage(self, stage: Stage) -> "Board":
        """Return the board with one more stage, the last of its pipeline.

        Raises Invalid for a pipeline that is not there, Conflict when it is full.
        """
        if all(each.id != stage.pipeline_id for each in self.pipelines):
            known = ", ".join(f"{each.id} {each.name}" for each in self.pipelines[:20])
            said = f"no pipeline {stage.pipeline_id} in this workspace; there are: {known}"
            raise Invalid({"pipeline": said})
        before = self.stages_of(stage.pipeline_id)
        if len(before) >= STAGES_MAX:
            raise Conflict(f"a pipeline has at most {STAGES_MAX} stages")
        return self._with_stages(stage.pipeline_id, (*before, stage))

    def renamed(self, pipeline_id: int, name: str) -> "Board":
        """Return the board with another name of a pipeline; raises NotFound."""
        other = replace(self.pipeline(pipeline_id), name=name)
        return replace(
            self, pipelines=tuple(other if p.id == pipeline_id else p for p in self.pipelines)
        )

    def described(self, stage_id: int, name: str | None, description: str | None) -> "Board":
        """Return the board with a stage described anew, where it is said; raises NotFound."""
        stage = self.stage(stage_id)
        other = replace(
            stage,
            name=stage.name if name is None else name,
            description=stage.description if description is None else description,
        )
        return replace(self, stages=tuple(other if s.id == stage_id else s for s in self.stages))

    def ordered(self, pipeline_id: int, stage_ids: Sequence[int]) -> "Board":
        """Return the board with the stages of a pipeline in this order.

        Raises NotFound, or Invalid unless all of its stages are named, each once.
        """
        self.pipeline(pipeline_id)
        known = {stage.id: stage for stage in self.stages_of(pipeline_id)}
        if sorted(stage_ids) != sorted(known):
            wanted = ", ".join(map(str, known)) or "none"
            raise Invalid({"stages": f"must be all stages of the pipeline, each once: {wanted}"})
        return self._with_stages(pipeline_id, [known[each] for each in stage_ids])

    def without_stage(self, stage_id: int) -> "Board":
        """Return the board without a stage; raises NotFound, or Conflict for the last there is."""
        stage = self.stage(stage_id)
        rest = [each for each in self.stages_of(stage.pipeline_id) if each.id != stage_id]
        return self._with_stages(stage.pipeline_id, rest)

    def without_pipeline(self, pipeline_id: int) -> "Board":
        """Return the board without a pipeline and its stages.

        Raises NotFound, or Conflict when no other pipeline has a stage.
        """
        self.pipeline(pipeline_id)
        board = self._with_stages(pipeline_id, ())
        rest = tuple(each for each in self.pipelines if each.id != pipeline_id)
        return replace(board, pipelines=rest)

    def _with_stages(self, pipeline_id: int, stages: Sequence[Stage]) -> "Board":
        other = [stage for stage in self.stages if stage.pipeline_id != pipeline_id]
        if not other and not stages:
            raise Conflict("a workspace keeps one stage at least: deals begin in it")
        placed = [replace(stage, position=place) for place, stage in enumerate(stages)]
        return replace(self, stages=(*other, *placed))
