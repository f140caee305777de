"""What watches over a server is told whether it works, and what it does."""

import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

import asgi
import served
from asgi import Caller, Reply, Request
from ordertrail import app, opening
from ordertrail.kit.committer import Batch
from ordertrail.kit.database import DatabaseAway, Tx
from ordertrail.kit.sqlite import Sqlite
from ordertrail.settings import Settings
from served import Served

USERS = "/api/public/users/update_or_create/"


def figures(platform: Served) -> dict[tuple[str, frozenset[str]], float]:
    """Every sample by its name and the values of its labels."""
    reply = platform.caller.call("GET", "/metrics")
    assert reply.status == 200
    return {
        (sample.name, frozenset(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(reply.text)
        for sample in family.samples
    }


def figure(platform: Served, name: str, *labels: str) -> float:
    return figures(platform)[name, frozenset(labels)]


def test_a_server_that_works_says_so(platform: Served) -> None:
    alive, ready = (platform.caller.call("GET", path) for path in ("/healthz", "/readyz"))
    assert (alive.status, alive.text) == (200, "ok")
    assert (ready.status, ready.json) == (200, {"status": "ready"})


def not_ready(reply: Reply) -> dict[str, list[str]]:
    assert (reply.status, reply.headers["retry-after"]) == (503, "1")
    assert reply.json["detail"].startswith("Not ready: ")
    return reply.json["errors"]


def test_a_server_whose_writes_stand_still_says_so(platform: Served) -> None:
    held, go_on = threading.Event(), threading.Event()

    def hold(tx: Tx, batch: Batch[None]) -> list[None]:
        held.set()
        assert go_on.wait(20)
        return [None]

    committer = platform.running.committer
    holding = threading.Thread(target=committer.commit_and_wait, args=(1, hold, [None]))
    holding.start()
    assert held.wait(10)
    replies = platform.caller.together([Request("GET", "/readyz")] * 20)
    assert [not_ready(each) for each in replies] == [{"committer": ["no answer within 1 s"]}] * 20
    assert platform.caller.call("GET", "/healthz").status == 200
    assert figure(platform, "ordertrail_writes_waiting") == 1
    go_on.set()
    holding.join(10)
    assert platform.caller.call("GET", "/readyz").status == 200


class Breakable(Sqlite):
    """A database that can be taken away."""

    is_away = False

    def read(self, work):
        if self.is_away:
            raise DatabaseAway(f"{self.path}: gone")
        return super().read(work)

    def write(self, work):
        if self.is_away:
            raise DatabaseAway(f"{self.path}: gone")
        return super().write(work)


@pytest.fixture
def breakable(tmp_path: Path) -> Iterator[tuple[Breakable, Caller]]:
    settings = Settings(database_url=f"sqlite:///{tmp_path}/platform.db")
    opening.opened(settings, "test-installation").close()
    database = Breakable(tmp_path / "platform.db")
    application = app.create_app(settings, app.parts(settings, database))
    with asgi.serving(application) as caller:
        yield database, caller


def test_a_server_without_its_database_says_so_and_not_where_it_was(
    breakable: tuple[Breakable, Caller],
) -> None:
    database, caller = breakable
    database.is_away = True
    reply = caller.call("GET", "/readyz")
    assert not_ready(reply).keys() == {"database", "committer"}
    assert str(database.path) not in reply.text
    database.is_away = False
    assert caller.call("GET", "/readyz").status == 200


def test_requests_are_counted_by_method_route_and_kind_of_answer(
    platform: Served, token: str
) -> None:
    for custom_id in ("A", "B", "C"):
        platform.call(token, "POST", USERS, {"custom_id": custom_id})
    platform.call(token, "POST", USERS, {})
    platform.call(token, "GET", "/api/public/users-by-id/A/")
    platform.call(token, "PATCH", "/nothing/at/all")
    platform.call(token, "PATCH", "/api/nothing/at/all")
    one = "/api/public/users-by-id/{custom_id}/"
    found = figures(platform)

    def count(*labels: str) -> float:
        return found["ordertrail_requests_total", frozenset(labels)]

    assert count("POST", USERS, "2xx") == 3
    assert count("POST", USERS, "4xx") == 1
    assert count("GET", one, "2xx") == 1
    assert count("PATCH", "none", "4xx") == 1
    durations = "ordertrail_request_duration_seconds"
    assert found[f"{durations}_count", frozenset(("POST", USERS))] == 4
    assert found[f"{durations}_bucket", frozenset(("POST", USERS, "+Inf"))] == 4
    assert 0 < found[f"{durations}_sum", frozenset(("GET", one))] < 10
    commits = found["ordertrail_commit_duration_seconds_count", frozenset()]
    assert found["ordertrail_batch_writes_count", frozenset()] == commits >= 3
    assert found["ordertrail_reads_waiting", frozenset(("keys",))] == 0


def test_the_release_and_the_process_are_told(platform: Served) -> None:
    found = figures(platform)
    assert found["process_resident_memory_bytes", frozenset()] > 1 << 20
    assert [labels for name, labels in found if name == "ordertrail_build_info"]


def test_metrics_name_nobody(platform: Served, token: str) -> None:
    platform.call(token, "GET", "/api/public/users-by-id/ada@shop.test/")
    platform.call(token, "GET", "/api/ada@shop.test/?ada=ada")
    platform.call(token, "GET", "/console/deals/17?q=ada@shop.test")
    platform.call(token, "ADA", "/api/")
    said = platform.caller.call("GET", "/metrics").text
    assert not re.search("(?i)ada|/17", said)
    assert 'route="/console/deals/{id:int}"' in said


@pytest.mark.parametrize(
    ("client", "headers", "status"),
    [
        (("127.0.0.1", 5), {}, 200),
        (("127.9.0.1", 5), {}, 200),
        (("::1", 5), {}, 200),
        (("::ffff:127.0.0.1", 5), {}, 200),
        (("10.0.0.1", 5), {}, 403),
        (("::ffff:10.0.0.1", 5), {}, 403),
        (("somewhere", 5), {}, 403),
        (None, {}, 403),
        (("127.0.0.1", 5), {"X-Forwarded-For": "127.0.0.1"}, 403),
        (("127.0.0.1", 5), {"Forwarded": "for=10.0.0.1"}, 403),
        (("127.0.0.1", 5), {"X-Real-IP": "10.0.0.1"}, 403),
    ],
)
def test_metrics_are_told_on_the_same_machine_alone(
    platform: Served, client: tuple[str, int] | None, headers: dict[str, str], status: int
) -> None:
    reply = platform.caller.call("GET", "/metrics", client=client, headers=headers)
    assert reply.status == status
    if status == 403:
        assert "ORDERTRAIL_METRICS_OPEN" in reply.json["detail"]


def test_metrics_are_told_to_all_if_so_set(tmp_path: Path) -> None:
    with served.serve(tmp_path, metrics_open=True) as platform:
        reply = platform.caller.call("GET", "/metrics", client=("10.0.0.1", 5))
    assert reply.status == 200


def test_metrics_are_told_in_the_form_that_is_asked_for(platform: Served) -> None:
    accept = {"Accept": "application/openmetrics-text; version=1.0.0"}
    reply = platform.caller.call("GET", "/metrics", headers=accept)
    assert reply.headers["content-type"].startswith("application/openmetrics-text")
    assert reply.text.endswith("# EOF\n")
    plain = platform.caller.call("GET", "/metrics")
    assert plain.headers["content-type"].startswith("text/plain")
