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
