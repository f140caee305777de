"""How many attributes are defined, and what becomes of those beyond it."""

import json
from typing import Any

import pytest

import asgi
from ordertrail.domain.attribute import ATTRIBUTES_MAX, DEFINITIONS_MAX
from served import Served

PUBLIC, OWN = "/api/public", "/api/ordertrail/v1"
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


KINDS = {
    "clientuser": ("users", UPSERT, {}),
    "deal": ("deals", f"{PUBLIC}/deals/update_or_create/", {"name": "A"}),
    "product": ("products", f"{PUBLIC}/products/", {}),
}


@pytest.mark.parametrize("kind", KINDS)
def test_what_has_no_definition_goes_out_by_an_export_and_in_again(
    platform: Served, token: str, kind: str
) -> None:
    name, path, more = KINDS[kind]
    sent = {"custom_id": "a", "size": 4, "parts": [{"n": "1"}], **more}
    platform.call(token, "POST", path, sent)
    for number in (1, 2):
        platform.call(token, "DELETE", f"{PUBLIC}/attributes/{number}/")
    file = platform.call(token, "GET", f"{OWN}/export/{name}/?format=csv").text
    platform.new_workspace(2)
    other = platform.new_token(workspace_id=2)
    headers = {"Content-Type": "text/csv"}
    reply = platform.call(
        other, "POST", f"{OWN}/import/{name}/", body=file.encode(), headers=headers
    )
    assert reply.json["totals"]["created"] == 1, reply.text
    told = platform.call(other, "GET", f"{PUBLIC}/{name}-by-id/a/").json
    assert (told["size"], told["parts"]) == (4, [{"n": "1"}])
    assert "attributes" not in told


def test_what_has_no_definition_is_found_without_a_warning(platform: Served, token: str) -> None:
    platform.call(token, "POST", UPSERT, {"custom_id": "a", "size": 4})
    platform.call(token, "DELETE", f"{PUBLIC}/attributes/1/")
    found = platform.call(token, "GET", f"{PUBLIC}/users/?size=4")
    assert (found.json["count"], warned(found)) == (1, [])
    none = platform.call(token, "GET", f"{PUBLIC}/users/?size=5")
    assert (none.json["count"], warned(none)) == (0, ["size: no contact has such a field"])
