"""Preflight: stages, pipelines and clocks, as tables; and asked of an endpoint."""

import asyncio
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from sync_worker import QUICK, TOKEN

from ordertrail.client.answers import About
from ordertrail.client.client import Client
from ordertrail.client.exchange import Answer, Request
from ordertrail.domain.errors import Forbidden, Invalid, Refused, Unauthorised
from ordertrail.kit import json
from ordertrail.sync.asking import Alone, Asker
from ordertrail.sync.preflight import (
    STAGES_SHOWN,
    Preflight,
    Stage,
    check_skew,
    check_stages,
    look,
    skew_s,
    wanted_stages,
)
from ordertrail.sync.rules import Flow, FlowName, Milestone, Place, Stages
from ordertrail.sync.worker import There

NOW = datetime(2026, 3, 1, 10, 0, tzinfo=UTC)
SIMPLE = FlowName.SIMPLE
KNOWN = [Stage(1, "New", 1), Stage(2, "Won", 1), Stage(3, "Lost", 1), Stage(9, "Old", 4)]
OURS = There("workspace:w", About("Ordertrail", "1", "w"))
THEIRS = There("https://acme.user.com", None)


@pytest.mark.parametrize(
    ("flow", "wanted"),
    [
        (Flow(), {"placed": 1, "fulfilled": 2, "cancelled": 3}),
        (Flow(name=SIMPLE, stages=Stages(7, 8, 9)), {"placed": 7}),
        (
            Flow(name=SIMPLE, sync_point=Milestone.FULFILLED, stages=Stages(7, 8, 9)),
            {"fulfilled": 8},
        ),
        (
            Flow(statuses={"paid": Place(11)}),
            {"placed": 1, "fulfilled": 2, "cancelled": 3, "status 'paid'": 11},
        ),
    ],
)
def test_only_stages_that_the_flow_may_name_are_wanted(flow: Flow, wanted: dict[str, int]) -> None:
    assert wanted_stages(flow) == wanted


@pytest.mark.parametrize(
    ("stages", "pipelines"), [(Stages(1, 2, 3), [1]), (Stages(1, 2, 9), [1, 4]), (Stages(), [1])]
)
def test_stages_that_are_there_tell_their_pipelines(stages: Stages, pipelines: list[int]) -> None:
    assert check_stages(Flow(stages=stages), KNOWN) == pipelines


@pytest.mark.parametrize(
    ("flow", "known", "wrong"),
    [
        (Flow(stages=Stages(1, 2, 7)), KNOWN, {"stages, cancelled"}),
        (Flow(stages=Stages(5, 6, 7)), KNOWN, {f"stages, {each}" for each in Milestone}),
        (Flow(statuses={"paid": Place(5)}), KNOWN, {"stages, status 'paid'"}),
        (Flow(), [], {f"stages, {each}" for each in Milestone}),
    ],
)
def test_stages_that_are_not_are_named_with_those_that_are(
    flow: Flow, known: list[Stage], wrong: set[str]
) -> None:
    with pytest.raises(Invalid) as told:
        check_stages(flow, known)
    assert told.value.fields.keys() == wrong | {"there are"}
    there_are = "1 New, 2 Won, 3 Lost, 9 Old" if known else "none: make a pipeline with stages"
    assert told.value.fields["there are"] == there_are


def test_of_very_many_stages_some_are_named() -> None:
    with pytest.raises(Invalid) as told:
        check_stages(Flow(), [Stage(n, "Stage", 1) for n in range(100, 300)])
    assert told.value.fields["there are"].count("Stage") == STAGES_SHOWN


@pytest.mark.parametrize(
    ("told", "ahead_s"),
    [
        (None, None),
        ("", None),
        ("yesterday", None),
        ("Sun, 01 Mar 2026 10:00:00", None),
        ("Sun, 01 Mar 2026 10:00:00 -0000", None),
        ("Sun, 01 Mar 2026 10:00:00 GMT", 0.0),
        ("Sun, 01 Mar 2026 10:00:01 GMT", 0.0),
        ("Sun, 01 Mar 2026 09:59:59 GMT", 0.0),
        ("Sun, 01 Mar 2026 10:01:00 GMT", 60.0),
        ("Sun, 01 Mar 2026 11:00:00 +0100", 0.0),
        ("Sun, 01 Mar 2026 09:00:00 GMT", -3600.0),
        ("Sun, 01 Mar 20260 09:00:00 GMT", None),
        ("Sun, 01 Mar 99999999999999999999 09:00:00 GMT", None),
    ],
)
def test_by_how_much_the_clock_of_an_endpoint_is_ahead(
    told: str | None, ahead_s: float | None
) -> None:
    assert skew_s(told, NOW) == ahead_s


@pytest.mark.parametrize("seconds", [None, 0.0, 5.0, -5.0])
def test_clocks_that_hardly_differ_are_no_matter(seconds: float | None) -> None:
    assert check_skew(seconds) == []


@pytest.mark.parametrize(("seconds", "side"), [(6.0, "ahead of"), (-300.0, "behind")])
def test_clocks_that_differ_are_told(seconds: float, side: str) -> None:
    [told] = check_skew(seconds)
    assert told == f"the destination's clock is {abs(seconds):.0f} s {side} this machine's"


@pytest.mark.parametrize("seconds", [301.0, -4000.0])
def test_clocks_that_differ_much_stop_the_sync(seconds: float) -> None:
    with pytest.raises(Refused, match="set this machine's clock right"):
        check_skew(seconds)


# ---- asked of an endpoint ----


def looked(
    answer: Answer, who: There = OURS, *, flow: Flow | None = None, now: datetime = NOW
) -> Preflight:
    """Look at an endpoint that gives one answer to everything."""

    async def exchange(_request: Request) -> Answer:
        return answer

    async def ask() -> Preflight:
        async with Client("http://there", TOKEN, exchange=exchange) as client:
            asker = Asker(client, who, QUICK, Alone())
            return await look(asker, flow or Flow(), who, now=lambda: now)

    return asyncio.run(ask())


def answered(status: int, said: Any, date: datetime | None = None) -> Answer:
    told = None if date is None else format_datetime(date, usegmt=True)
    return Answer(status, json.dumps(said).encode(), date=told)


def stages(*known: Stage) -> list[dict[str, Any]]:
    return [{"id": each.id, "name": each.name, "pipeline": each.pipeline} for each in known]


def test_an_endpoint_where_all_is_well() -> None:
    found = looked(answered(200, stages(*KNOWN), NOW))
    assert found == Preflight(True, 1, None, 0.0, [])
    assert str(found) == "an Ordertrail platform, stages of pipeline 1, no limit"


def test_another_endpoint_has_a_limit_and_may_tell_no_stages() -> None:
    found = looked(answered(404, {}), THEIRS)
    assert (found.is_ours, found.pipeline, found.skew_s) == (False, None, None)
    assert found.warnings == ["the destination does not tell its stages: they are not checked"]
    assert str(found) == "not an Ordertrail platform, no limit"


def test_stages_of_several_pipelines_are_told() -> None:
    found = looked(answered(200, stages(*KNOWN)), flow=Flow(stages=Stages(1, 2, 9)))
    assert found.pipeline is None
    assert found.warnings == ["the stages belong to several pipelines: 1 to 1, 2 to 1, 9 to 4"]


def test_what_is_no_stage_in_the_answer_is_passed_over() -> None:
    said = [*stages(*KNOWN), None, "stage", {"name": "nameless"}, {"id": "4"}]
    assert looked(answered(200, said)).pipeline == 1


def test_a_key_that_may_only_write_can_sync_all_the_same() -> None:
    found = looked(answered(403, {}))
    assert found.warnings == ["the key may not read: the stages are not checked"]
    with pytest.raises(Forbidden, match="--no-preflight"):
        looked(answered(403, {}), THEIRS)


def test_a_key_that_is_refused_and_a_clock_that_is_wrong_stop_it() -> None:
    with pytest.raises(Unauthorised):
        looked(answered(401, {}))
    with pytest.raises(Refused, match="3,600 s ahead of"):
        looked(answered(200, stages(*KNOWN), NOW + timedelta(hours=1)))
