"""Contacts over the API: created, changed, listed, deleted, under the names of both versions."""

import itertools
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from asgi import Reply
from served import Served

USERS = "/api/public/users/"
BY_ID = "/api/public/users-by-id/"
V1 = {"Accept": "application/json"}
NUMBERS = itertools.count()


@pytest.fixture
def call(platform: Served, token: str) -> Any:
    def made(method: str, target: str, body: Any = None, **headers: str) -> Reply:
        where = target if target.startswith("/") else f"/api/public/{target}"
        return platform.call(token, method, where, body, headers=headers)

    return made


def warned(reply: Reply) -> str:
    return reply.headers.get("x-ordertrail-warnings", "")


def journal(platform: Served, contact_id: int) -> list[Any]:
    """The changes in the journal about one contact, oldest first."""
    return [
        row[7] for row in platform.rows("journal") if (row[3], row[4]) == ("contact", contact_id)
    ]


def test_a_created_contact_is_answered_whole(call: Any) -> None:
    made = call("POST", USERS, {"custom_id": "a@b.c", "email": "a@b.c", "first_name": "Ann"})
    assert made.status == 201
    assert made.json == call("GET", "users-by-id/a@b.c/").json
    assert {"id", "user_key", "email", "tags", "companies"} <= made.json.keys()


def test_a_body_sent_twice_creates_one_contact(call: Any, platform: Served) -> None:
    for body in ({"custom_id": "A", "city": "York"}, {"email": "x@b.c", "city": "Hull"}):
        first, again = call("POST", USERS, body), call("POST", USERS, body)
        assert (first.status, again.status) == (201, 200)
        assert first.json == again.json
    assert platform.counts()["contacts"] == 2
    assert platform.counts()["journal"] == 2


def test_a_custom_id_that_is_there_refuses_anything_new_by_name(call: Any) -> None:
    call("POST", USERS, {"custom_id": "A", "city": "York"})
    for body in ({"custom_id": "A", "city": "Hull"}, {"custom_id": "A", "tags": ["vip"]}):
        refused = call("POST", USERS, body)
        assert (refused.status, list(refused.json["errors"])) == (400, ["custom_id"])
    assert call("GET", "users-by-id/A/").json["city"] == "York"


def test_several_contacts_may_have_one_email(call: Any) -> None:
    ids = [
        call("POST", USERS, body).json["id"]
        for body in (
            {"email": "a@b.c"},
            {"email": "A@B.c", "custom_id": "A"},
            {"email": "a@b.c", "first_name": "Ann"},
        )
    ]
    assert len(set(ids)) == 3
    found = call("GET", "users/search/?email=a@b.c&many=true").json
    assert [each["id"] for each in found] == sorted(ids)


def test_an_email_is_kept_as_it_was_sent_last_and_found_in_any_case(call: Any) -> None:
    for email in ("ann@Shop.Test", "Ann@shop.test"):
        assert call("POST", f"{USERS}update_or_create/", {"email": email}).json["id"] == 1
        assert call("GET", "users/1/").json["email"] == email
    for email in ("ann@shop.test", "ANN@SHOP.TEST"):
        assert call("GET", f"users/search/?email={email}").json["email"] == "Ann@shop.test"
        assert call("GET", f"users/?email={email}").json["count"] == 1


def test_a_creation_sent_again_is_known_though_many_share_the_email(call: Any) -> None:
    for n in range(15):
        call("POST", USERS, {"email": "a@b.c", "first_name": f"Ann {n}"})
    assert call("POST", USERS, {"email": "a@b.c"}).json["id"] == 1
    for name, status in (("Ann 14", 200), ("Ann 0", 200), ("Ann 15", 201), ("Ann 15", 200)):
        assert call("POST", USERS, {"email": "a@b.c", "first_name": name}).status == status


def test_nobody_at_all_cannot_be_created(call: Any) -> None:
    refused = call("POST", USERS, {"first_name": "Ann"})
    assert (refused.status, list(refused.json["errors"])) == (400, ["custom_id"])


@pytest.mark.parametrize("target", ["users/1/", "users-by-id/A/"])
def test_a_put_changes_what_is_sent_and_answers_all(call: Any, target: str) -> None:
    call("POST", USERS, {"custom_id": "A", "email": "a@b.c", "first_name": "Ann", "plan": "pro"})
    changed = call("PUT", target, {"last_name": "Lee", "plan": None, "firstName": "x"})
    assert changed.status == 200
    assert changed.json["name"] == "Ann Lee"
    assert changed.json["plan"] is None
    assert "first_name" in warned(changed)
    assert changed.json == call("GET", target).json
    assert call("PUT", target, {}).json == changed.json


def test_a_put_of_nobody_is_not_found(call: Any) -> None:
    assert call("PUT", "users/7/", {}).status == 404
    assert call("PUT", "users-by-id/x@y.z/", {"city": "York"}).status == 404


def test_a_custom_id_can_be_changed_but_not_to_anothers(call: Any) -> None:
    call("POST", USERS, {"custom_id": "A"})
    call("POST", USERS, {"custom_id": "B"})
    assert call("PUT", "users/1/", {"custom_id": "C"}).json["custom_id"] == "C"
    assert call("GET", "users-by-id/A/").status == 404
    refused = call("PUT", "users-by-id/C/", {"custom_id": "B", "city": "York"})
    assert (refused.status, list(refused.json["errors"])) == (400, ["custom_id"])
    assert call("GET", "users/1/").json["city"] is None
    assert call("POST", USERS, {"custom_id": "A"}).json["id"] == 3


def test_a_user_key_is_taken_unless_another_has_it(call: Any) -> None:
    body = {"custom_id": "A", "user_key": "ngze13ffndcv"}
    assert call("POST", USERS, body).json["user_key"] == "ngze13ffndcv"
    other = call("POST", USERS, {**body, "custom_id": "B"})
    assert other.json["user_key"] != "ngze13ffndcv"
    assert "another contact has it" in warned(other)
    assert not warned(call("PUT", "users-by-id/A/", {"user_key": "ngze13ffndcv"}))
    call("PUT", "users-by-id/A/", {"user_key": "new"})
    taken = call("PUT", "users-by-id/B/", {"user_key": "ngze13ffndcv"})
    assert taken.json["user_key"] == "ngze13ffndcv"
    assert call("GET", "users/search/?key=new").json["custom_id"] == "A"
    assert call("POST", f"{USERS}update_or_create/", {"custom_id": "A", "user_key": ""}).json


def test_a_browser_is_known_by_its_key_alone_until_it_is_said_whose_it_is(call: Any) -> None:
    made = call("POST", "users/", {"user_key": "a1B2c3D4e5F6"})
    assert (made.status, made.json["email"], made.json["status"]) == (201, None, "visitor")
    assert call("POST", "users/", {"user_key": "a1B2c3D4e5F6"}).json == made.json
    other = call("POST", "users/", {"user_key": "a1B2c3D4e5F6", "city": "York"})
    assert (other.status, list(other.json["errors"])) == (400, ["user_key"])
    call("PUT", f"users/{made.json['id']}/", {"custom_id": "ada", "email": "ada@shop.test"})
    found = call("GET", "users/search/?key=a1B2c3D4e5F6").json
    assert (found["id"], found["custom_id"]) == (made.json["id"], "ada")


def test_nested_attributes_are_the_contacts_own(call: Any) -> None:
    body = {"custom_id": "A", "attributes": {"plan": "pro", "city": "York"}, "city": "Hull"}
    made = call("POST", USERS, body).json
    assert (made["plan"], made["city"]) == ("pro", "Hull")
    assert "attributes" not in made


def test_of_two_names_of_the_custom_id_that_of_version_2_counts(call: Any) -> None:
    made = call("POST", USERS, {"custom_id": "A", "user_id": "other"})
    assert made.json["custom_id"] == "A"
    assert "user_id" in warned(made)
    assert made.json.get("user_id") is None


def test_a_null_under_the_newer_name_leaves_what_the_older_one_says(call: Any) -> None:
    sent = {"custom_id": None, "user_id": "n5", "user_key": None, "key": "k5"}
    told = call("POST", "users/", sent, **V1).json
    assert (told["user_id"], told["key"]) == ("n5", "k5")


def test_version_1_calls_the_fields_otherwise(call: Any) -> None:
    call(
        "POST",
        "attributes/",
        {"content_type": "clientuser", "name": "Plan", "value_type": "string"},
    )
    made = call("POST", USERS, {"user_id": "A", "key": "k1", "email": "a@b.c", "Plan": "pro"}, **V1)
    assert made.status == 201
    assert (made.json["user_id"], made.json["key"]) == ("A", "k1")
    assert [each["value"] for each in made.json["attributes"]] == ["pro"]
    assert "custom_id" not in made.json
    changed = call("PUT", "users-by-id/A/", {"user_id": "B"}, **V1)
    assert (changed.status, changed.json["user_id"]) == (200, "B")
    listed = call("GET", "users/", **V1).json["results"]
    assert listed == [changed.json]
    assert call("GET", "users/?user_id__startswith=B", **V1).json["count"] == 1


def test_a_form_says_what_json_says(platform: Served, token: str) -> None:
    made = platform.call(
        token,
        "POST",
        USERS,
        body=b"email=a%40b.c&first_name=Ann",
        headers={"Content-Type": "application/x-www-form-urlencoded", **V1},
    )
    assert (made.status, made.json["first_name"]) == (201, "Ann")


def test_tags_of_a_body_are_put_on_besides_the_others(call: Any) -> None:
    made = call("POST", USERS, {"custom_id": "A", "tags": ["vip", "new"]})
    assert [tag["name"] for tag in made.json["tags"]] == ["vip", "new"]
    changed = call("PUT", "users-by-id/A/", {"tags": ["old"]})
    assert {tag["name"] for tag in changed.json["tags"]} == {"vip", "new", "old"}
    echoed = call("PUT", "users-by-id/A/", changed.json).json
    assert {**echoed, "updated_at": changed.json["updated_at"]} == changed.json
    assert call("PUT", "users-by-id/A/", {"tags": "vip"}).status == 400


def test_a_name_that_is_too_long_is_refused_by_name(call: Any) -> None:
    refused = call("POST", USERS, {"custom_id": "A", "first_name": "x" * 41, "city": "y" * 65})
    assert (refused.status, set(refused.json["errors"])) == (400, {"first_name", "city"})


@pytest.mark.parametrize("target", ["users/1/", "users-by-id/A/"])
def test_a_deleted_contact_is_gone_with_all_that_it_did(
    call: Any, platform: Served, target: str
) -> None:
    call("POST", USERS, {"custom_id": "A", "email": "secret@b.c", "plan": "mine", "tags": ["vip"]})
    call("PUT", target, {"city": "Secretville"})
    call("POST", "users-by-id/A/events/", {"name": "seen"})
    call("POST", "products-by-id/P/product_event/", {"user_custom_id": "A", "event_type": "order"})
    call("POST", "deals/update_or_create/", {"custom_id": "D", "user_custom_id": "A"})
    gone = call("DELETE", target)
    assert (gone.status, gone.json) == (200, {"id": 1, "deleted": True})
    assert call("GET", target).status == 404
    assert call("DELETE", target).status == 404
    counts = platform.counts()
    for table in ("contacts", "events", "product_events", "taggings"):
        assert counts[table] == 0, table
    assert call("GET", "deals-by-id/D/").json["user_id"] is None
    told = str(platform.rows("journal"))
    for value in ("secret@b.c", "mine", "Secretville"):
        assert value not in told
    first, *_, last = journal(platform, 1)
    assert set(json.loads(first)) == {"custom_id", "email", "plan", "tags"}
    assert json.loads(last) == {"id": [1, None]}
    assert call("POST", "users-by-id/A/events/", {"name": "seen"}).status == 404


def test_those_that_were_merged_into_a_deleted_contact_go_with_it(
    call: Any, platform: Served
) -> None:
    for name in "ABC":
        call("POST", USERS, {"custom_id": name, "city": f"City of {name}"})
    call("POST", f"{USERS}merge/", {"parent": 1, "users_list": [2]})
    assert call("DELETE", "users-by-id/B/").json == {"id": 1, "deleted": True}
    told = str(platform.rows("journal"))
    assert ("City of A" in told, "City of B" in told, "City of C" in told) == (False, False, True)
    assert [row[1] for row in platform.rows("contacts")] == [3]
    assert call("POST", USERS, {"custom_id": "B"}).status == 201


def test_a_contact_deleted_twice_in_one_batch_is_gone_once(call: Any) -> None:
    call("POST", USERS, {"custom_id": "A"})
    operations = [{"method": "DELETE", "path": f"{BY_ID}A/", "body": {}}] * 2
    said = call("POST", "/api/ordertrail/v1/batch/", {"operations": operations}).json["results"]
    assert [each["status"] for each in said] == [200, 404]


@pytest.mark.parametrize("field", ["custom_id", "user_key"])
def test_what_one_gives_up_another_may_take_in_the_same_batch(call: Any, field: str) -> None:
    for number in (1, 2):
        call("POST", USERS, {"custom_id": f"c{number}", "user_key": f"u{number}"})
    free = call("GET", "users/2/").json[field]
    changes = ((2, "other"), (1, free), (2, "third"))
    operations = [
        {"method": "PUT", "path": f"{USERS}{number}/", "body": {field: name}}
        for number, name in changes
    ]
    said = call("POST", "/api/ordertrail/v1/batch/", {"operations": operations}).json["results"]
    assert [(each["status"], each["body"].get(field)) for each in said] == [
        (200, "other"),
        (200, free),
        (200, "third"),
    ]
    assert [call("GET", f"users/{n}/").json[field] for n in (1, 2)] == [free, "third"]


def test_lists_are_limited_to_a_range_in_time_and_to_those_with_email(call: Any) -> None:
    call("POST", USERS, {"custom_id": "A", "email": "a@b.c", "last_seen": 1_772_000_000})
    call("POST", USERS, {"custom_id": "B", "last_seen": "2026-03-01T00:00:00Z"})

    def found(query: str) -> list[str]:
        reply = call("GET", f"users/?{query}")
        assert reply.status == 200, reply.text
        return [each["custom_id"] for each in reply.json["results"]]

    assert found("") == ["B", "A"]
    assert found("search=last_seen&min=1772000001") == ["B"]
    assert found("search=last_seen&max=1772000000/") == ["A"]
    assert found("search=created_at&min=1&max=2") == []
    assert found("with_email=true") == ["A"]
    assert found("with_email=False") == ["B"]
    assert found("custom_id=A") == ["A"]
    assert found("email__contains=%40B.C") == ["A"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("city__like=x", "city__like"),
        ("search=city&min=1", "search"),
        ("min=1", "min"),
        ("search=last_seen&min=soon", "min"),
        ("with_email=perhaps", "with_email"),
        ("cursor=xx", "cursor"),
        ("created_at__gt=soon", "created_at__gt"),
    ],
)
def test_a_query_that_means_nothing_is_refused_by_name(call: Any, query: str, field: str) -> None:
    refused = call("GET", f"users/?{query}")
    assert (refused.status, list(refused.json["errors"])) == (400, [field])


def test_an_unknown_filter_says_which_there_are(call: Any) -> None:
    said = call("GET", "users/?city__like=x").json["errors"]["city__like"][0]
    assert all(op in said for op in ("gte", "istartswith", "icontains", "exact"))


def test_a_field_that_nobody_has_is_said_and_finds_nobody(call: Any) -> None:
    call("POST", USERS, {"custom_id": "A", "plan": "pro"})
    found = call("GET", "users/?paln=pro")
    assert (found.json["count"], "paln" in warned(found)) == (0, True)
    assert not warned(call("GET", "users/?plan=pro"))
    assert "page_size" in warned(call("GET", "users/?page_size=5"))


@pytest.mark.parametrize("part", ["emails", "ping_hits", "segments"])
def test_what_is_not_kept_is_an_empty_page(call: Any, part: str) -> None:
    call("POST", USERS, {"custom_id": "A"})
    for one in ("users/1", "users-by-id/A"):
        empty = {"count": 0, "next": None, "previous": None, "results": []}
        assert call("GET", f"{one}/{part}/").json == empty
    assert call("GET", f"users/9/{part}/").status == 404


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 5)), min_size=5, max_size=5))
def test_no_row_is_skipped_or_told_twice_while_others_are_written(
    platform: Served, token: str, meanwhile: list[tuple[int, int]]
) -> None:
    """New contacts appear, and others are changed, between any two pages."""

    def write(count: int) -> None:
        operations = [
            {"path": USERS, "body": {"email": f"{next(NUMBERS)}@b.c"}} for _ in range(count)
        ]
        body = {"operations": operations}
        if operations:
            assert platform.call(token, "POST", "/api/ordertrail/v1/batch/", body).status == 200

    write(230)
    there = {row[1] for row in platform.rows("contacts") if row[10] is None}
    told: list[int] = []
    target: str | None = USERS
    for added, changed in [*meanwhile, *[(0, 0)] * 100]:
        if target is None:
            break
        page = platform.call(token, "GET", target.removeprefix("http://shop.test")).json
        told += [each["id"] for each in page["results"]]
        target = page["next"]
        write(added)
        for contact_id in told[-changed:] if changed else ():
            platform.call(token, "PUT", f"{USERS}{contact_id}/", {"score": added})
    assert len(told) == len(set(told))
    assert set(told) == there
