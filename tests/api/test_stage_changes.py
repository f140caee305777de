"""A deal's stages are read from its history, the first of them included, page by page."""

from typing import Any

import pytest

from asgi import Request
from served import Served

PUBLIC, OWN = "/api/public", "/api/ordertrail/v1"
DEALS = f"{PUBLIC}/deals/update_or_create/"
PATHS = [f"{PUBLIC}/deals/1/stage-changes/", f"{PUBLIC}/deals-by-id/D/stage-changes/"]


def send(platform: Served, token: str, *bodies: dict[str, Any]) -> None:
    for body in bodies:
        told = {"custom_id": "D", **body}
        assert platform.call(token, "POST", DEALS, told).status == 200


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("accept", ["*/*", "*/*; version=2"])
def test_each_stage_is_told_with_when_it_was_entered_and_left(
    platform: Served, token: str, path: str, accept: str
) -> None:
    moves = [{"name": "Order"}, {"stage": 2}, {"note": "x"}, {"stage": 2}, {"stage": 3}]
    send(platform, token, *moves, {"note": "y", "stage": 3})
    told = platform.call(token, "GET", path, headers={"Accept": accept}).json
    assert (told["count"], told["next"], told["previous"]) == (3, None, None)
    newest, second, first = told["results"]
    assert [each["stage"] for each in (newest, second, first)] == [3, 2, 1]
    assert second["stage_name"] == "Order fulfilled"
    assert (newest["deal"], newest["changed_by"]) == ("Order", "test")
    assert newest["left_at"] is None
    assert (second["left_at"], first["left_at"]) == (newest["entered_at"], second["entered_at"])
    assert newest["id"] > second["id"] > first["id"]


def test_a_stage_that_is_no_more_is_told_as_it_was_called_last(
    platform: Served, token: str
) -> None:
    send(platform, token, {"stage": 3}, {"stage": 1}, {"stage": 3}, {"stage": 2})
    renamed = platform.call(token, "PUT", f"{OWN}/stages/3/", {"name": "Came back"})
    assert renamed.status == 200, renamed.text
    assert platform.call(token, "DELETE", f"{OWN}/stages/1/", {"move_to": 2}).status == 200
    assert platform.call(token, "DELETE", f"{OWN}/stages/3/").status == 200
    for query in ("", "?count_from=1&count_to=4"):
        told = platform.call(token, "GET", f"{PATHS[0]}{query}").json["results"]
        assert [(each["stage"], each["stage_name"]) for each in told] == [
            (2, "Order fulfilled"),
            (3, "Came back"),
            (1, "New order"),
            (3, "Came back"),
        ]


def test_a_stage_of_which_the_journal_tells_nothing_has_no_name(
    platform: Served, token: str
) -> None:
    send(platform, token, {"stage": 3}, {"stage": 2})
    platform.database.write(lambda tx: tx.run("DELETE FROM stages WHERE id = 3"))
    told = platform.call(token, "GET", PATHS[0]).json["results"]
    assert [each["stage_name"] for each in told] == ["Order fulfilled", None]


@pytest.fixture
def busy(platform: Served, token: str) -> Served:
    """A platform with a deal that was moved 250 times, and said other things in between."""
    headers = {"Authorization": f"Token {token}", "Accept": "*/*; version=2"}
    bodies = [{"custom_id": "D", "stage": 1 + n % 2, "note": n} for n in range(250)]
    quiet = [{"custom_id": "D", "note": -n} for n in range(250)]
    asked = [
        Request("POST", DEALS, headers, json=body)
        for pair in zip(bodies, quiet, strict=True)
        for body in pair
    ]
    for start in range(0, len(asked), 50):
        replies = platform.caller.together(asked[start : start + 50])
        assert {reply.status for reply in replies} == {200}
    return platform


def test_many_stages_are_paged_there_and_back(busy: Served, token: str) -> None:
    target: str | None = PATHS[0]
    pages: list[dict[str, Any]] = []
    while target:
        pages.append(busy.call(token, "GET", target.removeprefix("http://shop.test")).json)
        target = pages[-1]["next"]
    assert [len(each["results"]) for each in pages] == [100, 100, 50]
    assert {each["count"] for each in pages} == {250}
    every = [each for page in pages for each in page["results"]]
    assert [each["stage"] for each in every] == [2, 1] * 125
    assert [each["left_at"] for each in every[1:]] == [each["entered_at"] for each in every[:-1]]
    back = busy.call(token, "GET", pages[1]["previous"].removeprefix("http://shop.test")).json
    assert back["results"] == pages[0]["results"]


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("count_from=1&count_to=3", (0, 3)),
        ("count_to=3", (0, 3)),
        ("count_from=101", (100, 200)),
        ("count_from=50&count_to=120", (49, 120)),
        ("count_from=249&count_to=260", (248, 250)),
        ("count_from=251", (250, 250)),
    ],
)
def test_stages_are_counted_out_from_the_newest(
    busy: Served, token: str, query: str, wanted: tuple[int, int]
) -> None:
    first = busy.call(token, "GET", PATHS[0]).json
    second = busy.call(token, "GET", first["next"].removeprefix("http://shop.test")).json
    third = busy.call(token, "GET", second["next"].removeprefix("http://shop.test")).json
    every = [each for page in (first, second, third) for each in page["results"]]
    told = busy.call(token, "GET", f"{PATHS[0]}?{query}").json
    assert told["results"] == every[slice(*wanted)]
    assert told["count"] == 250
    assert (told["next"] is None) is (wanted[1] == 250)
    assert (told["previous"] is None) is (wanted[0] == 0)
    if told["next"]:
        following = busy.call(token, "GET", told["next"].removeprefix("http://shop.test")).json
        assert following["results"][0] == every[wanted[1]]
    if told["previous"]:
        before = busy.call(token, "GET", told["previous"].removeprefix("http://shop.test")).json
        assert before["results"][-1] == every[wanted[0] - 1]


def test_the_windows_of_stages_do_not_overlap(busy: Served, token: str) -> None:
    told = busy.call(token, "GET", f"{PATHS[0]}?count_from=2&count_to=3").json
    assert told["previous"].endswith("?count_from=1&count_to=1")
    assert told["next"].endswith("?count_from=4&count_to=5")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("count_from=0", "count_from"),
        ("count_from=x", "count_from"),
        ("count_from=5&count_to=4", "count_to"),
        ("count_to=101", "count_to"),
        ("count_from=9223372036854775807", "count_from"),
        ("cursor=nonsense", "cursor"),
    ],
)
def test_what_cannot_be_counted_out_is_said(
    busy: Served, token: str, query: str, field: str
) -> None:
    reply = busy.call(token, "GET", f"{PATHS[0]}?{query}")
    assert (reply.status, list(reply.json["errors"])) == (400, [field])


@pytest.mark.parametrize("path", PATHS)
def test_the_stages_of_an_unknown_deal_are_not_found(
    platform: Served, token: str, path: str
) -> None:
    assert platform.call(token, "GET", path).status == 404
