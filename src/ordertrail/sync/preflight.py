"""Preflight: what must hold before the first write, asked of the destination in a few reads."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import datetime

from ordertrail.client import answers, calls
from ordertrail.domain.errors import Forbidden, Invalid, NotFound, Refused
from ordertrail.sync.asking import Asker
from ordertrail.sync.rules import Flow, Milestone
from ordertrail.sync.worker import There

SKEW_TOLD_S = 5.0
SKEW_MAX_S = 300.0
PAGES_MAX = 20
STAGES_SHOWN = 40


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage of the destination, with the pipeline that it belongs to."""

    id: int
    name: str
    pipeline: int | None


@dataclass(frozen=True, slots=True)
class Preflight:
    """What was found: who answers, the pipeline of the stages, and what somebody should know.

    `skew_s` is by how much the destination's clock is ahead of ours; None when it does not tell.
    """

    is_ours: bool
    pipeline: int | None
    limit_per_s: float | None
    skew_s: float | None
    warnings: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        who = "an Ordertrail platform" if self.is_ours else "not an Ordertrail platform"
        limit = "no limit" if self.limit_per_s is None else f"{self.limit_per_s:g} calls a second"
        pipeline = "" if self.pipeline is None else f", stages of pipeline {self.pipeline}"
        return f"{who}{pipeline}, {limit}"


def wanted_stages(flow: Flow) -> dict[str, int]:
    """Return the stages that a flow may name, by what they are for."""
    if flow.is_simple:
        return {flow.sync_point.value: getattr(flow.stages, flow.sync_point)}
    of_flow = {each.value: getattr(flow.stages, each) for each in Milestone}
    of_statuses = {f"status {word!r}": place.stage for word, place in flow.statuses.items()}
    return of_flow | of_statuses


def check_stages(flow: Flow, known: list[Stage]) -> list[int | None]:
    """Return the pipelines that the flow's stages belong to, each once.

    Raises Invalid, naming those that there are, for stages that the destination does not have.
    """
    by_id = {stage.id: stage for stage in known}
    wrong = {
        f"stages, {what}": f"the destination has no stage {number}"
        for what, number in wanted_stages(flow).items()
        if number not in by_id
    }
    if wrong:
        there_are = ", ".join(f"{stage.id} {stage.name}" for stage in known[:STAGES_SHOWN])
        raise Invalid({**wrong, "there are": there_are or "none: make a pipeline with stages"})
    return list(dict.fromkeys(by_id[number].pipeline for number in wanted_stages(flow).values()))


def skew_s(told: str | None, now: datetime) -> float | None:
    """Return by how many seconds the clock of a Date header is ahead, if by more than one."""
    at = answers.http_date(told or "")
    if at is None or at.tzinfo is None:
        return None
    ahead = (at - now).total_seconds()
    return ahead if abs(ahead) > 1.0 else 0.0


def check_skew(ahead_s: float | None) -> list[str]:
    """Return a warning for clocks that differ; raises Refused when they differ too much."""
    if ahead_s is None or abs(ahead_s) <= SKEW_TOLD_S:
        return []
    side = "ahead of" if ahead_s > 0 else "behind"
    said = f"the destination's clock is {abs(ahead_s):,.0f} s {side} this machine's"
    if abs(ahead_s) > SKEW_MAX_S:
        raise Refused(f"{said}: set this machine's clock right, events would come at wrong times")
    return [said]


async def look(asker: Asker, flow: Flow, who: There, *, now: Callable[[], datetime]) -> Preflight:
    """Ask the destination what must hold; raises Invalid or Refused where it does not.

    A key that is refused is tried again after a short pause, and an endpoint that is busy.
    """
    warnings: list[str] = []
    pipelines: list[int | None] = []
    try:
        known = [stage async for stage in _stages(asker)]
        pipelines = check_stages(flow, known)
        if len(pipelines) > 1:
            warnings.append(f"the stages belong to several pipelines: {_listed(flow, known)}")
    except NotFound:
        warnings.append("the destination does not tell its stages: they are not checked")
    except Forbidden as failure:
        if who.about is None:
            raise Forbidden(f"{failure} (--no-preflight for a key that may only write)") from None
        warnings.append("the key may not read: the stages are not checked")
    ahead_s = skew_s(asker.client.date, now())
    warnings += check_skew(ahead_s)
    pipeline = pipelines[0] if len(pipelines) == 1 else None
    return Preflight(who.about is not None, pipeline, asker.limit_per_s, ahead_s, warnings)


def _listed(flow: Flow, known: list[Stage]) -> str:
    of = {stage.id: stage.pipeline for stage in known}
    return ", ".join(f"{number} to {of[number]}" for number in wanted_stages(flow).values())


async def _stages(asker: Asker) -> AsyncIterator[Stage]:
    async for each in asker.each(calls.list_stages(), PAGES_MAX):
        if isinstance(each, dict) and isinstance(each.get("id"), int):
            yield Stage(each["id"], str(each.get("name", "")), each.get("pipeline"))
