"""Contacts that are one person become one, and whatever led to one of them still does."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from asgi import Reply
from served import Served

USERS = "/api/public/users/"
MERGE = f"{USERS}merge/"
BATCH = "/api/ordertrail/v1/batch/"


@pytest.fixture
def call(platform: Served, token: str) -> Any:
    def made(method: str, target: str, body: Any = None) -> Reply:
        where = target if target.startswith("/") else f"/api/public/{target}"
        return platform.call(token, method, where, body)

    return made


def people(call: Any, *bodies: dict[str, Any]) -> list[dict[str, Any]]:
    return [call("POST", USERS, body).json for body in bodies]


def merge(call: Any, parent: int, *others: int) -> Reply:
    return call("POST", MERGE, {"parent": parent, "users_list": list(others)})


def test_everything_that_led_to_one_of_them_leads_to_the_parent(call: Any) -> None:
    parent, other = people(
        call,
        {"custom_id": "A", "email": "a@b.c"},
        {"custom_id": "B", "email": "b@b.c", "phone_number": "123"},
    )
    assert merge(call, parent["id"], other["id"]).json == {"success": True}
    one = call("GET", f"users/{parent['id']}/").json
    assert (one["custom_id"], one["email"], one["phone_number"]) == ("A", "a@b.c", "123")
    for target in (
        f"users/{other['id']}/",
        "users-by-id/A/",
        "users-by-id/B/",
        "users/search/?email=A@b.c",
        "users/search/?email=b@B.c",
        f"users/search/?key={parent['user_key']}",
        f"users/search/?key={other['user_key']}",
    ):
        assert call("GET", target).json == one, target
    for target in ("users/", "users/?custom_id=B", "users/search/?phone_number=123"):
        assert call("GET", target).json["results"] == [one], target
    assert call("GET", "users/search/?email=b@b.c&many=true").json == [one]


def test_the_parents_values_win_then_those_of_the_lowest_id(call: Any) -> None:
    people(
        call,
        {"custom_id": "A", "city": "York", "plan": "a", "size": None},
        {"custom_id": "B", "city": "Hull", "region": "North", "plan": "b", "colour": "blue"},
        {"custom_id": "C", "region": "South", "country": "UK", "colour": "red", "size": 7},
    )
    merge(call, 1, 3, 2)
    one = call("GET", "users/1/").json
    assert [one[name] for name in ("city", "region", "country")] == ["York", "North", "UK"]
    assert [one[name] for name in ("plan", "colour", "size")] == ["a", "blue", 7]


def test_all_that_they_had_and_did_is_the_parents(call: Any, platform: Served) -> None:
    people(call, {"custom_id": "A", "tags": ["x"]}, {"custom_id": "B", "tags": ["x", "y"]})
    for name in "AB":
        call("POST", f"users-by-id/{name}/events/", {"name": f"seen {name}"})
        call(
            "POST",
            f"products-by-id/{name}/product_event/",
            {"user_custom_id": name, "event_type": "order"},
        )
        call("POST", "deals/update_or_create/", {"custom_id": name, "user_custom_id": name})
    lists = "INSERT INTO lists (workspace_id, id, name, created_at) VALUES (1, :id, :id || '', 0)"
    for number in (1, 2):
        platform.database.write(lambda tx, number=number: tx.run(lists, id=number))
    call("POST", "users-by-id/A/add_to_list/", {"list": 1})
    for number in (1, 2):
        call("POST", "users-by-id/B/add_to_list/", {"list": number})
    merge(call, 1, 2)
    one = call("GET", "users-by-id/B/").json
    assert [tag["name"] for tag in one["tags"]] == ["x", "y"]
    assert [each["id"] for each in one["lists"]] == [1, 2]
    assert call("GET", "users/1/events/").json["count"] == 2
    assert call("GET", "users/2/product_events/").json["count"] == 2
    assert {call("GET", f"deals-by-id/{name}/").json["user_id"] for name in "AB"} == {1}
    for table, column in (
        ("events", 3),
        ("product_events", 3),
        ("deals", 4),
        ("journal", 5),
        ("list_members", 2),
        ("taggings", 2),
    ):
        owners = {row[column] for row in platform.rows(table)} - {None}
        assert owners == {1}, table


def test_companies_have_the_parent_for_a_member(call: Any) -> None:
    people(call, *({"custom_id": name, "company_custom_id": "C1"} for name in "AB"))
    call("PUT", "users-by-id/B/", {"company_custom_id": "C2"})
    merge(call, 1, 2)
    one = call("GET", "users-by-id/B/").json
    assert [each["name"] for each in one["companies"]] == ["C1", "C2"]
    for name in ("C1", "C2"):
        assert call("GET", f"companies-by-id/{name}/").json["employees"] == [1]


def test_the_journal_says_who_merged_what(call: Any, platform: Served) -> None:
    people(call, {"custom_id": "A"}, {"custom_id": "B", "city": "York"})
    merge(call, 1, 2)
    told = [(row[4], json.loads(row[7])) for row in platform.rows("journal") if row[3] == "contact"]
    assert told[-2:] == [
        (1, {"city": [None, "York"], "merged": [None, [2]]}),
        (2, {"merged_into": [None, 1]}),
    ]
    newest = call("GET", "users/2/timeline/").json["results"]
    assert [(each["type"], each["contact_id"]) for each in newest] == [
        ("contact_merged", 2),
        ("contact_merged", 1),
        ("contact_created", 2),
        ("contact_created", 1),
    ]


def test_merging_again_or_into_itself_is_no_news(call: Any, platform: Served) -> None:
    people(call, {"custom_id": "A"}, {"custom_id": "B"})
    assert merge(call, 1, 2).status == 200
    before = platform.rows("contacts"), platform.counts()["journal"]
    for parent, others in ((1, [2]), (1, [1]), (2, [1]), (1, [1, 2, 2]), (2, [2]), (1, [])):
        assert merge(call, parent, *others).json == {"success": True}
    assert (platform.rows("contacts"), platform.counts()["journal"]) == before


def test_chains_are_flat_and_a_merged_parent_is_its_own(call: Any, platform: Served) -> None:
    people(call, *({"custom_id": name} for name in "ABCD"))
    merge(call, 1, 2)
    merge(call, 2, 3)
    merge(call, 4, 1)
    assert [row[10] for row in platform.rows("contacts")] == [4, 4, 4, None]
    assert {call("GET", f"users-by-id/{name}/").json["id"] for name in "ABCD"} == {4}


def test_a_parent_without_identity_takes_that_of_the_lowest(call: Any) -> None:
    """BitBag merges the contact of a cookie, which has neither id nor e-mail, with a known one."""
    people(call, {"user_key": "cookie"})
    people(call, {"custom_id": "B", "email": "b@b.c"}, {"custom_id": "C", "email": "c@b.c"})
    merge(call, 1, 3, 2)
    one = call("GET", "users/1/").json
    assert (one["custom_id"], one["email"], one["user_key"]) == ("B", "b@b.c", "cookie")
    for name in "BC":
        assert call("GET", f"users-by-id/{name}/").json == one
        event = call("POST", f"users-by-id/{name}/events/", {"name": "seen"})
        assert event.status == 201
    assert call("POST", "users/update_or_create/", {"custom_id": "B"}).json["id"] == 1
    assert call("POST", USERS, {"custom_id": "C", "size": 1}).status == 400


@pytest.mark.parametrize(("parent", "others"), [(9, [1]), (1, [9]), (1, [2, 9])])
def test_nobody_cannot_be_merged(
    call: Any, platform: Served, parent: int, others: list[int]
) -> None:
    people(call, {"custom_id": "A"}, {"custom_id": "B"})
    before = platform.rows("contacts")
    assert merge(call, parent, *others).status == 404
    assert platform.rows("contacts") == before


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"parent": 1},
        {"users_list": [1]},
        {"parent": "x", "users_list": [1]},
        {"parent": 1, "users_list": 2},
        {"parent": 1, "users_list": ["x"]},
        {"parent": 1, "users_list": [1] * 1_001},
    ],
)
def test_what_is_no_merge_is_refused_by_name(call: Any, body: dict[str, Any]) -> None:
    refused = call("POST", MERGE, body)
    assert refused.status == 400
    assert refused.json["errors"]


def test_the_list_goes_by_either_name(call: Any) -> None:
    people(call, {"custom_id": "A"}, {"custom_id": "B"})
    assert call("POST", MERGE, {"parent": "1", "user_list": ["2"]}).json == {"success": True}
    assert call("GET", "users/2/").json["id"] == 1


def test_of_both_names_of_the_list_one_counts(call: Any) -> None:
    people(call, *({"custom_id": each} for each in "ABC"))
    both = {"parent": 1, "user_list": [3], "users_list": [2]}
    assert call("POST", MERGE, both).json == {"success": True}
    assert [call("GET", f"users/{n}/").json["id"] for n in (2, 3)] == [1, 3]


def test_an_old_name_changes_neither_id_nor_email_of_the_parent(call: Any) -> None:
    """A late order of the old account must not give the contact its old e-mail back."""
    people(call, {"custom_id": "new", "email": "new@b.c"}, {"custom_id": "old", "email": "old@b.c"})
    merge(call, 1, 2)
    for body in (
        {"custom_id": "old", "email": "old@b.c", "city": "York"},
        {"email": "OLD@b.c", "city": "York"},
    ):
        assert call("POST", "users/update_or_create/", body).json == {"created": False, "id": 1}
        one = call("GET", "users/1/").json
        assert (one["custom_id"], one["email"], one["city"]) == ("new", "new@b.c", "York")
    assert call("POST", USERS, {"custom_id": "old", "email": "old@b.c"}).status == 200
    old = {"custom_id": "old", "email": "OLD@b.c", "region": "North"}
    for target in ("users-by-id/old/", "users/1/"):
        one = call("PUT", target, old).json
        assert (one["custom_id"], one["email"], one["region"]) == ("new", "new@b.c", "North")
    assert call("PUT", "users-by-id/old/", {"email": "third@b.c"}).json["email"] == "third@b.c"
    assert call("PUT", "users/1/", {"email": "old@b.c"}).json["email"] == "old@b.c"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "users/update_or_create/", {"email": "old@b.c"}),
        ("POST", "users/update_or_create/", {"custom_id": "old", "email": "OLD@b.c"}),
        ("PUT", "users-by-id/old/", {"email": "old@b.c"}),
        ("PUT", "users/1/", {"custom_id": "old", "email": "old@b.c"}),
    ],
)
def test_an_email_that_was_taken_away_does_not_come_back_by_an_old_name(
    call: Any, method: str, path: str, body: dict[str, Any]
) -> None:
    people(call, {"custom_id": "new", "email": "new@b.c"}, {"custom_id": "old", "email": "old@b.c"})
    merge(call, 1, 2)
    assert call("PUT", "users/1/", {"email": ""}).json["email"] is None
    assert call(method, path, {**body, "city": "York"}).status == 200
    one = call("GET", "users/1/").json
    assert (one["custom_id"], one["email"], one["city"]) == ("new", None, "York")
    again = {"custom_id": "old", "email": "third@b.c"}
    call("POST", "users/update_or_create/", again)
    assert call("GET", "users/1/").json["email"] == "third@b.c"


PAIRS = st.lists(st.tuples(st.integers(0, 7), st.lists(st.integers(0, 7), max_size=4)), max_size=8)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(merges=PAIRS, named=st.lists(st.booleans(), min_size=8, max_size=8), in_batch=st.booleans())
def test_whatever_is_merged_every_old_name_leads_to_one_who_is_there(
    platform: Served,
    token: str,
    merges: list[tuple[int, list[int]]],
    named: list[bool],
    in_batch: bool,
) -> None:
    """One by one or in a batch: the groups are those that a union-find says."""

    def call(method: str, target: str, body: Any = None) -> Any:
        return platform.call(token, method, target, body).json

    start = platform.counts()["contacts"]
    bodies = [
        {"email": f"{start + n}@b.c"} | ({"custom_id": f"c{start + n}"} if has_id else {})
        for n, has_id in enumerate(named)
    ]
    made = [call("POST", USERS, body) for body in bodies]
    ids = [each["id"] for each in made]
    said = [{"parent": ids[p], "users_list": [ids[n] for n in others]} for p, others in merges]
    if in_batch:
        operations = [{"path": MERGE, "body": body} for body in said]
        assert {
            each["status"] for each in call("POST", BATCH, {"operations": operations})["results"]
        } <= {200}
    else:
        for body in said:
            assert call("POST", MERGE, body) == {"success": True}
    leads = list(range(8))
    for parent, others in merges:
        root = leads[parent]
        joined = {leads[n] for n in others}
        leads = [root if each in joined else each for each in leads]
    for n, each in enumerate(made):
        root = ids[leads[n]]
        by_key = f"{USERS}search/?key={each['user_key']}"
        assert call("GET", f"{USERS}{each['id']}/")["id"] == root
        assert call("GET", by_key)["id"] == root
        assert call("GET", f"{USERS}search/?email={start + n}@b.c")["id"] == root
        if named[n]:
            assert call("GET", f"/api/public/users-by-id/c{start + n}/")["id"] == root
    for n, root in enumerate(leads):
        if n == root:
            group = [bodies[m] for m, each in enumerate(leads) if each == root]
            one = call("GET", f"{USERS}{ids[n]}/")
            assert one["email"] == bodies[n]["email"]
            if any("custom_id" in body for body in group):
                assert one["custom_id"] is not None
