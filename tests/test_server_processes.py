"""`serve --workers`: several processes behind one address, that start, die and stop together."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ordertrail.commands.supervising import PAUSE_FIRST_S, PAUSE_MAX_S, STEADY_S, pause_after

COMMAND = [sys.executable, "-m", "ordertrail"]
WAIT_S = 20.0


class Site:
    """A server of several processes on a database of its own."""

    def __init__(self, url: str, workers: int, metrics_port: int) -> None:
        environment = {**os.environ, "ORDERTRAIL_DATABASE_URL": url}
        made = subprocess.run(
            [*COMMAND, "keys", "create", "--name", "n", "--json"],
            env=environment, capture_output=True, check=True,
        )  # fmt: skip
        self.token = json.loads(made.stdout)["token"]
        environment["ORDERTRAIL_METRICS_PORT"] = str(metrics_port)
        self.process = subprocess.Popen(
            [*COMMAND, "serve", "--workers", str(workers), "--port", "0"],
            env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self.process.stdout
        found = re.search(r":(\d+)$", self.process.stdout.readline().strip())
        assert found, self.process.communicate()
        self.port = int(found[1])
        assert "link works once" in self.process.stdout.readline()

    def workers(self) -> set[int]:
        path = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return set(map(int, path.read_text().split()))

    def get(self, port: int, path: str) -> str:
        headers = {"Authorization": f"Token {self.token}"}
        request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=headers)
        with urllib.request.urlopen(request, timeout=WAIT_S) as answer:
            return str(answer.read().decode())

    def hears(self, port: int) -> None:
        """Wait until a process answers there."""
        until = time.monotonic() + WAIT_S
        while True:
            try:
                self.get(port, "/healthz")
            except OSError:
                assert time.monotonic() < until
            else:
                return

    def stop(self) -> tuple[int, str]:
        self.process.send_signal(signal.SIGTERM)
        said = self.process.communicate(timeout=WAIT_S)[1]
        return self.process.returncode, said


def two_free_ports() -> int:
    while True:
        with socket.create_server(("127.0.0.1", 0)) as first:
            port: int = first.getsockname()[1]
            try:
                socket.create_server(("127.0.0.1", port + 1)).close()
            except OSError:
                continue
            return port


@pytest.fixture
def metrics_port() -> int:
    return two_free_ports()


@pytest.fixture
def site(postgres: Any, metrics_port: int) -> Iterator[Site]:
    with postgres.platform() as url:
        made = Site(url, 2, metrics_port)
        yield made
        made.process.kill()
        made.process.communicate()


def started(told: str) -> str:
    """What tells one process from another in its figures."""
    found = re.search(r"^process_start_time_seconds (\S+)$", told, re.M)
    assert found
    return found[1]


def test_it_serves_by_several_processes_and_starts_one_again_that_dies(
    site: Site, metrics_port: int
) -> None:
    site.hears(metrics_port)
    site.hears(metrics_port + 1)
    first = site.workers()
    assert len(first) == 2
    for port in (metrics_port, metrics_port + 1):
        assert "ordertrail_requests_total" in site.get(port, "/metrics")
    asked = {started(site.get(site.port, "/metrics")) for _ in range(60)}
    own = {started(site.get(port, "/metrics")) for port in (metrics_port, metrics_port + 1)}
    assert asked == own
    os.kill(max(first), signal.SIGKILL)
    site.hears(metrics_port)
    site.hears(metrics_port + 1)
    assert len(site.workers()) == 2
    assert min(first) in site.workers()
    assert max(first) not in site.workers()
    code, said = site.stop()
    assert code == 0
    [told] = [line for line in said.splitlines() if " INFO " not in line]
    assert "is started again" in told
    assert "ended (SIGKILL); it is started again in 0.5 s" in said
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", site.port))


def test_what_was_taken_is_answered_when_it_is_told_to_stop(site: Site, metrics_port: int) -> None:
    site.hears(metrics_port)
    site.hears(metrics_port + 1)
    body = json.dumps({"custom_id": "A"}).encode()
    with socket.create_connection(("127.0.0.1", site.port), timeout=WAIT_S) as line:
        head = (
            f"POST /api/public/users/update_or_create/ HTTP/1.1\r\nHost: a\r\n"
            f"Authorization: Token {site.token}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        line.sendall(head.encode() + body[:-1])
        for port in (metrics_port, metrics_port + 1) * 2:  # by then both have read what was sent
            site.get(port, "/healthz")
        site.process.send_signal(signal.SIGTERM)
        line.sendall(body[-1:])
        assert line.makefile("rb").readline().split()[1] == b"200"
    assert site.stop()[0] == 0


def test_processes_stop_when_the_one_that_started_them_is_killed(
    site: Site, metrics_port: int
) -> None:
    site.hears(metrics_port)
    site.hears(metrics_port + 1)
    orphans = site.workers()
    site.process.kill()
    site.process.communicate()
    until = time.monotonic() + WAIT_S
    while any(Path(f"/proc/{pid}").exists() for pid in orphans):
        assert time.monotonic() < until


def test_another_server_cannot_take_the_same_port(site: Site, metrics_port: int) -> None:
    site.hears(metrics_port)
    with socket.create_server(("127.0.0.1", 0)) as unused:
        database = f"postgresql://127.0.0.1:{unused.getsockname()[1]}/x"
    done = subprocess.run(
        [*COMMAND, "serve", "--workers", "2", "--port", str(site.port), "--database", database],
        capture_output=True, text=True, timeout=WAIT_S, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert f"cannot listen on 127.0.0.1:{site.port}" in done.stderr


def test_a_file_is_served_by_one_process(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/t.db"
    done = subprocess.run(
        [*COMMAND, "serve", "--workers", "2", "--port", "0", "--database", url],
        capture_output=True, text=True, timeout=WAIT_S, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "one process serves a SQLite file; say --database postgresql://" in done.stderr
    assert not (tmp_path / "t.db").exists()


def test_one_that_dies_again_and_again_is_started_less_and_less_often() -> None:
    pause_s, pauses = 0.0, []
    for _ in range(10):
        pause_s = pause_after(0.1, pause_s)
        pauses.append(pause_s)
    assert pauses[:4] == [PAUSE_FIRST_S, 1.0, 2.0, 4.0]
    assert pauses[-1] == PAUSE_MAX_S
    assert pause_after(STEADY_S, pause_s) == PAUSE_FIRST_S


def test_background_work_has_a_command_of_its_own_and_stops_when_it_is_told_to(
    postgres: Any, tmp_path: Path
) -> None:
    with postgres.platform() as url:
        working = subprocess.Popen(
            [*COMMAND, "work", "--database", url],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert working.stdout
        assert "does background work" in working.stdout.readline()
        working.terminate()
        said = working.communicate(timeout=WAIT_S)[1]
        assert (working.returncode, said) == (0, "")
    done = subprocess.run(
        [*COMMAND, "work", "--database", f"sqlite:///{tmp_path}/t.db"],
        capture_output=True, text=True, timeout=WAIT_S, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "`ordertrail serve` does the work of a SQLite file" in done.stderr
