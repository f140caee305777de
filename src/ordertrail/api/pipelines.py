"""Pipelines and stages: where deals live."""

from typing import Any

from ordertrail.actions import pipelines
from ordertrail.api.call import Answer, Call, paged
from ordertrail.api.route import OWN, PUBLIC, Route
from ordertrail.api.writes import simple
from ordertrail.domain.pipeline import Pipeline, Stage
from ordertrail.kit.paging import Page
from ordertrail.wire import pipelines as wire
from ordertrail.wire.shapes import DeletedShown, page_of


async def list_pipelines(call: Call) -> Answer:
    """Answer with the pipelines, in their order."""
    found = (await call.read(lambda r: pipelines.board(r, call.workspace_id))).pipelines
    return paged(call, Page(found, len(found), None), wire.encode_pipeline)


async def list_stages(call: Call) -> Answer:
    """Answer with all stages, in the order of their pipelines."""
    found = (await call.read(lambda r: pipelines.board(r, call.workspace_id))).stages
    return paged(call, Page(found, len(found), None), wire.encode_stage)


def _add_pipeline(call: Call) -> pipelines.AddPipeline:
    return pipelines.AddPipeline(wire.decode_pipeline(call.body()), call.author)


def _add_stage(call: Call) -> pipelines.AddStage:
    return pipelines.AddStage(*wire.decode_stage(call.body()), call.author)


def _rename(call: Call) -> pipelines.RenamePipeline:
    return pipelines.RenamePipeline(
        call.path_number("id"), wire.decode_pipeline(call.body()), call.author
    )


def _order(call: Call) -> pipelines.OrderStages:
    return pipelines.OrderStages(
        call.path_number("id"), wire.decode_order(call.body()), call.author
    )


def _describe(call: Call) -> pipelines.ChangeStage:
    return pipelines.ChangeStage(
        call.path_number("id"), *wire.decode_description(call.body()), call.author
    )


def _remove(call: Call) -> pipelines.RemovePipeline:
    return pipelines.RemovePipeline(call.path_number("id"), call.author)


def _remove_stage(call: Call) -> pipelines.RemoveStage:
    sent = call.body() if call.raw_body else {"move_to": call.query("move_to")}
    return pipelines.RemoveStage(call.path_number("id"), wire.decode_removal(sent), call.author)


def _stage_removed(done: pipelines.Removed) -> Answer:
    return Answer({"id": done.stage.id, "deleted": True, "moved": done.moved})


def _pipeline(status: int) -> Any:
    return lambda done: Answer(wire.encode_pipeline(done), status)


def _stage(status: int) -> Any:
    return lambda done: Answer(wire.encode_stage(done), status)


def _stages(done: tuple[Stage, ...]) -> Answer:
    return Answer([wire.encode_stage(each) for each in done])


def _removed(done: Pipeline) -> Answer:
    return Answer({"id": done.id, "deleted": True})


_PIPELINE = f"{OWN}/pipelines/{{id}}"
_STAGE = f"{OWN}/stages/{{id}}"

ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        f"{PUBLIC}/pipelines/",
        list_pipelines,
        "the pipelines",
        gives=page_of(wire.PipelineShown),
    ),
    Route(
        "POST",
        f"{PUBLIC}/pipelines/",
        simple(_add_pipeline, pipelines.arrange, _pipeline(201)),
        "add a pipeline",
        wire.PipelineSent,
        wire.PipelineShown,
        status=201,
    ),
    Route(
        "PUT",
        f"{_PIPELINE}/",
        simple(_rename, pipelines.arrange, _pipeline(200)),
        "rename a pipeline",
        wire.PipelineSent,
        wire.PipelineShown,
    ),
    Route(
        "PUT",
        f"{_PIPELINE}/order/",
        simple(_order, pipelines.arrange, _stages),
        "put the stages of a pipeline in order",
        wire.OrderSent,
        list[wire.StageShown],
    ),
    Route(
        "DELETE",
        f"{_PIPELINE}/",
        simple(_remove, pipelines.arrange, _removed),
        "remove a pipeline that no deal stands in, with its stages",
        gives=DeletedShown,
    ),
    Route(
        "GET",
        f"{PUBLIC}/stages/",
        list_stages,
        "the stages with their ids",
        gives=page_of(wire.StageShown),
    ),
    Route(
        "POST",
        f"{PUBLIC}/stages/",
        simple(_add_stage, pipelines.arrange, _stage(201)),
        "add a stage at the end of a pipeline",
        wire.StageSent,
        wire.StageShown,
        status=201,
    ),
    Route(
        "PUT",
        f"{_STAGE}/",
        simple(_describe, pipelines.arrange, _stage(200)),
        "describe a stage anew",
        wire.StageDescribed,
        wire.StageShown,
    ),
    Route(
        "DELETE",
        f"{_STAGE}/",
        simple(_remove_stage, pipelines.remove_stages, _stage_removed),
        "remove a stage, and move its deals to another one",
        wire.StageRemoval,
        wire.StageRemoved,
        queries=("move_to",),
        may_lack_body=True,
    ),
)
