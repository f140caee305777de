"""Pipelines and stages on the wire."""

from typing import Any, Required, TypedDict

from ordertrail.domain.errors import Invalid
from ordertrail.domain.pipeline import (
    DESCRIPTION_LENGTH_MAX,
    NAME_LENGTH_MAX,
    STAGES_MAX,
    Pipeline,
    Stage,
)
from ordertrail.wire import body
from ordertrail.wire.shapes import DeletedShown


class PipelineShown(TypedDict):
    """A pipeline."""

    id: int
    name: str


class PipelineSent(TypedDict):
    """A pipeline as it is to be called."""

    name: str


class StageShown(TypedDict):
    """A stage; `order` is its place in its pipeline."""

    id: int
    name: str
    description: str
    pipeline: int
    order: int


class StageSent(TypedDict, total=False):
    """A stage of a pipeline."""

    pipeline: Required[int | str]
    name: Required[str]
    description: str | None


class StageDescribed(TypedDict, total=False):
    """What is to be different about a stage."""

    name: str | None
    description: str | None


class OrderSent(TypedDict):
    """All stages of a pipeline in the order that they are to have."""

    stages: list[int | str]


class StageRemoval(TypedDict, total=False):
    """The stage that the deals go to."""

    move_to: int | str | None


class StageRemoved(DeletedShown):
    """The id of the stage that is gone, and how many deals were moved."""

    moved: int


def decode_pipeline(sent: dict[str, Any]) -> str:
    """Read what a pipeline is called."""
    known = body.fields(sent, {"name": _name})
    body.require(known, _CALLED)
    return str(known["name"])


def decode_stage(sent: dict[str, Any]) -> tuple[int, str, str]:
    """Read the pipeline of a new stage, its name and its description."""
    known = body.fields(sent, {"pipeline": body.whole, **_DESCRIBED})
    body.require(known, {"pipeline": "the id of its pipeline", **_CALLED})
    return known["pipeline"], known["name"], known.get("description", "")


def decode_description(sent: dict[str, Any]) -> tuple[str | None, str | None]:
    """Read the name and the description that a stage gets; None for what stays."""
    known = body.fields(sent, _DESCRIBED)
    return known.get("name"), known.get("description")


def decode_order(sent: dict[str, Any]) -> tuple[int, ...]:
    """Read the ids of stages in their order."""
    reader = {"stages": body.many(body.whole, STAGES_MAX)}
    known = body.fields(sent, reader)
    body.require(known, {"stages": "the ids of all stages of the pipeline, in their order"})
    return tuple(known["stages"])


def decode_removal(sent: dict[str, Any]) -> int | None:
    """Read the id of the stage that deals go to, if one is named."""
    return body.fields(sent, {"move_to": body.whole}).get("move_to")


def encode_pipeline(pipeline: Pipeline) -> dict[str, Any]:
    """Return a pipeline as the API shows it."""
    return {"id": pipeline.id, "name": pipeline.name}


def encode_stage(stage: Stage) -> dict[str, Any]:
    """Return a stage as the API shows it."""
    return {
        "id": stage.id,
        "name": stage.name,
        "description": stage.description,
        "pipeline": stage.pipeline_id,
        "order": stage.position,
    }


def _name(field: str, value: object) -> str:
    trimmed = value.strip() if isinstance(value, str) else value
    return str(body.text(NAME_LENGTH_MAX)(field, trimmed))


def _description(field: str, value: object) -> str:
    if not isinstance(value, str) or len(value) > DESCRIPTION_LENGTH_MAX:
        raise Invalid({field: f"must be text of at most {DESCRIPTION_LENGTH_MAX} characters"})
    return value


_CALLED = {"name": "what it is called"}
_DESCRIBED: dict[str, body.Read] = {"name": _name, "description": _description}
