"""Pipelines and stages over the API: made, described, ordered, and removed with care for deals."""

from typing import Any

import pytest

import asgi
from ordertrail.domain.journal import Subject
from ordertrail.store import journal
from served import Served

PUBLIC, OWN = "/api/public", "/api/ordertrail/v1"
DEALS = f"{PUBLIC}/deals/update_or_create/"


class Shop:
    """A workspace and a key to it."""

    def __init__(self, platform: Served, token: str) -> None:
        self.platform, self.token = platform, token

    def call(self, method: str, path: str, body: Any = None, **more: Any) -> asgi.Reply:
        return self.platform.call(self.token, method, path, body, **more)

    def stages(self, pipeline: int = 1) -> list[int]:
        found = self.call("GET", f"{PUBLIC}/stages/").json["results"]
        mine = [each for each in found if each["pipeline"] == pipeline]
        assert [each["order"] for each in mine] == list(range(len(mine)))
        return [each["id"] for each in mine]

    def deal(self, custom_id: str, **more: Any) -> dict[str, Any]:
        reply = self.call("POST", DEALS, {"custom_id": custom_id, "name": "x", **more})
        assert reply.status == 200, reply.text
        return dict(reply.json)

    def place(self, custom_id: str) -> tuple[int, int]:
        deal = self.call("GET", f"{PUBLIC}/deals-by-id/{custom_id}/").json
        return deal["pipeline"], deal["stage"]

    def new_pipeline(self, *stages: str) -> tuple[int, list[int]]:
        pipeline = self.call("POST", f"{PUBLIC}/pipelines/", {"name": "Returns"}).json["id"]
        made = [
            self.call("POST", f"{PUBLIC}/stages/", {"pipeline": pipeline, "name": each}).json["id"]
            for each in stages
        ]
        return pipeline, made


@pytest.fixture
def shop(platform: Served, token: str) -> Shop:
    return Shop(platform, token)


def test_a_pipeline_is_added_and_renamed(shop: Shop) -> None:
    made = shop.call("POST", f"{PUBLIC}/pipelines/", {"name": " Returns "})
    assert (made.status, made.json) == (201, {"id": 2, "name": "Returns"})
    renamed = shop.call("PUT", f"{OWN}/pipelines/2/", {"name": "Back"})
    assert renamed.json == {"id": 2, "name": "Back"}
    listed = shop.call("GET", f"{PUBLIC}/pipelines/").json["results"]
    assert listed == [{"id": 1, "name": "Orders"}, {"id": 2, "name": "Back"}]


@pytest.mark.parametrize("pipeline", [1, "1"])
def test_a_stage_is_added_at_the_end_of_its_pipeline(shop: Shop, pipeline: int | str) -> None:
    body = {"pipeline": pipeline, "name": "Packed", "description": "In its box"}
    made = shop.call("POST", f"{PUBLIC}/stages/", body)
    assert made.status == 201
    assert made.json == {
        "id": 4,
        "name": "Packed",
        "description": "In its box",
        "pipeline": 1,
        "order": 3,
    }
    assert shop.call("GET", f"{PUBLIC}/stages/").json["results"][-1] == made.json
    assert shop.deal("a", stage=4)["stage"] == 4


def test_a_stage_is_described_anew_in_part(shop: Shop) -> None:
    stage = f"{OWN}/stages/2/"
    assert shop.call("PUT", stage, {"name": "Sent"}).json["name"] == "Sent"
    told = shop.call("PUT", stage, {"description": "", "name": None}).json
    assert (told["name"], told["description"], told["order"]) == ("Sent", "", 1)


@pytest.mark.parametrize(
    ("method", "path", "body", "fields"),
    [
        ("POST", f"{PUBLIC}/pipelines/", {}, {"name"}),
        ("POST", f"{PUBLIC}/pipelines/", {"name": " "}, {"name"}),
        ("POST", f"{PUBLIC}/pipelines/", {"name": "x" * 101}, {"name"}),
        ("PUT", f"{OWN}/pipelines/1/", {"name": None}, {"name"}),
        ("PUT", f"{OWN}/pipelines/1/order/", {}, {"stages"}),
        ("PUT", f"{OWN}/pipelines/1/order/", {"stages": [1, 2]}, {"stages"}),
        ("PUT", f"{OWN}/pipelines/1/order/", {"stages": [1, 2, "x"]}, {"stages[2]"}),
        ("POST", f"{PUBLIC}/stages/", {}, {"pipeline", "name"}),
        ("POST", f"{PUBLIC}/stages/", {"pipeline": 9, "name": "x"}, {"pipeline"}),
        ("POST", f"{PUBLIC}/stages/", {"pipeline": 1, "name": ""}, {"name"}),
        ("PUT", f"{OWN}/stages/1/", {"description": "x" * 1_001}, {"description"}),
        ("DELETE", f"{OWN}/stages/1/", {"move_to": 9}, {"move_to"}),
        ("DELETE", f"{OWN}/stages/1/", {"move_to": 1}, {"move_to"}),
    ],
)
def test_what_is_wrong_is_refused_by_field(
    shop: Shop, method: str, path: str, body: dict[str, Any], fields: set[str]
) -> None:
    before = shop.call("GET", f"{PUBLIC}/stages/").json
    reply = shop.call(method, path, body)
    assert reply.status == 400
    assert reply.json["errors"].keys() == fields
    assert shop.call("GET", f"{PUBLIC}/stages/").json == before


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "pipelines/9/", {"name": "x"}),
        ("PUT", "pipelines/9/order/", {"stages": []}),
        ("DELETE", "pipelines/9/", None),
        ("PUT", "stages/9/", {"name": "x"}),
        ("DELETE", "stages/9/", None),
    ],
)
def test_what_is_not_there_is_not_found(shop: Shop, method: str, path: str, body: Any) -> None:
    assert shop.call(method, f"{OWN}/{path}", body).status == 404


def test_stages_are_put_in_order_and_deals_begin_in_the_first(shop: Shop) -> None:
    reply = shop.call("PUT", f"{OWN}/pipelines/1/order/", {"stages": [3, "1", 2]})
    assert [(each["id"], each["order"]) for each in reply.json] == [(3, 0), (1, 1), (2, 2)]
    assert shop.stages() == [3, 1, 2]
    assert shop.deal("a")["stage"] == 3


def test_a_pipeline_goes_when_no_deal_stands_in_it(shop: Shop) -> None:
    pipeline, [stage, _] = shop.new_pipeline("Asked", "Back")
    shop.deal("a", stage=stage)
    assert shop.call("DELETE", f"{OWN}/pipelines/{pipeline}/").status == 409
    shop.deal("a", stage=1)
    assert shop.call("DELETE", f"{OWN}/pipelines/{pipeline}/").json == {
        "id": pipeline,
        "deleted": True,
    }
    assert shop.stages(pipeline) == []
    assert shop.call("DELETE", f"{OWN}/pipelines/1/").status == 409


def test_the_last_stage_there_is_stays(shop: Shop) -> None:
    for stage in (1, 2):
        assert shop.call("DELETE", f"{OWN}/stages/{stage}/").json == {
            "id": stage,
            "deleted": True,
            "moved": 0,
        }
    shop.new_pipeline()
    assert shop.call("DELETE", f"{OWN}/stages/3/").status == 409
    assert shop.call("DELETE", f"{OWN}/pipelines/1/").status == 409
    assert shop.stages() == [3]


def test_a_stage_with_deals_goes_only_when_it_is_said_to_which_they_go(shop: Shop) -> None:
    shop.deal("a", stage=2)
    refused = shop.call("DELETE", f"{OWN}/stages/2/")
    assert refused.status == 409
    assert "move_to" in refused.json["detail"]
    assert shop.place("a") == (1, 2)
    gone = shop.call("DELETE", f"{OWN}/stages/2/?move_to=3")
    assert gone.json == {"id": 2, "deleted": True, "moved": 1}
    assert shop.place("a") == (1, 3)
    assert shop.stages() == [1, 3]


def test_each_deal_that_moves_is_in_the_journal_with_its_author(shop: Shop) -> None:
    pipeline, [back] = shop.new_pipeline("Back")
    before = shop.deal("a", stage=2)
    shop.deal("b", stage=1)
    headers = {"X-Ordertrail-Origin": "backfill"}
    shop.call("DELETE", f"{OWN}/stages/2/", {"move_to": back}, headers=headers)
    assert shop.place("a") == (pipeline, back)
    assert shop.place("b") == (1, 1)
    read = shop.platform.database.read
    newest = read(lambda r: journal.of_subject(r, 1, Subject.DEAL, before["id"], 1))[0]
    assert newest.changes == {"stage": (2, back), "pipeline": (1, pipeline)}
    assert (newest.author.name, newest.author.origin) == ("key:1", "backfill")
    after = shop.call("GET", f"{PUBLIC}/deals-by-id/a/").json
    assert after["updated_at"] > before["updated_at"]


def test_a_deal_that_was_moved_tells_the_stages_that_it_was_in(shop: Shop) -> None:
    shop.deal("a", stage=2)
    shop.call("DELETE", f"{OWN}/stages/2/", {"move_to": 3})
    told = shop.call("GET", f"{PUBLIC}/deals-by-id/a/stage-changes/").json["results"]
    assert [(each["stage"], each["stage_name"]) for each in told] == [
        (3, "Order cancelled/returned"),
        (2, "Order fulfilled"),
    ]
    assert told[0]["left_at"] is None
    assert told[0]["entered_at"] == told[1]["left_at"]


def test_all_deals_of_a_stage_are_moved_at_once_each_with_an_entry(shop: Shop) -> None:
    count = 600
    sent = [
        {"path": DEALS, "body": {"custom_id": str(number), "name": "x", "stage": 2}}
        for number in range(count)
    ]
    shop.call("POST", f"{OWN}/batch/", {"operations": sent})
    gone = shop.call("DELETE", f"{OWN}/stages/2/", {"move_to": 1})
    assert gone.json == {"id": 2, "deleted": True, "moved": count}
    entries = [row for row in shop.platform.rows("journal") if row[3] == "deal" and not row[6]]
    assert [row[4] for row in entries] == list(range(1, count + 1))
    assert len({row[2] for row in entries}) == 1


def test_a_stage_is_removed_in_a_batch(shop: Shop) -> None:
    shop.deal("a", stage=2)
    sent = [
        {"method": "DELETE", "path": f"{OWN}/stages/{stage}/", "body": body}
        for stage, body in ((2, {}), (2, {"move_to": 3}), (3, {"move_to": 2}), (3, {"move_to": 1}))
    ]
    told = shop.call("POST", f"{OWN}/batch/?move_to=1", {"operations": sent}).json["results"]
    assert [each["status"] for each in told] == [409, 200, 400, 200]
    assert told[1]["body"] == {"id": 2, "deleted": True, "moved": 1}
    assert shop.place("a") == (1, 1)


def test_the_removal_of_a_stage_is_answered_again_under_its_key(shop: Shop) -> None:
    shop.deal("a", stage=2)
    headers = {"Idempotency-Key": "one"}
    said = [
        shop.call("DELETE", f"{OWN}/stages/2/?move_to=3", headers=headers).json for _ in range(2)
    ]
    assert said == [{"id": 2, "deleted": True, "moved": 1}] * 2
    assert shop.call("DELETE", f"{OWN}/stages/2/?move_to=1", headers=headers).status == 422


def test_pipelines_are_arranged_in_a_batch_too(shop: Shop) -> None:
    told = shop.call(
        "POST",
        f"{OWN}/batch/",
        {
            "operations": [
                {"path": f"{PUBLIC}/pipelines/", "body": {"name": "Returns"}},
                {"path": f"{PUBLIC}/stages/", "body": {"pipeline": 2, "name": "Back"}},
                {"path": f"{PUBLIC}/stages/", "body": {"pipeline": 9, "name": "Nowhere"}},
                {"method": "DELETE", "path": f"{OWN}/pipelines/1/", "body": {}},
                {"method": "DELETE", "path": f"{OWN}/pipelines/2/", "body": {}},
            ]
        },
    ).json["results"]
    assert [each["status"] for each in told] == [201, 201, 400, 200, 409]
    assert shop.stages(2) == [4]
