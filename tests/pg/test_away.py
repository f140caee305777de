"""A server whose PostgreSQL is away says so, and goes on by itself when it is back."""

import threading
from collections import Counter

import psycopg
import pytest
from served_process import PAUSE_S, SECRET, Line, Site, new_token, run, serving, until, with_secret

import served
from ordertrail import opening
from ordertrail.kit.postgres import Postgres
from postgres_server import Server

USERS = "/api/public/users/update_or_create/"
DEALS = "/api/public/deals/update_or_create/"
BATCH = "/api/ordertrail/v1/batch/"
SIZE = 20
WRITERS = 6


@pytest.fixture
def url(cluster: Server) -> str:
    return with_secret(cluster.new_database())


def test_away_at_the_start_it_waits_says_so_and_begins_by_itself(cluster: Server, url: str) -> None:
    cluster.stop()
    with serving(url) as site:
        assert "It waits for its database" in site.said
        assert site.ask("GET", "/healthz").status == 200
        ready = site.ask("GET", "/readyz")
        assert (ready.status, ready.headers["retry-after"]) == (503, "1")
        assert ready.json["errors"]["database"] == ["cannot be reached"]
        for call in (("GET", "/api/public/deals/"), ("POST", USERS, {"custom_id": "A"})):
            reply = site.ask(*call)
            assert (reply.status, reply.headers["retry-after"]) == (503, "1")
        for command in (["migrate"], ["keys", "list"], ["doctor"]):
            ran = run(url, *command)
            assert (ran.code, SECRET in ran.out + ran.err) == (75, False)
            assert "see that it runs, and try again" in ran.err
        cluster.start()
        site.until_ready()
        token = new_token(url)
        assert site.ask("POST", USERS, {"custom_id": "A"}, token).status == 200
        complaints = site.stop()
    assert "Until then callers are told to come back" in complaints
    assert SECRET not in complaints + site.said
    assert "Traceback" not in complaints


class Writer(threading.Thread):
    """Writes orders one by one, or in batches, and remembers what it was answered."""

    def __init__(self, site: Site, token: str, name: str, *, in_batches: bool) -> None:
        super().__init__(name=name)
        self.stopped = threading.Event()
        self.kept: list[str] = []
        self.answers: Counter[int] = Counter()
        self.bare: list[int] = []
        self._line = Line(site.port, token)
        self._in_batches = in_batches

    def run(self) -> None:
        number = 0
        while not self.stopped.is_set():
            number += 1
            name = f"{self.name}-{number}"
            status = self._batch(name) if self._in_batches else self._one(name)
            self.answers[status] += 1
            if status == 200:
                self.kept.append(name)
            else:
                self.stopped.wait(PAUSE_S)
        self._line.close()

    def _one(self, name: str) -> int:
        reply = self._line.ask("POST", DEALS, {"custom_id": name, "value": "1.00"})
        if reply.status == 503 and reply.headers.get("retry-after") != "1":
            self.bare.append(reply.status)
        return reply.status

    def _batch(self, name: str) -> int:
        said = [{"path": DEALS, "body": {"custom_id": f"{name}/{n}"}} for n in range(SIZE)]
        reply = self._line.ask("POST", BATCH, {"operations": said})
        if reply.status != 200:
            return reply.status
        [status] = {each["status"] for each in reply.json["results"]}
        return int(status)


def test_away_in_the_middle_it_turns_callers_away_and_goes_on_by_itself(
    cluster: Server, url: str
) -> None:
    token = new_token(url)
    with serving(url) as site:
        writers = [Writer(site, token, f"W{n}", in_batches=n % 2 == 1) for n in range(WRITERS)]
        for writer in writers:
            writer.start()
        for _ in range(2):
            until_answered(writers, 200, WRITERS)
            cluster.stop()
            until_answered(writers, 503, 1)  # the others may wait for what became of their commit
            cluster.start()
            until_answered(writers, 200, WRITERS)
        for writer in writers:
            writer.stopped.set()
        for writer in writers:
            writer.join(60)
        complaints = site.stop()
    assert set().union(*(writer.answers for writer in writers)) == {200, 503}
    assert [writer.bare for writer in writers] == [[]] * WRITERS
    check_kept(url, writers)
    assert SECRET not in complaints
    assert "Traceback" not in complaints


def until_answered(writers: list[Writer], status: int, how_many: int) -> None:
    before = [writer.answers[status] for writer in writers]

    def is_so() -> bool:
        assert all(writer.is_alive() for writer in writers)
        now = [writer.answers[status] for writer in writers]
        return sum(more > less for more, less in zip(now, before, strict=True)) >= how_many

    until(is_so)


def check_kept(url: str, writers: list[Writer]) -> None:
    with psycopg.connect(url) as connection:
        names = connection.execute("SELECT split_part(custom_id, '/', 1) FROM deals").fetchall()
    there = Counter(name for (name,) in names)
    for writer in writers:
        size = SIZE if writer._in_batches else 1
        assert {there[name] for name in writer.kept} == {size}
    assert set(there.values()) == {1, SIZE}
    assert {count for name, count in there.items() if int(name[1]) % 2} == {SIZE}


def test_a_database_that_turns_out_to_be_newer_is_told_of_until_it_is_not(
    postgres: Server, caplog: pytest.LogCaptureFixture
) -> None:
    with postgres.platform() as url, psycopg.connect(url, autocommit=True) as connection:
        connection.execute("INSERT INTO migrations VALUES (9999, 'later', 'x', 0)")
        with served.serve_at(url, is_prepared=False) as platform:
            assert isinstance(platform.database, Postgres)
            opening.prepared_when_needed(platform.database, "uid")
            ready = platform.caller.call("GET", "/readyz")
            assert ready.status == 503
            assert "cannot be used as it is" in ready.json["errors"]["database"][0]
            assert "migration 9999, which this release does not know" in caplog.text
            reply = platform.call("t" * 64, "GET", "/api/public/deals/")
            assert (reply.status, reply.headers["retry-after"]) == (503, "1")
            connection.execute("DELETE FROM migrations WHERE version = 9999")
            assert platform.caller.call("GET", "/readyz").status == 200
            assert platform.call("t" * 64, "GET", "/api/public/deals/").status == 401


def test_a_statement_that_takes_too_long_is_undone_and_told(postgres: Server) -> None:
    url = postgres.new_database()
    with psycopg.connect(url, autocommit=True) as connection:
        name = url.rpartition("/")[2]
        connection.execute(f'ALTER DATABASE "{name}" SET statement_timeout = 150')
        with served.serve_at(url) as platform:
            token = platform.new_token()
            with connection.transaction():
                connection.execute("LOCK TABLE contacts")
                reply = platform.call(token, "POST", USERS, {"custom_id": "A"})
            assert (reply.status, reply.headers["retry-after"]) == (503, "1")
            assert platform.counts()["contacts"] == 0
            assert platform.call(token, "POST", USERS, {"custom_id": "A"}).status == 200
