"""What this platform keeps none of is told as nothing, in the shape that readers know."""

import pytest

from served import Served


@pytest.mark.parametrize("path", ["activities", "activity-types"])
def test_a_list_of_what_is_not_kept_is_an_empty_page(
    platform: Served, token: str, path: str
) -> None:
    reply = platform.call(token, "GET", f"/api/public/{path}/")
    assert (reply.status, reply.json) == (
        200,
        {"count": 0, "next": None, "previous": None, "results": []},
    )


def test_nobody_is_an_agent(platform: Served, token: str) -> None:
    reply = platform.call(token, "GET", "/api/public/application/")
    assert (reply.status, reply.json) == (200, {"owner": None, "agents": []})
