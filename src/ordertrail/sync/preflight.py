"""Preflight: what must hold before the first write, asked of the destination in a few reads."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

from ordertrail.client import calls
from ordertrail.client.client import Client
from ordertrail.domain.errors import Invalid, NotFound, Refused
from ordertrail.sync.rules import Flow
from ordertrail.sync.worker import There

SKEW_TOLD_S = 5.0
SKEW_MAX_S = 300.0
PAGES_MAX = 20


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


def wanted_stages(flow: Flow) -> dict[str, int]:
    """Return the stages that a flow may name, by what they are for."""
    of_flow = {name: getattr(flow.stages, name) for name in ("placed", "fulfilled", "cancelled")}
    of_statuses = {f"status {word!r}": place.stage for word, place in flow.statuses.items()}
    return of_flow | of_statuses


def check_stages(flow: Flow, known: list[Stage]) -> int | None:
    """Return the pipeline of the flow's stages; None when they belong to several.

    Raises Invalid, naming those that there are, for stages that the destination does not have.
    """
    by_id = {stage.id: stage for stage in known}
    wrong = {
        f"stages, {what}": f"the destination has no stage {number}"
        for what, number in wanted_stages(flow).items()
        if number not in by_id
    }
    if wrong:
        there_are = ", ".join(f"{stage.id} {stage.name}" for stage in known[:40])
        raise Invalid({**wrong, "there are": there_are or "none: make a pipeline with stages"})
    pipelines = {by_id[number].pipeline for number in wanted_stages(flow).values()}
    return pipelines.pop() if len(pipelines) == 1 else None


def skew_s(told: str | None, now: datetime) -> float | None:
    """Return by how many seconds the clock of a Date header is ahead, if by more than one."""
    try:
        at = parsedate_to_datetime(told or "")
    except ValueError:
        return None
    if at.tzinfo is None:
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


async def look(
    client: Client,
    flow: Flow,
    who: There,
    *,
    now: Callable[[], datetime],
    limit_per_s: float | None,
) -> Preflight:
    """Ask the destination what must hold; raises Invalid or Refused where it does not."""
    warnings: list[str] = []
    pipeline = None
    try:
        known = [stage async for stage in _stages(client)]
        pipeline = check_stages(flow, known)
        if pipeline is None:
            warnings.append("the stages belong to several pipelines")
    except NotFound:
        warnings.append("the destination does not tell its stages: they are not checked")
    ahead_s = skew_s(client.date, now())
    warnings += check_skew(ahead_s)
    is_ours = who.about is not None
    return Preflight(is_ours, pipeline, who.limit_per_s(limit_per_s), ahead_s, warnings)


async def _stages(client: Client) -> Any:
    async for page in client.pages(calls.list_stages(), PAGES_MAX):
        for each in page:
            if isinstance(each, dict) and isinstance(each.get("id"), int):
                yield Stage(each["id"], str(each.get("name", "")), each.get("pipeline"))
