"""What is refused or not taken says all that is to be changed, under the names that were sent."""

import json
from typing import Any

import pytest

import asgi
from served import Served

PUBLIC = "/api/public"
BATCH = "/api/ordertrail/v1/batch/"
USERS = f"{PUBLIC}/users/update_or_create/"


@pytest.fixture
def call(platform: Served, token: str) -> Any:
    def send(method: str, path: str, said: Any = None, **more: Any) -> asgi.Reply:
        return platform.call(token, method, path, said, **more)

    assert send("POST", USERS, {"custom_id": "ada"}).status == 200
    return send


def errors(reply: asgi.Reply) -> dict[str, str]:
    assert reply.status == 400, reply.text
    return {name: why for name, [why] in reply.json["errors"].items()}


def warned(reply: asgi.Reply) -> list[str]:
    assert reply.status in (200, 201), reply.text
    return list(json.loads(reply.headers.get("x-ordertrail-warnings", "[]")))


ALL_WRONG: list[tuple[str, dict[str, Any]]] = [
    (
        USERS,
        {
            "custom_id": [],
            "email": "bad",
            "first_seen": "x",
            "gender": "robot",
            "city": "x" * 65,
            "tags": "vip",
            "user_key": 1.5,
            "company_custom_id": {},
        },
    ),
    (
        f"{PUBLIC}/deals/update_or_create/",
        {"custom_id": [], "stage": "x", "loss_reason": "x", "expected_close_date": "soon"},
    ),
    (f"{PUBLIC}/companies/update_or_create/", {"custom_id": [], "name": " ", "tags": "vip"}),
    (f"{PUBLIC}/users-by-id/ada/set_attribute/", {"attribute": " "}),
]


@pytest.mark.parametrize(("path", "body"), ALL_WRONG)
def test_all_that_is_wrong_is_named_at_once(call: Any, path: str, body: dict[str, Any]) -> None:
    wanted = {*body, "value"} if "attribute" in body else {*body}
    assert errors(call("POST", path, body)).keys() == wanted


ABSENT = [
    ("users-by-id/ada/add_tag/", {"tag": "x"}, {"name"}),
    ("users-by-id/ada/remove_tag/", {}, {"name"}),
    ("users-by-id/ada/add_many_tags/", {"names": ["x"]}, {"tag_names"}),
    ("users-by-id/ada/add_to_list/", {"id": 1}, {"list"}),
    ("users-by-id/ada/set_attribute/", {}, {"attribute", "value"}),
    ("users-by-id/ada/remove_attribute/", {}, {"attribute"}),
    ("users/merge/", {}, {"parent", "users_list"}),
    ("tags/", {}, {"name"}),
    ("lists/", {"name": None}, {"name"}),
    ("companies/", {}, {"name"}),
    ("companies/update_or_create/", {"name": "x"}, {"custom_id"}),
    ("pipelines/", {}, {"name"}),
    ("stages/", {}, {"pipeline", "name"}),
    ("attributes/", {}, {"content_type", "name", "value_type"}),
    ("products/", {}, {"custom_id"}),
    ("products-by-id/P/product_event/", {"user_custom_id": "ada"}, {"event_type"}),
    ("users-by-id/ada/events/", {}, {"name"}),
]


@pytest.mark.parametrize(("path", "body", "fields"), ABSENT)
def test_what_is_absent_is_said_to_be_required_and_what_it_is(
    call: Any, path: str, body: dict[str, Any], fields: set[str]
) -> None:
    said = errors(call("POST", f"{PUBLIC}/{path}", body))
    assert said.keys() == fields
    for why in said.values():
        assert why.startswith("is required"), why
        assert len(why) > len("is required: "), why


@pytest.mark.parametrize("raw", [b"", b" \n"])
def test_an_empty_body_is_called_empty(call: Any, raw: bytes) -> None:
    said = errors(call("POST", USERS, body=raw))
    assert said == {"body": "is empty: send a JSON object"}
    assert "is empty" in errors(call("POST", BATCH, body=raw))["body"]


def test_an_operation_without_a_body_is_told_so(call: Any) -> None:
    [result] = call("POST", BATCH, {"operations": [{"path": USERS}]}).json["results"]
    assert result["status"] == 400
    assert result["body"]["errors"] == {"body": ["is empty: send a JSON object"]}


@pytest.mark.parametrize("method", ["post", "Post"])
def test_a_method_in_small_letters_is_told_how_it_is_written(call: Any, method: str) -> None:
    operation = {"method": method, "path": USERS, "body": {"custom_id": "bob"}}
    [result] = call("POST", BATCH, {"operations": [operation]}).json["results"]
    assert result["status"] == 405
    assert result["body"]["detail"] == "Methods are written in capitals: POST."


def test_a_bare_list_of_operations_is_told_where_it_stands(call: Any) -> None:
    said = errors(call("POST", BATCH, [{"path": USERS, "body": {}}]))
    assert said == {"body": 'must be an object: {"operations": [...]} holds the list'}


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("users/?created_at__gte=gestern", "created_at__gte"),
        ("users/?id__lt=many", "id__lt"),
        ("deals/?value__gte=much", "value__gte"),
        ("deals/?created_at=gestern", "created_at"),
        ("users/?search=created_at&min=gestern", "min"),
    ],
)
def test_a_wrong_filter_is_named_as_it_was_sent(call: Any, query: str, name: str) -> None:
    assert errors(call("GET", f"{PUBLIC}/{query}")).keys() == {name}


def test_of_two_names_for_one_field_the_other_is_said_to_be_ignored(call: Any) -> None:
    sent = {"firstName": "B", "FIRST NAME": "C", "first_name": "Bobby", "Plan B": 1, "plan_b": 2}
    reply = call("POST", USERS, {"custom_id": "ada", **sent})
    assert sorted(warned(reply)) == [
        "FIRST NAME: ignored: first_name means the same, and was sent too",
        "Plan B: ignored: plan_b means the same, and was sent too",
        "firstName: kept as the attribute firstname; the field is called first_name",
    ]
    kept = call("GET", f"{PUBLIC}/users-by-id/ada/").json
    assert (kept["first_name"], kept["firstname"], kept["plan_b"]) == ("Bobby", "B", 2)


def test_what_is_told_and_not_set_is_known_in_any_spelling(call: Any) -> None:
    reply = call("POST", USERS, {"custom_id": "ada", "Created At": "2020-01-01"})
    assert warned(reply) == ["Created At: ignored: it is told, not set"]
