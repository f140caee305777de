"""The replay of a client notices what would lose the client."""

import json
from typing import Any

import pytest
from replay import Replay, Story

from asgi import Reply


def play(*steps: dict[str, Any], status: int = 200, said: Any = None) -> list[tuple[str, Any]]:
    """Play steps against a platform that always answers the same; what it was sent."""
    sent: list[tuple[str, Any]] = []

    def send(method: str, target: str, headers: Any, body: bytes) -> Reply:
        sent.append((f"{method} {target}", json.loads(body) if body else None))
        return Reply(status, [], json.dumps(said).encode())

    Replay(send, {"token": "t"}).play(Story("shop", "a shop", "a story", {}, ["2xx"], list(steps)))
    return sent


def get(path: str = "/users/1/", **more: Any) -> dict[str, Any]:
    return {"method": "GET", "path": path, **more}


@pytest.mark.parametrize(
    "answer",
    [
        {"status": [404]},
        {"status": ["4xx"]},
        {"reads": {"email": "text"}},
        {"reads": {"id": "text"}},
        {"reads": {"flag": "integer"}},
        {"reads": {"tags.0.name": "anything"}},
        {"lacks": ["id"]},
        {"is": {"id": 8}},
        {"is": {"tags.length": 1}},
        {"keep": {"user": "missing"}},
    ],
)
def test_an_answer_that_the_client_cannot_use_is_noticed(answer: dict[str, Any]) -> None:
    with pytest.raises(AssertionError):
        play(get(answer=answer), said={"id": 7, "email": None, "flag": True, "tags": []})


def test_an_answer_is_read_by_names_places_and_types() -> None:
    answer = {
        "status": [404, "2xx"],
        "reads": {"id": "text or integer", "at": "moment", "value": "money", "none": "nothing"},
        "lacks": ["email", "none"],
        "is": {"tags.0.name": "vip", "tags.length": 1},
    }
    said = {
        "id": 7,
        "at": "2026-01-02T03:04:05.678901Z",
        "value": "19.90",
        "email": None,
        "tags": [{"name": "vip"}],
    }
    play(get(answer=answer), said=said)


@pytest.mark.parametrize(("status", "said"), [(500, {}), (204, None), (200, "text"), (302, {})])
def test_what_no_client_expects_is_noticed(status: int, said: Any) -> None:
    with pytest.raises(AssertionError):
        play(get(), status=status, said=said)


def test_an_address_that_there_is_not_is_no_missing_person() -> None:
    said = {"detail": "No such address: /users/1/."}
    with pytest.raises(AssertionError):
        play(get(answer={"status": [404]}), status=404, said=said)
    play(get(answer={"status": [404], "no_address": True}), status=404, said=said)


def test_what_was_kept_is_sent_on_with_its_type() -> None:
    first = get(answer={"keep": {"user": "id", "next": "next"}})
    second = {
        "method": "POST",
        "path": "/users/{user}/",
        "body": {"id": "{user}", "name": "user {user}", "list": ["{user}"]},
    }
    said = {"id": 7, "next": "http://shop.test/users/?cursor=8"}
    sent = play(first, second, get("{next}"), said=said)
    assert sent[1:] == [
        ("POST /users/7/", {"id": 7, "name": "user 7", "list": [7]}),
        ("GET /users/?cursor=8", None),
    ]


def test_a_link_to_another_host_is_noticed() -> None:
    first = get(answer={"keep": {"next": "next"}})
    with pytest.raises(AssertionError, match="another host"):
        play(first, get("{next}"), said={"next": "http://127.0.0.1/users/?cursor=8"})


def test_a_step_is_taken_only_after_the_answer_that_leads_to_it() -> None:
    first = get("/first/", id="first")
    lost = get("/lost/", when={"first": 404})
    found = get("/found/", when={"first": "2xx"}, times=2)
    sent = [call for call, _ in play(first, lost, found, said={})]
    assert sent == ["GET /first/", "GET /found/", "GET /found/"]
