"""Events are recorded for whoever is named, in any of the ways that clients name a contact."""

from typing import Any

import pytest

from served import Served

USERS = "/api/public/users/update_or_create/"
EVENTS = "/api/public/events/"
V1 = {"Accept": "*/*"}


@pytest.fixture
def key(platform: Served, token: str) -> str:
    """The user key of contact 1, whom the shop calls A."""
    assert platform.call(token, "POST", USERS, {"custom_id": "A"}).json["id"] == 1
    return str(platform.call(token, "GET", "/api/public/users/1/").json["user_key"])


def names_of(platform: Served, token: str) -> list[str]:
    told = platform.call(token, "GET", "/api/public/users/1/events/").json["results"]
    return [each["name"] for each in told]


@pytest.mark.parametrize(
    ("headers", "named"),
    [
        ({}, {"user_id": 1}),
        ({}, {"user_id": "1"}),
        ({}, {"user_custom_id": "A"}),
        ({}, {"user_custom_id": "A", "user_id": 77}),
        ({}, {"user_id": None, "user_custom_id": "A", "user_key": None}),
        (V1, {"client": 1}),
        (V1, {"user_id": "A"}),
        (V1, {"user_custom_id": "A"}),
    ],
)
def test_an_event_names_its_contact_by_either_id(
    platform: Served, token: str, key: str, headers: dict[str, str], named: dict[str, Any]
) -> None:
    body = {**named, "name": "seen", "data": {"page": 1}}
    reply = platform.call(token, "POST", EVENTS, body, headers=headers)
    assert (reply.status, reply.json["created"]) == (201, True)
    assert names_of(platform, token) == ["seen"]


@pytest.mark.parametrize("headers", [{}, V1])
def test_an_event_names_its_contact_by_the_key_of_the_browser(
    platform: Served, token: str, key: str, headers: dict[str, str]
) -> None:
    for body in ({"user_key": key}, {"user_key": key, "user_id": None}):
        reply = platform.call(token, "POST", EVENTS, {**body, "name": "seen"}, headers=headers)
        assert reply.status == 201
    assert names_of(platform, token) == ["seen", "seen"]


@pytest.mark.parametrize("headers", [{}, V1])
def test_an_event_is_recorded_under_the_path_of_either_id(
    platform: Served, token: str, key: str, headers: dict[str, str]
) -> None:
    for one in ("users/1", "users-by-id/A"):
        target = f"/api/public/{one}/events/"
        reply = platform.call(token, "POST", target, {"name": one}, headers=headers)
        assert (reply.status, reply.json["created"]) == (201, True)
    assert names_of(platform, token) == ["users-by-id/A", "users/1"]


@pytest.mark.parametrize(
    "named",
    [{"user_id": 2}, {"user_custom_id": "B"}, {"user_key": "nobody"}],
)
def test_an_event_of_an_unknown_contact_is_not_found(
    platform: Served, token: str, key: str, named: dict[str, Any]
) -> None:
    reply = platform.call(token, "POST", EVENTS, {**named, "name": "seen"})
    assert reply.status == 404
    assert platform.call(token, "POST", "/api/public/users/2/events/", {"name": "x"}).status == 404
    assert platform.call(token, "POST", "/api/public/users/A/events/", {"name": "x"}).status == 404
    assert platform.counts()["events"] == 0


@pytest.mark.parametrize("named", [{}, {"user_key": ""}, {"user_key": {}}, {"user_id": None}])
def test_an_event_of_nobody_says_how_to_name_its_contact(
    platform: Served, token: str, named: dict[str, Any]
) -> None:
    reply = platform.call(token, "POST", EVENTS, {**named, "name": "seen"})
    assert reply.status == 400
    assert list(reply.json["errors"]) == ["user_custom_id"]


def test_the_names_of_events_are_listed_as_they_were_first_seen(
    platform: Served, token: str, key: str
) -> None:
    for name in ("seen", "sold", "seen"):
        platform.call(token, "POST", EVENTS, {"user_id": 1, "name": name})
    told = platform.call(token, "GET", EVENTS).json
    assert (told["count"], told["next"]) == (2, None)
    assert [(each["id"], each["name"]) for each in told["results"]] == [(2, "sold"), (1, "seen")]
    assert platform.call(token, "GET", f"{EVENTS}1/").json == told["results"][1]
    assert platform.call(token, "GET", f"{EVENTS}3/").status == 404


def defined(platform: Served, token: str) -> dict[str, str]:
    found = platform.rows("attributes")
    return {row[3]: row[4] for row in found if row[2] == "event"}


def test_the_attributes_of_events_are_learnt_from_the_first_level_of_their_data(
    platform: Served, token: str, key: str
) -> None:
    for data in (
        {"Order ID": "A-1", "total": 5, "items": [{"sku": "x"}], "x" * 65: 1, "?": 2},
        {"total": "many", "gift": None},
    ):
        platform.call(token, "POST", EVENTS, {"user_id": 1, "name": "sold", "data": data})
    wanted = {"order_id": "string", "total": "string", "items": "json"}
    assert defined(platform, token) == wanted
    told = platform.call(token, "GET", "/api/public/users/1/events/").json["results"]
    assert told[1]["data"] == {
        "Order ID": "A-1",
        "total": 5,
        "items": [{"sku": "x"}],
        "x" * 65: 1,
        "?": 2,
    }


def test_at_most_500_attributes_of_events_are_defined(
    platform: Served, token: str, key: str
) -> None:
    for start in (0, 400, 800):
        data = {f"field_{n}": n for n in range(start, start + 400)}
        body = {"user_id": 1, "name": "sold", "data": data}
        assert platform.call(token, "POST", EVENTS, body).status == 201
    assert len(defined(platform, token)) == 500


def test_a_refused_event_defines_nothing(platform: Served, token: str, key: str) -> None:
    body = {"user_id": 2, "name": "sold", "data": {"total": 5}}
    assert platform.call(token, "POST", EVENTS, body).status == 404
    assert defined(platform, token) == {}
