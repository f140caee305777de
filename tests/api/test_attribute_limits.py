"""How many attributes are defined, and what becomes of those beyond it."""

import json
from typing import Any

import pytest

import asgi
from ordertrail.domain.attribute import ATTRIBUTES_MAX, DEFINITIONS_MAX
from served import Served

PUBLIC = "/api/public"
UPSERT = f"{PUBLIC}/users/update_or_create/"
V1 = {"Accept": "*/*"}


class Full:
    """A workspace in which no more attributes of contacts are defined."""

    def __init__(self, platform: Served, token: str) -> None:
        self.platform, self.token = platform, token
        for part in range(0, DEFINITIONS_MAX, ATTRIBUTES_MAX):
            names = range(part, part + ATTRIBUTES_MAX)
            self.upsert(f"filling-{part}", **{f"known_{name}": 1 for name in names})

    def call(self, method: str, path: str, body: Any = None, **more: Any) -> asgi.Reply:
        return self.platform.call(self.token, method, path, body, **more)

    def upsert(self, custom_id: str, **sent: Any) -> asgi.Reply:
        return self.call("POST", UPSERT, {"custom_id": custom_id, **sent})

    def count(self, kind: str = "clientuser") -> int:
        return int(self.call("GET", f"{PUBLIC}/attributes/?content_type={kind}").json["count"])

    def define(self, kind: str, name: str) -> asgi.Reply:
        body = {"content_type": kind, "name": name, "value_type": "string"}
        return self.call("POST", f"{PUBLIC}/attributes/", body)

    def listed(self, custom_id: str) -> dict[str, Any]:
        told = self.call("GET", f"{PUBLIC}/users-by-id/{custom_id}/", headers=V1).json
        return {each["name_std"]: each for each in told["attributes"]}


@pytest.fixture
def full(platform: Served, token: str) -> Full:
    return Full(platform, token)


def warned(reply: asgi.Reply) -> list[str]:
    return list(json.loads(reply.headers.get("x-ordertrail-warnings", "[]")))


def test_an_attribute_beyond_the_limit_is_kept_without_a_definition(full: Full) -> None:
    assert full.count() == DEFINITIONS_MAX
    reply = full.upsert("a", color="red", size=4, known_1="two", nothing=None)
    assert reply.status == 200
    said = "attributes: 2 kept without a definition: there are 2000 of this kind"
    assert warned(reply) == [said]
    assert full.count() == DEFINITIONS_MAX
    told = full.call("GET", f"{PUBLIC}/users-by-id/a/").json
    assert (told["color"], told["size"], told["known_1"]) == ("red", 4, "two")
    assert warned(full.upsert("a", known_1="three")) == []
    assert full.call("GET", f"{PUBLIC}/users/?color=red").json["count"] == 1


def test_the_room_that_is_left_is_filled_in_the_order_of_what_is_sent(full: Full) -> None:
    full.call("DELETE", f"{PUBLIC}/attributes/1/")
    assert warned(full.upsert("a", color="red", size=4)) == [
        "attributes: 1 kept without a definition: there are 2000 of this kind"
    ]
    assert full.count() == DEFINITIONS_MAX
    assert full.listed("a")["color"]["id"] == DEFINITIONS_MAX + 1


def test_no_more_can_be_defined_than_the_limit(full: Full) -> None:
    assert full.define("user", "Color").status == 409
    assert full.define("user", "Known 1").status == 200
    assert full.define("deal", "Color").status == 201
    full.call("DELETE", f"{PUBLIC}/attributes/1/")
    assert full.define("user", "Color").status == 201
    assert full.define("user", "Size").status == 409


def test_version_1_lists_what_has_a_value_and_what_somebody_defined(full: Full) -> None:
    full.define("user", "Known 1")
    full.upsert("a", known_2=5, color="red")
    listed = full.listed("a")
    assert {name: each["value"] for name, each in listed.items()} == {
        "known_1": None,
        "known_2": 5,
        "color": "red",
    }
    assert listed["color"] == {
        "id": None,
        "name": "color",
        "name_std": "color",
        "value": "red",
        "description": "",
        "value_type": "string",
    }
