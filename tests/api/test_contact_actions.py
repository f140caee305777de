"""Single attributes, tags and lists of a contact, and one field of many contacts."""

import json
from typing import Any

import pytest

from asgi import Reply
from ordertrail.domain.attribute import ATTRIBUTES_MAX
from served import Served

V1 = {"Accept": "*/*"}
LIST = "INSERT INTO lists (workspace_id, id, name, created_at) VALUES (1, 7, 'VIP', 0)"
ONE = ("users/1", "users-by-id/A")


@pytest.fixture
def call(platform: Served, token: str) -> Any:
    def made(method: str, target: str, body: Any = None, **headers: str) -> Reply:
        return platform.call(token, method, f"/api/public/{target}", body, headers=headers)

    platform.database.write(lambda tx: tx.run(LIST))
    for name in "AB":
        assert made("POST", "users/", {"custom_id": name, "email": f"{name}@b.c"}).status == 201
    return made


def changes(platform: Served) -> list[Any]:
    """What the journal says of contacts, without their creation, oldest first."""
    return [
        json.loads(row[7]) for row in platform.rows("journal") if row[3] == "contact" and not row[6]
    ]


@pytest.mark.parametrize("one", ONE)
def test_an_attribute_is_set_and_answered_as_it_is_kept(
    call: Any, platform: Served, one: str
) -> None:
    said = {"attribute": "Verified Member", "value": True}
    assert call("POST", f"{one}/set_attribute/", said).json == said
    call("POST", f"{one}/set_attribute/", {"attribute": "gender", "value": 2})
    one_told = call("GET", f"{one}/").json
    assert (one_told["verified_member"], one_told["gender"]) == (True, "male")
    assert changes(platform) == [{"verified_member": [None, True]}, {"gender": [None, "male"]}]
    assert call("POST", f"{one}/set_attribute/", {"attribute": "x"}).status == 400
    assert call("POST", f"{one}/set_attribute/", {"value": 1}).status == 400


@pytest.mark.parametrize("one", ONE)
def test_several_attributes_are_set_and_echoed(call: Any, one: str) -> None:
    said = {"city": "York", "Latest Member Login": "2026-03-01", "score": 3}
    assert call("POST", f"{one}/set_multiple_attributes/", said).json == said
    told = call("GET", f"{one}/").json
    assert (told["city"], told["latest_member_login"], told["score"]) == ("York", "2026-03-01", 3)
    nested = {"attributes": {"size": "L"}, "city": "Hull"}
    assert call("POST", f"{one}/set_multiple_attributes/", nested).json == {
        "size": "L",
        "city": "Hull",
    }


@pytest.mark.parametrize("method", ["POST", "DELETE"])
@pytest.mark.parametrize("one", ONE)
def test_an_attribute_is_removed(call: Any, platform: Served, method: str, one: str) -> None:
    call("PUT", f"{one}/", {"plan": "pro", "city": "York", "size": 1})
    for name in ("plan", "city", "never set"):
        removed = call(method, f"{one}/remove_attribute/", {"attribute": name})
        assert (removed.status, removed.json) == (200, {"attribute": name})
    assert call(method, f"{one}/remove_attribute/", {"attribute": "email"}).status == 200
    told = call("GET", f"{one}/").json
    assert told["email"] is None
    assert ("plan" in told, told["city"], told["size"]) == (False, None, 1)
    assert changes(platform)[1:3] == [{"plan": ["pro", None]}, {"city": ["York", None]}]
    for name in ("custom_id", "user_key", "id"):
        refused = call(method, f"{one}/remove_attribute/", {"attribute": name})
        assert (refused.status, list(refused.json["errors"])) == (400, ["attribute"])


@pytest.mark.parametrize("one", ONE)
def test_a_tag_is_put_on_once_and_taken_off(call: Any, platform: Served, one: str) -> None:
    first = call("POST", f"{one}/add_tag/", {"name": " vip "})
    assert first.json == {"created": True, "tag": {"id": 1, "name": "vip"}}
    assert call("POST", f"{one}/add_tag/", {"name": "vip"}).json["created"] is False
    assert call("POST", "users/2/add_tag/", {"name": "vip"}).json["created"] is False
    assert call("GET", f"{one}/").json["tags"] == [{"id": 1, "name": "vip"}]
    for method in ("DELETE", "POST"):
        assert call(method, f"{one}/remove_tag/", {"name": "vip"}).json == {"tag": {"name": "vip"}}
    assert call("GET", f"{one}/").json["tags"] == []
    assert call("GET", "users/2/").json["tags"] == [{"id": 1, "name": "vip"}]
    assert changes(platform) == [
        {"tags": [[], ["vip"]]},
        {"tags": [[], ["vip"]]},
        {"tags": [["vip"], []]},
    ]
    for name in ("", None, 7, "x" * 256):
        assert call("POST", f"{one}/add_tag/", {"name": name}).status == 400


def test_many_tags_are_put_on_at_once(call: Any) -> None:
    call("POST", "users-by-id/A/add_tag/", {"name": "old"})
    said = call("POST", "users-by-id/A/add_many_tags/", {"tag_names": ["new", "old", "new"]})
    assert [tag["name"] for tag in said.json["tags"]] == ["old", "new"]
    assert call("POST", "users-by-id/A/add_many_tags/", {"tag_names": "new"}).status == 400


@pytest.mark.parametrize("one", ONE)
def test_a_contact_is_put_on_a_list_and_taken_off(call: Any, platform: Served, one: str) -> None:
    for _ in range(2):
        assert call("POST", f"{one}/add_to_list/", {"list": "7"}).json == {"id": 7}
    assert call("GET", f"{one}/").json["lists"] == [{"id": 7, "name": "VIP"}]
    for method in ("POST", "DELETE"):
        assert call(method, f"{one}/remove_from_list/", {"list": 7}).json == {"id": 7}
    assert call("GET", f"{one}/").json["lists"] == []
    assert changes(platform) == [{"lists": [[], ["VIP"]]}, {"lists": [["VIP"], []]}]
    for body in ({"list": 8}, {}, {"list": "x"}):
        refused = call("POST", f"{one}/add_to_list/", body)
        assert (refused.status, list(refused.json["errors"])) == (400, ["list"])


@pytest.mark.parametrize(
    ("method", "part", "body"),
    [
        ("POST", "set_attribute", {"attribute": "plan", "value": 1}),
        ("POST", "set_multiple_attributes", {"plan": 1}),
        ("DELETE", "remove_attribute", {"attribute": "plan"}),
        ("POST", "add_tag", {"name": "vip"}),
        ("POST", "add_many_tags", {"tag_names": ["vip"]}),
        ("DELETE", "remove_tag", {"name": "vip"}),
        ("POST", "add_to_list", {"list": 7}),
        ("DELETE", "remove_from_list", {"list": 7}),
    ],
)
def test_nothing_is_done_with_nobody(
    call: Any, platform: Served, method: str, part: str, body: Any
) -> None:
    before = platform.counts()
    assert call(method, f"users/9/{part}/", body).status == 404
    assert call(method, f"users-by-id/Z/{part}/", body).status == 404
    assert platform.counts() == before


def test_what_is_done_in_one_batch_stands_on_what_was_done_before(
    call: Any, platform: Served, token: str
) -> None:
    path = "/api/public/users-by-id/A"
    operations = [
        {"path": f"{path}/add_tag/", "body": {"name": "x"}},
        {"path": f"{path}/add_tag/", "body": {"name": "y"}},
        {"method": "DELETE", "path": f"{path}/remove_tag/", "body": {"name": "x"}},
        {"path": f"{path}/add_tag/", "body": {"name": "x"}},
        {"method": "DELETE", "path": f"{path}/remove_tag/", "body": {"name": "y"}},
    ]
    said = platform.call(
        token, "POST", "/api/ordertrail/v1/batch/", {"operations": operations}
    ).json["results"]
    assert {each["status"] for each in said} == {200}
    assert [each["body"].get("created") for each in said] == [True, True, None, False, None]
    assert [tag["name"] for tag in call("GET", "users/1/").json["tags"]] == ["x"]


def test_one_field_of_many_contacts_is_set(call: Any, platform: Served) -> None:
    standard, custom = (f"users/mass_update_{kind}_attributes/" for kind in ("standard", "custom"))
    body = {"ids": [1, 2, 9, 1], "attribute": "city", "value": "York"}
    said = call("PUT", standard, body)
    assert (said.status, said.json) == (200, {"status": "ok"})
    assert "1 skipped" in said.headers["x-ordertrail-warnings"]
    assert call("PUT", custom, {"ids": [2, 1], "attribute": "Is Pro", "value": True}).json
    for number in (1, 2):
        told = call("GET", f"users/{number}/").json
        assert (told["city"], told["is_pro"]) == ("York", True)
    assert changes(platform).count({"city": [None, "York"]}) == 2
    assert call("PUT", custom, {"ids": [1], "attribute": "plan", "value": 1}, **V1).status == 200


@pytest.mark.parametrize(
    ("kind", "body", "field"),
    [
        ("standard", {"ids": [1], "attribute": "plan", "value": 1}, "attribute"),
        ("custom", {"ids": [1], "attribute": "city", "value": "York"}, "attribute"),
        ("standard", {"ids": [1], "attribute": "custom_id", "value": "x"}, "attribute"),
        ("standard", {"ids": [1], "attribute": "user_key", "value": "x"}, "attribute"),
        *(
            ("standard", {"ids": [1], "attribute": name, "value": value}, "attribute")
            for name, value in (
                ("User Key", "x"),
                ("Custom Id", "x"),
                ("Tags", ["x"]),
                ("Lists", 1),
                ("Id", 5),
            )
        ),
        ("standard", {"ids": [1], "attribute": "city"}, "value"),
        ("standard", {"ids": [1], "value": "x"}, "attribute"),
        ("standard", {"attribute": "city", "value": "x"}, "ids"),
        ("standard", {"ids": 1, "attribute": "city", "value": "x"}, "ids"),
        ("standard", {"ids": [1] * 1_001, "attribute": "city", "value": "x"}, "ids"),
        ("standard", {"ids": [1], "attribute": "city", "value": "x" * 65}, "city"),
    ],
)
def test_what_cannot_be_set_of_many_is_refused_by_name(
    call: Any, platform: Served, kind: str, body: Any, field: str
) -> None:
    refused = call("PUT", f"users/mass_update_{kind}_attributes/", body)
    assert (refused.status, list(refused.json["errors"])) == (400, [field])
    assert changes(platform) == []


def test_a_mass_update_that_one_contact_refuses_changes_none(call: Any, platform: Served) -> None:
    call("PUT", "users/2/", {f"a{n}": 1 for n in range(ATTRIBUTES_MAX)})
    call("POST", "users/", {"custom_id": "C"})
    before = platform.rows("contacts"), platform.rows("journal"), platform.rows("attributes")
    body = {"ids": [1, 2, 3], "attribute": "plan", "value": "pro"}
    refused = call("PUT", "users/mass_update_custom_attributes/", body)
    assert (refused.status, list(refused.json["errors"])) == (400, ["attributes"])
    after = platform.rows("contacts"), platform.rows("journal"), platform.rows("attributes")
    assert after == before
