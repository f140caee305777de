"""Every answer has the id of its request, the caller's own if it gave one; so has the log."""

import logging
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import served
from served import Served

USERS = "/api/public/users/update_or_create/"
ANYWHERE = [
    ("POST", USERS, 200),
    ("POST", "/api/public/nothing/", 404),
    ("GET", "/api/public/users-by-id/nobody/", 404),
    ("POST", "/api/public/users-by-id/A/", 405),
    ("DELETE", USERS, 405),
    ("GET", "/healthz", 200),
    ("POST", "/healthz", 405),
    ("GET", "/console/", 303),
    ("GET", "/nothing", 404),
]


@pytest.fixture
def logging_platform(tmp_path: Path) -> Iterator[Served]:
    with served.serve(tmp_path, access_log=True) as running:
        yield running


@pytest.mark.parametrize(("method", "target", "status"), ANYWHERE)
def test_every_answer_has_one(
    platform: Served, token: str, method: str, target: str, status: int
) -> None:
    replies = [
        platform.call(token, method, target, {"custom_id": "A"}, headers=given)
        for given in ({}, {}, {"X-Request-ID": "the caller's own, 7"})
    ]
    assert {reply.status for reply in replies} == {status}
    first, second, own = (reply.headers["x-request-id"] for reply in replies)
    assert first != second
    assert own == "the caller's own, 7"


def test_without_a_key_there_is_one_too(platform: Served) -> None:
    reply = platform.caller.call("GET", "/api/public/stages/", headers={"X-Request-ID": "a"})
    assert (reply.status, reply.headers["x-request-id"]) == (401, "a")


@pytest.mark.parametrize("given", ["", "a" * 129, "a\tb", "\x7f", "\xe4"])
def test_an_id_that_a_log_cannot_hold_is_not_taken_over(platform: Served, given: str) -> None:
    reply = platform.caller.call("GET", "/healthz", headers={"X-Request-ID": given})
    assert re.fullmatch(r"[0-9a-f]{12}-[0-9a-f]+", reply.headers["x-request-id"])


def test_the_longest_id_is_taken_over(platform: Served) -> None:
    reply = platform.caller.call("GET", "/healthz", headers={"X-Request-ID": "a" * 128})
    assert reply.headers["x-request-id"] == "a" * 128


def test_a_finished_request_is_one_line_that_names_nobody(
    logging_platform: Served, caplog: pytest.LogCaptureFixture
) -> None:
    token = logging_platform.new_token()
    with caplog.at_level(logging.INFO, "ordertrail.api"):
        logging_platform.call(
            token, "GET", "/api/public/users-by-id/ada@shop.test/?a=secret",
            headers={"X-Request-ID": "R-1"},
        )  # fmt: skip
    [said] = [record.getMessage() for record in caplog.records if "finished" in record.message]
    assert re.fullmatch(
        r"request finished method=GET route=/api/public/users-by-id/\{custom_id\}/ status=404"
        r" duration_ms=[0-9.]+ key_id=1 request_id=R-1",
        said,
    )


def test_finished_requests_are_not_logged_unless_that_is_asked_for(
    platform: Served, token: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "ordertrail.api"):
        platform.call(token, "GET", "/api/public/stages/")
    assert not caplog.records


def test_the_log_of_calls_keeps_the_callers_own(platform: Served, token: str) -> None:
    platform.call(token, "GET", "/api/public/stages/", headers={"X-Request-ID": "R-1"})
    platform.running.committer.commit_and_wait(1, lambda tx, batch: [None], [None])
    [row] = platform.rows("requests")
    assert "R-1" in row
