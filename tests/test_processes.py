"""The journey with real processes: server and sync over a socket, also when both are killed."""

import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path

import pytest

from ordertrail.kit.sqlite import Sqlite
from retail_file import write_shop

COMMAND = [sys.executable, "-m", "ordertrail"]


class Site:
    """One folder with a platform's database and a sync's outbox."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self.environment = {
            **os.environ,
            "ORDERTRAIL_DATABASE_URL": f"sqlite:///{folder}/platform.db",
            "ORDERTRAIL_OUTBOX": str(folder / "outbox"),
        }
        made = self.run("keys", "create", "--name", "sync", "--json")
        self.environment["ORDERTRAIL_TOKEN"] = json.loads(made.stdout)["token"]
        self.port = 0
        self.started: list[subprocess.Popen] = []

    def close(self) -> None:
        for process in self.started:
            process.kill()
            process.communicate()

    def start(self, *words: str) -> subprocess.Popen:
        process = subprocess.Popen(
            [*COMMAND, *words],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.started.append(process)
        return process

    def run(self, *words: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [*COMMAND, *words],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )

    def serve(self) -> tuple[subprocess.Popen, str]:
        server = self.start("serve", "--port", str(self.port))
        said = server.stdout.readline() + server.stdout.readline()
        self.port = int(re.search(r"127\.0\.0\.1:(\d+)", said)[1])
        self.environment["ORDERTRAIL_URL"] = f"http://127.0.0.1:{self.port}"
        return server, said

    def sync(self, shop: Path) -> subprocess.Popen:
        return self.start("sync", str(shop), "--json")

    def holds(self) -> dict[str, list]:
        """What the platform holds, without ids and times of its own."""
        database = Sqlite(self.folder / "platform.db")
        found = {
            name: database.read(lambda reader, query=query: reader.rows(query))
            for name, query in HELD.items()
        }
        database.close()
        return found


HELD = {
    name: f"SELECT json_group_array(json_array({columns}) ORDER BY {columns}) FROM {source}"
    for name, columns, source in (
        (
            "deals",
            "d.custom_id, d.name, d.stage_id, d.status, d.value_minor, d.attributes, c.custom_id",
            "deals d JOIN contacts c ON c.id = d.contact_id",
        ),
        (
            "lines",
            "d.custom_id, o.position, o.product_custom_id, o.quantity, o.price_micros",
            "order_products o JOIN deals d ON d.id = o.deal_id",
        ),
        (
            "product events",
            "p.custom_id, e.event_type, e.at, e.custom_data, c.custom_id",
            """product_events e JOIN products p ON p.id = e.product_id
            JOIN contacts c ON c.id = e.contact_id""",
        ),
        (
            "events",
            "t.name, e.at, e.data, c.custom_id",
            """events e JOIN event_types t ON t.id = e.event_type_id
            JOIN contacts c ON c.id = e.contact_id""",
        ),
        ("products", "custom_id, details", "products"),
        ("contacts", "custom_id, email, profile", "contacts"),
    )
}


def stop(process: subprocess.Popen, how: signal.Signals = signal.SIGTERM) -> int:
    process.send_signal(how)
    process.communicate(timeout=30)
    return process.returncode


@pytest.fixture
def site(tmp_path):
    made = Site(tmp_path / "site")
    yield made
    made.close()


@pytest.fixture(scope="module")
def shop(tmp_path_factory) -> Path:
    return write_shop(tmp_path_factory.mktemp("shop") / "orders.csv", orders=60)


@pytest.fixture(scope="module")
def undisturbed(shop, tmp_path_factory):
    site = Site(tmp_path_factory.mktemp("calm") / "site")
    server, _ = site.serve()
    first = site.sync(shop)
    said = json.loads(first.communicate(timeout=60)[0])
    again = site.sync(shop)
    said_again = json.loads(again.communicate(timeout=60)[0])
    codes = first.returncode, again.returncode, stop(server)
    yield site, said, said_again, codes
    site.close()


def test_a_synced_file_is_held_whole_and_a_second_run_changes_nothing(undisturbed):
    site, said, again, codes = undisturbed
    assert codes == (0, 0, 0)
    assert said["changed"] == said["orders"] == 60
    assert (again["changed"], again["unchanged"], again["delivered"]) == (0, 60, {})
    held = site.holds()
    assert len(held["deals"]) == len(held["events"]) == 60
    assert {deal[2] for deal in held["deals"]} == {2, 3}


def test_the_link_that_serve_prints_opens_the_console(site):
    server, said = site.serve()
    link = re.search(r"http://\S+code=\S+", said)[0]
    jar = urllib.request.HTTPCookieProcessor()
    with urllib.request.build_opener(jar).open(link, timeout=10) as page:
        assert page.status == 200
        assert "Sign out" in page.read().decode()
    assert stop(server) == 0


@pytest.mark.parametrize("seed", [1, 2])
def test_killed_at_any_moment_it_comes_to_the_same_end(seed, shop, undisturbed, site):
    rng = random.Random(seed)
    server, _ = site.serve()
    for _ in range(4):
        sync = site.sync(shop)
        try:
            sync.communicate(timeout=rng.uniform(0.4, 1.4))
        except subprocess.TimeoutExpired:
            stop(server, signal.SIGKILL)
            stop(sync, signal.SIGKILL)
            server, _ = site.serve()
    last = site.sync(shop)
    said = json.loads(last.communicate(timeout=60)[0])
    assert (last.returncode, said["waiting"], said["parked"]) == (0, 0, 0)
    assert stop(server) == 0
    assert site.holds() == undisturbed[0].holds()


class Line:
    """A connection to the server, and requests that make a contact each."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.socket = socket.create_connection(("127.0.0.1", site.port), timeout=12)
        self.answers = self.socket.makefile("rb")

    def contact(self, custom_id: str) -> bytes:
        body = json.dumps({"custom_id": custom_id}).encode()
        return (
            b"POST /api/public/users/update_or_create/ HTTP/1.1\r\nHost: a\r\n"
            b"Authorization: Token %s\r\nContent-Length: %d\r\n\r\n%s"
            % (self.site.environment["ORDERTRAIL_TOKEN"].encode(), len(body), body)
        )

    def say(self, data: bytes) -> None:
        self.socket.sendall(data)

    def hear(self) -> tuple[int, bool]:
        """The status of the next answer, and whether it is the last one."""
        status = int(self.answers.readline().split()[1])
        lines = [line.strip().lower() for line in iter(self.answers.readline, b"\r\n")]
        length = next(int(line.split()[1]) for line in lines if line.startswith(b"content-length"))
        self.answers.read(length)
        return status, b"connection: close" in lines

    def close(self) -> None:
        self.answers.close()
        self.socket.close()


def test_a_server_that_is_told_to_stop_as_soon_as_it_speaks_stops(site):
    process = site.start("serve", "--port", "0")
    assert "serves at" in process.stdout.readline()
    process.terminate()
    _, complaint = process.communicate(timeout=20)
    assert (process.returncode, complaint) == (0, "")


def test_a_server_that_is_told_to_stop_answers_what_it_has_taken_and_nothing_else(site):
    server, _ = site.serve()
    database = Sqlite(site.folder / "platform.db")
    held, go_on = threading.Event(), threading.Event()

    def hold(_) -> None:
        held.set()
        assert go_on.wait(20)

    holding = threading.Thread(target=database.write, args=(hold,))
    holding.start()
    assert held.wait(10)
    lines = [Line(site) for _ in range(53)]
    idle, late, never, *others = lines
    for number, line in enumerate(others):
        line.say(line.contact(f"A{number}"))
    whole = late.contact("late")
    late.say(whole[:-5])
    never.say(never.contact("never")[:-5])
    for _ in range(3):  # by then the server has read all of the above
        idle.say(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
        assert idle.hear() == (200, False)
    server.send_signal(signal.SIGTERM)
    assert idle.socket.recv(1) == b""
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", site.port))
    late.say(whole[-5:])
    go_on.set()
    assert [line.hear() for line in (*others, late)] == [(200, True)] * 51
    assert never.hear() == (408, True)
    never.close()
    said = server.communicate(timeout=15)[1]
    assert (server.returncode, said) == (0, "")
    assert len(site.holds()["contacts"]) == 51
    holding.join()
    database.close()
    for line in lines:
        line.close()
