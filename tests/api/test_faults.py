"""When the platform itself is in trouble it says so, and keeps a log of what was asked."""

import asyncio
import json
import logging
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import served
from asgi import Request
from ordertrail.api.gate import answer_to
from ordertrail.kit.committer import Batch
from ordertrail.kit.database import DatabaseAway, Reader
from ordertrail.kit.readers import Readers
from served import HandClock, Served, break_deals

USERS = "/api/public/users/update_or_create/"
DEALS = "/api/public/deals/update_or_create/"
ABOUT = "/api/ordertrail/v1/about/"


def requests_logged(platform: Served) -> list[list[object]]:
    """Everything in the log, after a write that all waiting entries have joined."""
    platform.running.committer.commit_and_wait(1, lambda tx, batch: [None], [None])
    return platform.rows("requests")


def test_a_fault_is_answered_500_with_a_request_id_that_the_log_knows(
    platform: Served, token: str, caplog: pytest.LogCaptureFixture
) -> None:
    break_deals(platform, "D")
    before = platform.counts()
    with caplog.at_level(logging.ERROR):
        body = {"custom_id": "D", "order_products": [{"product_custom_id": "P"}]}
        reply = platform.call(token, "POST", DEALS, body)
    assert reply.status == 500
    request_id = reply.json["request_id"]
    assert reply.headers["x-request-id"] == request_id
    assert "upside down" not in reply.text
    assert request_id in caplog.text
    assert "the disk is upside down" in caplog.text
    assert token not in caplog.text
    assert platform.counts() == before


def test_a_fault_hits_the_guilty_alone(platform: Served, token: str) -> None:
    break_deals(platform, "D7")
    headers = {"Authorization": f"Token {token}"}
    asked = [
        Request("POST", DEALS, headers, json={"custom_id": f"D{n}", "name": f"Order {n}"})
        for n in range(20)
    ]
    statuses = [reply.status for reply in platform.caller.together(asked)]
    assert statuses == [500 if n == 7 else 200 for n in range(20)]
    assert platform.counts()["deals"] == 19
    assert platform.counts()["journal"] == 19
    assert platform.call(token, "POST", DEALS, {"custom_id": "after"}).status == 200


@pytest.fixture
def crowded(tmp_path: Path) -> Iterator[Served]:
    """A platform that lets four writes wait, and no more."""
    with served.serve(tmp_path, waiting_max=4) as platform:
        yield platform


def test_a_full_queue_answers_503_and_when_to_come_back(crowded: Served) -> None:
    token = crowded.new_token()
    committer = crowded.running.committer
    held, go_on = threading.Event(), threading.Event()

    def hold(tx: object, batch: Batch[None]) -> list[None]:
        held.set()
        assert go_on.wait(10)
        return [None]

    def nothing(tx: object, batch: Batch[None]) -> list[None]:
        return [None] * len(batch.commands)

    async def fill() -> asyncio.Future[list[None]]:
        waiting = asyncio.ensure_future(committer.commit(1, nothing, [None] * 4))
        await asyncio.wait({waiting}, timeout=0)
        return waiting

    async def finish(waiting: asyncio.Future[list[None]]) -> list[None]:
        return await waiting

    holding = threading.Thread(target=committer.commit_and_wait, args=(1, hold, [None]))
    holding.start()
    assert held.wait(10)
    with asyncio.Runner() as runner:
        waiting = runner.run(fill())
        reply = crowded.call(token, "POST", USERS, {"custom_id": "A"})
        go_on.set()
        assert runner.run(finish(waiting)) == [None] * 4
    holding.join()
    assert (reply.status, reply.headers["retry-after"]) == (503, "1")
    assert "Try again" in reply.json["detail"]
    assert crowded.counts()["contacts"] == 0
    assert crowded.call(token, "POST", USERS, {"custom_id": "A"}).status == 200


def test_a_database_that_is_away_says_nothing_of_its_file(caplog: pytest.LogCaptureFixture) -> None:
    answer = answer_to(DatabaseAway("/srv/shop/platform.db: make room on the disk"), "r-1")
    assert (answer.status, answer.headers["retry-after"]) == (503, "1")
    assert answer.body == {"detail": "The database cannot be reached now; try again."}
    assert "request r-1: /srv/shop/platform.db" in caplog.text


def hold(readers: Readers, stop: threading.Event) -> tuple[asyncio.Runner, list[object]]:
    """Give every thread of the readers something that takes until `stop` is set."""
    held = threading.Barrier(len(readers._threads) + 1)

    def wait(_: Reader) -> None:
        held.wait(10)
        assert stop.wait(10)

    async def ask() -> list[object]:
        asked = [asyncio.ensure_future(readers.read(wait)) for _ in readers._threads]
        await asyncio.wait(asked, timeout=0)
        return asked

    runner = asyncio.Runner()
    asked = runner.run(ask())
    held.wait(10)
    return runner, asked


def test_slow_pages_hold_no_call_up_and_slow_calls_no_key(platform: Served) -> None:
    stop = threading.Event()
    running = platform.running
    try:
        held = [hold(running.page_readers, stop)]
        token = platform.new_token()
        assert platform.call(token, "GET", "/api/public/stages/").status == 200
        held.append(hold(running.readers, stop))
        token = platform.new_token()
        assert platform.call(token, "POST", USERS, {"custom_id": "A"}).status == 200
    finally:
        stop.set()
    for runner, asked in held:
        runner.run(asyncio.wait_for(asyncio.gather(*asked), 10))
        runner.close()


def test_every_call_of_a_key_is_logged_without_body_or_query(platform: Served, token: str) -> None:
    platform.call(token, "POST", USERS, {"custom_id": "A", "email": "ann@shop.test"})
    platform.call(token, "GET", "/api/public/users-by-id/A/timeline/?cursor=")
    platform.call(token, "POST", DEALS, {"custom_id": "D", "stage": 99})
    platform.call(token, "GET", "/api/public/deals-by-id/X/")
    platform.call(token, "GET", "/api/public/users-by-id/ann@shop.test/")
    platform.call("c" * 64, "GET", ABOUT)
    logged = requests_logged(platform)
    assert [(row[3], row[4], row[5]) for row in logged] == [
        ("POST", USERS, 200),
        ("GET", "/api/public/users-by-id/{custom_id}/timeline/", 200),
        ("POST", DEALS, 400),
        ("GET", "/api/public/deals-by-id/X/", 404),
        ("GET", "/api/public/users-by-id/{custom_id}/", 404),
    ]
    assert all(row[0] == 1 and row[7] == 1 and row[6] > 0 for row in logged)
    assert [bool(row[9]) for row in logged] == [False, False, True, True, True]
    assert len({row[8] for row in logged}) == 5
    assert "ann@shop.test" not in json.dumps(logged)
    assert token not in json.dumps(logged)


def test_reads_alone_are_logged_within_a_moment(platform: Served, token: str) -> None:
    platform.call(token, "GET", ABOUT)
    assert len(requests_logged(platform)) == 1


def test_the_log_of_requests_can_be_switched_off(tmp_path: Path) -> None:
    with served.serve(tmp_path, request_log=False) as platform:
        token = platform.new_token()
        assert platform.call(token, "POST", USERS, {"custom_id": "A"}).status == 200
        assert requests_logged(platform) == []


def test_the_log_of_requests_is_bounded_in_number(tmp_path: Path) -> None:
    with served.serve(tmp_path, request_log_rows_max=1000) as platform:
        token = platform.new_token()
        headers = {"Authorization": f"Token {token}"}
        for _ in range(11):
            platform.caller.together([Request("GET", ABOUT, headers)] * 300)
            logged = requests_logged(platform)
        assert len(logged) == 3300
        platform.do_background_work()
        assert [row[1] for row in requests_logged(platform)] == list(range(2301, 3301))


def test_the_log_of_requests_is_bounded_in_age(tmp_path: Path) -> None:
    clock = HandClock(datetime(2026, 1, 1, tzinfo=UTC))
    with served.serve(tmp_path, clock, request_log_days_max=7) as platform:
        token = platform.new_token()
        headers = {"Authorization": f"Token {token}"}
        platform.caller.together([Request("GET", ABOUT, headers)] * 600)
        assert len(requests_logged(platform)) == 600
        clock.at += timedelta(days=8)
        platform.caller.together([Request("GET", ABOUT, headers)] * 300)
        platform.do_background_work()
        assert [row[1] for row in requests_logged(platform)] == list(range(601, 901))


def test_what_was_accepted_is_there_after_a_stop_and_a_start(tmp_path: Path) -> None:
    with served.database_url(tmp_path) as url:
        with served.serve_at(url) as platform:
            token = platform.new_token()
            platform.call(token, "POST", USERS, {"custom_id": "A"})
            platform.call(token, "GET", ABOUT)
        with served.serve_at(url) as platform:
            assert platform.call(token, "GET", "/api/public/users-by-id/A/").json["id"] == 1
            assert len(platform.rows("requests")) == 2


def test_the_log_names_no_person_by_a_path_or_a_field(platform: Served, token: str) -> None:
    for target in (
        "users/k0@x.test/",
        "users/k0@x.test/timeline/",
        "users-by-id/k0@x.test/",
        "companies-by-id/k0@x.test/",
        "users/?k0@x.test__foo=1",
    ):
        platform.call(token, "GET", f"/api/public/{target}")
    platform.call(token, "GET", "/api/public/deals-by-id/O-1/")
    platform.call(token, "POST", "/api/public/users/update_or_create/", {"custom_id": "flush"})
    logged = str(platform.rows("requests"))
    assert "k0@" not in logged
    assert "/api/public/deals-by-id/O-1/" in logged


def test_a_fault_in_a_batch_is_told_under_the_request_id_that_the_log_knows(
    platform: Served, token: str, caplog: pytest.LogCaptureFixture
) -> None:
    break_deals(platform, "D")
    said = {"path": DEALS, "body": {"custom_id": "D"}}
    with caplog.at_level(logging.ERROR):
        path = "/api/ordertrail/v1/batch/"
        reply = platform.call(token, "POST", path, {"operations": [said]})
    [told] = reply.json["results"]
    assert told["status"] == 500
    assert told["body"]["request_id"] == reply.headers["x-request-id"]
    assert f"request {reply.headers['x-request-id']} failed" in caplog.text


def test_a_fault_in_an_import_is_told_at_its_row_with_the_request_id_that_the_log_knows(
    platform: Served, token: str, caplog: pytest.LogCaptureFixture
) -> None:
    break_deals(platform, "D")
    with caplog.at_level(logging.ERROR):
        path = "/api/ordertrail/v1/import/deals/"
        reply = platform.call(token, "POST", path, body=b"custom_id\nC\nD\n")
    done, failed = reply.json["results"]
    assert (done["status"], failed["row"], failed["status"]) == ("created", 3, "refused")
    request_id = reply.headers["x-request-id"]
    assert failed["errors"]["request_id"] == [request_id]
    assert f"request {request_id} failed" in caplog.text
    assert "upside down" not in reply.text
