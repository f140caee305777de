"""One key, one write: what is sent again is answered again, and written once."""

import json
from datetime import timedelta

import pytest

from asgi import Request
from ordertrail.actions.answers import REMEMBERED_FOR
from ordertrail.kit import clock
from served import Served

USERS = "/api/public/users/update_or_create/"
DEALS = "/api/public/deals/update_or_create/"
PRODUCTS = "/api/public/products/"
V2 = {"Accept": "*/*; version=2"}


def keyed(key: str) -> dict[str, str]:
    return {**V2, "Idempotency-Key": key}


def test_the_same_request_gets_the_same_answer_and_writes_once(
    platform: Served, token: str
) -> None:
    said = {"custom_id": "O-1", "name": "Order", "value": 5}
    first = platform.call(token, "POST", DEALS, said, headers=keyed("k"))
    assert first.json["created"] is True
    platform.call(token, "POST", DEALS, {**said, "value": 7})
    again = platform.call(token, "POST", DEALS, said, headers=keyed("k"))
    assert (again.status, again.json) == (200, first.json)
    now = platform.call(token, "GET", "/api/public/deals-by-id/O-1/").json
    assert now["value"] == "7.00"
    made = platform.call(token, "POST", PRODUCTS, {"custom_id": "P"}, headers=keyed("p"))
    again = platform.call(token, "POST", PRODUCTS, {"custom_id": "P"}, headers=keyed("p"))
    assert (made.status, again.status, again.json) == (201, 201, made.json)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (DEALS, {"custom_id": "O-1", "value": 6}),
        (USERS, {"custom_id": "O-1", "value": 5}),
    ],
)
def test_a_key_stands_for_one_request_alone(
    platform: Served, token: str, path: str, body: dict[str, object]
) -> None:
    platform.call(token, "POST", DEALS, {"custom_id": "O-1", "value": 5}, headers=keyed("k"))
    other = platform.call(token, "POST", path, body, headers=keyed("k"))
    assert other.status == 422
    assert "another request" in other.json["detail"]
    assert platform.call(token, "GET", "/api/public/deals-by-id/O-1/").json["value"] == "5.00"
    assert platform.call(token, "GET", "/api/public/users-by-id/O-1/").status == 404


def test_what_was_refused_is_not_remembered(platform: Served, token: str) -> None:
    said = {"custom_id": "O-1", "user_custom_id": "ada"}
    assert platform.call(token, "POST", DEALS, said, headers=keyed("k")).status == 404
    platform.call(token, "POST", USERS, {"custom_id": "ada"})
    assert platform.call(token, "POST", DEALS, said, headers=keyed("k")).status == 200
    wrong = platform.call(token, "POST", DEALS, {"stage": 99}, headers=keyed("other"))
    assert wrong.status == 400
    mended = {"custom_id": "O-2", "stage": 1}
    assert platform.call(token, "POST", DEALS, mended, headers=keyed("other")).status == 200


def test_of_two_at_once_one_is_told_to_wait(platform: Served, token: str) -> None:
    headers = {**keyed("k"), "Authorization": f"Token {token}"}
    asked = Request("POST", DEALS, headers=headers, json={"custom_id": "O-1"})
    replies = platform.caller.together([asked] * 4)
    assert sorted(reply.status for reply in replies) == [200, 409, 409, 409]
    assert "still running" in next(r for r in replies if r.status == 409).json["detail"]
    assert platform.caller.together([asked])[0].json["created"] is True


def test_operations_of_a_batch_have_keys_of_their_own(platform: Served, token: str) -> None:
    def batch(*values: int) -> list[int]:
        operations = [
            {"path": DEALS, "body": {"custom_id": "O-1", "value": value}, "key": "k"}
            for value in values
        ]
        path = "/api/ordertrail/v1/batch/"
        reply = platform.call(token, "POST", path, {"operations": operations})
        return [each["status"] for each in reply.json["results"]]

    assert batch(5, 5) == [200, 200]
    assert batch(5, 6) == [200, 422]


def test_the_key_of_a_batch_holds_for_each_operation_in_its_place(
    platform: Served, token: str
) -> None:
    def batch(*values: int) -> list[tuple[int, object]]:
        operations = [
            {"path": DEALS, "body": {"custom_id": f"O-{place}", "value": value}}
            for place, value in enumerate(values)
        ]
        path, sent = "/api/ordertrail/v1/batch/", {"operations": operations}
        reply = platform.call(token, "POST", path, sent, headers=keyed("whole"))
        return [(each["status"], each["body"].get("created")) for each in reply.json["results"]]

    assert batch(1, 2) == [(200, True), (200, True)]
    assert batch(1, 2) == [(200, True), (200, True)]
    assert batch(1, 3) == [(200, True), (422, None)]


def test_what_was_warned_of_is_said_again(platform: Served, token: str) -> None:
    whole = {"content_type": "clientuser", "name": "age", "value_type": "integer"}
    assert platform.call(token, "POST", "/api/public/attributes/", whole).status == 201
    said = {"custom_id": "ada", "age": "x"}
    first = platform.call(token, "POST", USERS, said, headers=keyed("k"))
    assert "age: left out" in first.headers["x-ordertrail-warnings"]
    again = platform.call(token, "POST", USERS, said, headers=keyed("k"))
    assert again.headers["x-ordertrail-warnings"] == first.headers["x-ordertrail-warnings"]


def test_an_answer_is_kept_for_a_week_and_then_forgotten(platform: Served, token: str) -> None:
    platform.call(token, "POST", DEALS, {"custom_id": "O-1"}, headers=keyed("old"))
    [row] = platform.rows("answers")
    assert json.loads(str(row[4]))["custom_id"] == "O-1"
    assert timedelta(days=7) < REMEMBERED_FOR
    old = clock.to_micros(platform.now() - REMEMBERED_FOR - timedelta(minutes=1))
    platform.database.write(
        lambda tx: tx.run(
            "UPDATE answers SET created_at = :at WHERE workspace_id = :workspace_id",
            at=old,
            workspace_id=1,
        )
    )
    platform.call(token, "POST", DEALS, {"custom_id": "O-2"}, headers=keyed("new"))
    platform.do_background_work()
    assert [row[1] for row in platform.rows("answers")] == ["new"]
