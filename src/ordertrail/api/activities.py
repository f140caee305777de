"""Agents, activities and their types, which this platform has none of, as readers ask for them."""

from typing import Any

from ordertrail.api.call import Answer, Call, paged
from ordertrail.api.route import PUBLIC, Route
from ordertrail.kit.paging import Page
from ordertrail.wire import activities as wire
from ordertrail.wire.shapes import page_of


async def application(_call: Call) -> Answer:
    """Answer with who works in the workspace: nobody whom things could be assigned to."""
    return Answer({"owner": None, "agents": []})


async def none(call: Call) -> Answer:
    """Answer with the empty page of what there is none of."""
    call.place()
    return paged(call, _NONE, lambda each: each)


_NONE: Page[dict[str, Any]] = Page((), 0, None)

ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        f"{PUBLIC}/application/",
        application,
        "who works in the workspace; agents are not kept here",
        gives=wire.ApplicationShown,
    ),
    *(
        Route("GET", f"{PUBLIC}/{path}/", none, says, gives=page_of(shape), queries=("cursor",))
        for path, says, shape in (
            ("activities", "tasks and notes; none are kept here", wire.ActivityShown),
            (
                "activity-types",
                "the kinds of activities; there are none here",
                wire.ActivityTypeShown,
            ),
        )
    ),
)
