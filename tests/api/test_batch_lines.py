"""A batch as JSON Lines: one operation a line in, one answer a line out."""

import gzip
import json
from typing import Any

import pytest

from ordertrail.wire.batch import OPERATIONS_MAX
from served import Served

BATCH = "/api/ordertrail/v1/batch/"
USERS = "/api/public/users/update_or_create/"
DEALS = "/api/public/deals/update_or_create/"
LINES = {"Content-Type": "application/x-ndjson"}
LINES_BOTH = {**LINES, "Accept": "application/x-ndjson; version=2"}


def user(number: int) -> dict[str, Any]:
    return {"method": "POST", "path": USERS, "body": {"custom_id": f"u{number}"}}


def deal(number: int) -> dict[str, Any]:
    body = {"custom_id": f"O{number}", "user_custom_id": "u1", "value": number, "size": "L"}
    return {"method": "POST", "path": DEALS, "body": body}


def lines(*operations: Any) -> bytes:
    return b"".join(json.dumps(each).encode() + b"\n" for each in operations)


def told(raw: bytes) -> list[Any]:
    assert raw.endswith(b"\n")
    return [json.loads(line) for line in raw.splitlines()]


@pytest.mark.parametrize("said", ["application/x-ndjson", "Application/JSONL; charset=utf-8"])
def test_each_line_is_one_operation_and_blank_ones_are_none(
    platform: Served, token: str, said: str
) -> None:
    body = b"\r\n" + lines(user(1)) + b"\n  \n" + lines(deal(1)).replace(b"\n", b"\r\n") + b"\n\n"
    reply = platform.call(token, "POST", BATCH, body=body, headers={"Content-Type": said})
    assert [each["status"] for each in reply.json["results"]] == [200, 200]
    assert reply.json["results"][1]["body"]["value"] == "1.00"


def test_the_answers_are_lines_for_who_reads_them_and_the_same_as_in_json(
    platform: Served, token: str
) -> None:
    operations = [user(1), deal(1), {"method": "GET", "path": DEALS}, 7]
    reply = platform.call(token, "POST", BATCH, body=lines(*operations), headers=LINES_BOTH)
    assert reply.headers["content-type"] == "application/x-ndjson"
    answers = told(reply.raw)
    assert [each["status"] for each in answers] == [200, 200, 405, 400]
    again = platform.call(token, "POST", BATCH, {"operations": [deal(1)]}).json["results"]
    assert {**answers[1]["body"], "created": False} == again[0]["body"]


def test_a_line_that_is_no_operation_leaves_the_others_alone(platform: Served, token: str) -> None:
    body = lines(user(1)) + b'{"method": "POST"\n\xff\n[]\n' + lines(user(2))
    reply = platform.call(token, "POST", BATCH, body=body, headers=LINES_BOTH)
    assert [each["status"] for each in told(reply.raw)] == [200, 400, 400, 400, 200]


def test_a_batch_of_lines_may_be_packed_and_has_a_limit(platform: Served, token: str) -> None:
    for count, status in ((OPERATIONS_MAX, 200), (OPERATIONS_MAX + 1, 400)):
        body = gzip.compress(lines(*map(user, range(count))))
        headers = {**LINES, "Content-Encoding": "gzip"}
        reply = platform.call(token, "POST", BATCH, body=body, headers=headers)
        assert reply.status == status
    assert platform.counts()["contacts"] == OPERATIONS_MAX


def test_an_empty_batch_is_answered_with_nothing(platform: Served, token: str) -> None:
    reply = platform.call(token, "POST", BATCH, body=b"\n", headers=LINES_BOTH)
    assert (reply.status, reply.raw) == (200, b"")


def test_answers_that_take_a_look_at_the_database_are_those_of_single_calls(
    platform: Served, token: str
) -> None:
    """Version 1 shows attributes by their definitions, which the write itself may have made."""
    headers = {"Accept": "*/*", **LINES}
    operations = [user(1), *map(deal, range(20)), {**deal(1), "body": {"custom_id": "x"}}]
    operations += [{"method": "POST", "path": DEALS, "body": {"user_custom_id": "no"}}]
    results = platform.call(token, "POST", BATCH, body=lines(*operations), headers=headers).json
    for said, answer in list(zip(operations, results["results"], strict=True))[1:]:
        alone = platform.call(token, "POST", DEALS, said["body"], headers={"Accept": "*/*"})
        assert alone.status == answer["status"]
        if alone.status == 200:
            assert answer["body"] == {**alone.json, "created": True}
