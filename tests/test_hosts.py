"""An installation on eight hosts, of which one is cut off, one is killed and one stands still."""

import http.client
import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest

import count_on_host
from lan import NETWORK, Host, Lan, lan
from ordertrail.automation.background import LEASE_S, POLL_S
from postgres_server import BINARIES, MISSING, Server

COMMAND = [sys.executable, "-m", "ordertrail"]
COUNTING = [sys.executable, count_on_host.__file__]
WAIT_S = 40.0
PAUSE_S = 0.01
CALLERS = 4


class ServerOfHosts(Server):
    """A PostgreSQL on a host of its own, which all of the network may enter."""

    def __init__(self, folder: Path, host: Host) -> None:
        super().__init__(folder, 5432)
        self._host = host

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://postgres@{self._host.address}/{database}"

    def run(self, program: str, *arguments: str) -> None:
        words = [*self._host.command([]), *self.command(program, *arguments)]
        subprocess.run(words, cwd=self.folder, capture_output=True, text=True, check=True)

    def make(self) -> None:
        super().make()
        with (self.folder / "data" / "pg_hba.conf").open("a") as rules:
            rules.write(f"host all all {NETWORK}.0/24 trust\n")


@contextmanager
def postgres_on(host: Host) -> Iterator[ServerOfHosts]:
    if not BINARIES:
        pytest.skip(MISSING)
    folder = Path(tempfile.mkdtemp(prefix="ordertrail-hosts-"))
    try:
        shutil.chown(folder, "postgres")
        server = ServerOfHosts(folder, host)
        server.make()
        server.start("*")
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Load:
    """Callers that make orders at several servers, one server after another, until told to stop."""

    def __init__(self, servers: list[Host], token: str) -> None:
        self._servers = servers
        self._token = token
        self._numbers = itertools.count(1)
        self._ending = threading.Event()
        self.answered: list[tuple[float, str, str]] = []
        """When, by which server, and what for."""

        self.trouble: set[str] = set()
        self._threads = [threading.Thread(target=self._call, args=(n,)) for n in range(CALLERS)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._ending.set()
        for thread in self._threads:
            thread.join(WAIT_S)

    def _call(self, number: int) -> None:
        servers = itertools.cycle(self._servers[number % 2 :] + self._servers[: number % 2])
        while not self._ending.is_set():
            server = next(servers)
            line = http.client.HTTPConnection(server.address, 8000, timeout=2)
            with suppress(OSError, http.client.HTTPException):
                for _ in range(50):
                    if self._ending.wait(PAUSE_S):
                        break
                    self._make_order(line, server)
            line.close()

    def _make_order(self, line: http.client.HTTPConnection, server: Host) -> None:
        custom_id = f"O-{next(self._numbers)}"
        body = json.dumps({"custom_id": custom_id, "name": "Order", "value": 1})
        headers = {"Authorization": f"Token {self._token}", "Content-Type": "application/json"}
        line.request("POST", "/api/public/deals/update_or_create/", body, headers)
        answer = line.getresponse()
        said = answer.read()
        if answer.status in (200, 201):
            self.answered.append((time.monotonic(), server.address, custom_id))
        elif answer.status != 503:
            self.trouble.add(f"{answer.status} {said[:200]!r}")

    def count_by(self, server: Host, since: float) -> int:
        return sum(at >= since and by == server.address for at, by, _ in list(self.answered))


class Installation:
    """Two hosts that serve, four that work, one with the database; the callers are on another."""

    def __init__(self, network: Lan, url: str, ending: ExitStack) -> None:
        self.url = url
        environment = {
            "ORDERTRAIL_DATABASE_URL": url,
            "ORDERTRAIL_BACKGROUND": "false",
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        }
        self.servers = [network.host(f"s{n}") for n in (1, 2)]
        made = self.servers[0].start(
            [*COMMAND, "keys", "create", "--name", "n", "--json"], environment
        )
        self.token = json.loads(made.communicate(timeout=WAIT_S)[0])["token"]
        self.database = psycopg.connect(url, autocommit=True)
        ending.callback(self.database.close)
        self.ask(count_on_host.TABLE)
        self.working: dict[int, subprocess.Popen[str]] = {}
        for number in (1, 2, 3, 4):
            process = network.host(f"w{number}").start(COUNTING, environment)
            self.working[process.pid] = process
        for host in self.servers:
            words = ["serve", "--host", host.address, "--port", "8000"]
            host.start([*COMMAND, *words], environment)
        for process in (*self.working.values(), *(each.started[-1] for each in self.servers)):
            assert process.stdout
            assert "Ordertrail" in process.stdout.readline()

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        found = self.database.execute(query.encode())
        return found.fetchall() if found.description else []

    def holders(self) -> dict[str, int]:
        """The process that has each of the counted pieces now, by its number."""
        query = "SELECT name, holder FROM leases WHERE until > 0 AND name IN ('a', 'b')"
        return {name: int(holder.split("/")[2]) for name, holder in self.ask(query)}

    def is_ready(self, server: Host) -> bool:
        line = http.client.HTTPConnection(server.address, 8000, timeout=2)
        with closing(line), suppress(OSError, http.client.HTTPException):
            line.request("GET", "/readyz")
            return line.getresponse().status == 200
        return False


def reads(process: subprocess.Popen[str], words: str) -> None:
    """Wait until a process says something."""
    assert process.stdout
    assert any(re.search(words, line) for line in process.stdout)


def wait_for(what: Callable[[], bool]) -> float:
    """Wait until it is so, and return how long that took."""
    started, moment = time.monotonic(), threading.Event()
    while not what():
        assert time.monotonic() - started < WAIT_S, "it took too long"
        moment.wait(0.05)
    return time.monotonic() - started


@pytest.fixture
def installation() -> Iterator[Installation]:
    with ExitStack() as ending:
        network = ending.enter_context(lan())
        server = ending.enter_context(postgres_on(network.host("db")))
        yield Installation(network, server.url(), ending)


def test_no_write_is_lost_and_no_work_done_twice_when_hosts_go(installation: Installation) -> None:
    load = Load(installation.servers, installation.token)
    load.start()
    cut, other = installation.servers
    wait_for(lambda: min(load.count_by(each, 0.0) for each in (cut, other)) > 50)
    wait_for(lambda: len(set(installation.holders().values())) == 2)
    before = installation.holders()
    killed, still = (installation.working[before[piece]] for piece in "ab")

    cut.cut_off()
    killed.kill()
    still.send_signal(signal.SIGSTOP)
    at = time.monotonic()
    moved = [wait_for(lambda p=piece: installation.holders().get(p) not in (None, before[p]))
             for piece in "ab"]  # fmt: skip
    assert sum(moved) < 30
    assert sum(moved) < LEASE_S + POLL_S + 5
    wait_for(lambda: load.count_by(other, at) > 200)

    still.send_signal(signal.SIGCONT)
    cut.plug_in()
    reads(still, r"another process has the work of this one: b: turn \d+ is over")
    wait_for(lambda: installation.is_ready(cut))
    back = time.monotonic()
    wait_for(lambda: load.count_by(cut, back) > 20)
    load.stop()

    kept = {custom_id for (custom_id,) in installation.ask("SELECT custom_id FROM deals")}
    assert {custom_id for _, _, custom_id in load.answered} - kept == set()
    assert load.trouble == set()
    counted = installation.ask(
        "SELECT piece, count(*), count(DISTINCT number), max(number), count(DISTINCT holder)"
        " FROM counted GROUP BY piece ORDER BY piece"
    )
    for _, rows, numbers, last, holders in counted:
        assert rows == numbers == last
        assert holders >= 2
    print(f"{len(load.answered)} writes answered; the work moved after {moved[0]:.1f} s")
