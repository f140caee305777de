"""Servers as processes of their own: ours and its peers, and the load on them."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from bench import usage
from bench.postgres import free_port

ROOT = Path(__file__).parent.parent
PEERS = ROOT / ".venv" / "peers" / "bin" / "python"
COMMAND = [sys.executable, "-m", "ordertrail"]
CONNECTIONS = 32
CONTACTS = 1_000
START_S = 30.0
LOAD_S = 300.0
"""How much longer than it was told to a load may take."""


class Served:
    """A server process that answers on `port` to `token`."""

    port: int
    token: str
    process: "subprocess.Popen[str]"

    def request(self, method: str, path: str, body: object = None, cookie: str = "") -> str:
        raw = "" if body is None else json.dumps(body)
        who = f"Cookie: {cookie}" if cookie else f"Authorization: Token {self.token}"
        return (
            f"{method} {path} HTTP/1.1\r\nHost: bench\r\n{who}\r\n"
            "Accept: */*; version=2\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(raw)}\r\n\r\n{raw}"
        )

    def get(self, path: str) -> bytes:
        """Ask once, outside of any measurement."""
        address = f"http://127.0.0.1:{self.port}{path}"
        headers = {"Authorization": f"Token {self.token}", "Accept": "*/*; version=2"}
        with urllib.request.urlopen(urllib.request.Request(address, headers=headers)) as answer:
            return bytes(answer.read())

    def load(
        self, requests: Sequence[str], seconds: float, connections: int = CONNECTIONS
    ) -> dict[str, float]:
        """Send the requests for so long, round and round; with 0 seconds each of them once.

        An answer that is none of 2xx ends the benchmark: refusals are no work.
        """
        arguments = ["127.0.0.1", str(self.port), str(connections), str(seconds)]
        done = subprocess.run(
            [sys.executable, "-m", "bench.load", *arguments],
            input=json.dumps(requests),
            capture_output=True,
            text=True,
            check=True,
            timeout=seconds + LOAD_S,
        )
        found: dict[str, float] = json.loads(done.stdout)
        if found.pop("failures"):
            raise RuntimeError(f"{type(self).__name__} refused some of the requests")
        return found

    def cpu_s(self, database_pid: int | None = None) -> float:
        """The processor time that the server has had, and its database if that is a process."""
        own = usage.cpu_s(self.process.pid)
        return own + (usage.cpu_s(database_pid) if database_pid else 0.0)

    def stop(self) -> None:
        """Stop serving; nothing happens to one that was stopped before."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.communicate(timeout=30)


class Ordertrail(Served):
    """Our server on a fresh database."""

    def __init__(self, url: str) -> None:
        self._environment = {**os.environ, "ORDERTRAIL_DATABASE_URL": url}
        made = subprocess.run(
            [*COMMAND, "keys", "create", "--name", "bench", "--json"],
            env=self._environment,
            capture_output=True,
            check=True,
        )
        self.token = json.loads(made.stdout)["token"]
        self.start()

    def start(self) -> None:
        """Serve; again, after a stop."""
        self.process = subprocess.Popen(
            [*COMMAND, "serve", "--port", "0"],
            env=self._environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout
        found = re.search(r":(\d+)$", self.process.stdout.readline().strip())
        assert found, "the server did not say its address"
        self.port = int(found[1])

    def add_contacts(self) -> None:
        path = "/api/public/users/update_or_create/"
        people = ({"custom_id": f"user-{n}"} for n in range(CONTACTS))
        self.load([self.request("POST", path, each) for each in people], 0)

    def session(self) -> str:
        """Sign the owner into the console, and return the cookie."""
        link = subprocess.run(
            [*COMMAND, "console-link"],
            env=self._environment,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        path = link.strip().partition("/console/")[2]
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        connection.request("GET", f"/console/{path}")
        cookie = connection.getresponse().headers["Set-Cookie"]
        connection.close()
        return str(cookie).partition(";")[0]

    def commits(self) -> tuple[float, float]:
        """How many commits there were until now, and how many writes in them."""
        told = self.get("/metrics").decode()
        found = dict(
            re.findall(r"^ordertrail_batch_writes_(count|sum)(?:{.*})? (\S+)$", told, re.M)
        )
        return float(found["count"]), float(found["sum"])


class Peer(Served):
    """A peer, run by its own interpreter on a fresh database."""

    def __init__(self, module: str, command: Sequence[str], url: str) -> None:
        self.token = "k" * 64
        self.port = free_port()
        environment = {**os.environ, "PEER_DATABASE_URL": url, "PYTHONPATH": str(ROOT)}
        prepare = [str(PEERS), "-m", f"bench.peers.{module}.prepare", self.token, str(CONTACTS)]
        subprocess.run(prepare, env=environment, cwd=ROOT, check=True)
        said = [each.replace("PORT", str(self.port)) for each in command]
        self.process = subprocess.Popen(
            [str(PEERS), "-m", *said],
            env=environment,
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        _wait_for(self.port)


def django(url: str, threads: int) -> Peer:
    """Django REST framework: one process of gunicorn with so many threads."""
    worker = f"--workers 1 --worker-class gthread --threads {threads} --keep-alive 60"
    command = f"gunicorn bench.peers.drf.wsgi --bind 127.0.0.1:PORT {worker}"
    return Peer("drf", command.split(), url)


def fastapi(url: str) -> Peer:
    """FastAPI and SQLAlchemy: one process of uvicorn with uvloop and httptools."""
    command = "uvicorn bench.peers.fast.app:app --port PORT --loop uvloop --http httptools"
    return Peer("fast", [*command.split(), "--no-access-log"], url)


def _wait_for(port: int) -> None:
    until = time.monotonic() + START_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1.0).close()
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
        else:
            return
