"""Pipelines and their stages: where deals live."""

from collections.abc import Mapping
from dataclasses import dataclass

from ordertrail.domain.errors import Invalid


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
