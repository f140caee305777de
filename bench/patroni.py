"""A cluster of PostgreSQL that looks after itself, on loopback: Patroni and etcd, both from Debian.

Everything is in a temporary folder, and is ended and removed afterwards.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.postgres import BINARIES, as_postgres, free_port

START_S = 60.0
TTL_S = 20
"""How long a leader may be silent before another is chosen: the least that Patroni accepts."""

LOOP_S = 5
RETRY_S = 5
NEEDED = ("patroni", "etcd", "setpriv")


def missing() -> list[str]:
    """Return what has to be installed first."""
    found = [name for name in NEEDED if not shutil.which(name)]
    return found if BINARIES else [*found, "postgresql"]


@dataclass
class Member:
    """One server: where it listens, and the process of Patroni that tends it."""

    name: str
    folder: Path
    port: int
    door: int
    process: "subprocess.Popen[bytes]"

    def postmaster(self) -> int:
        """Return the process that all others of the server were started by."""
        return int((self.folder / "data" / "postmaster.pid").read_text().split()[0])

    def children(self, title: str = "") -> list[int]:
        """Return the server's other processes, whose title has these words in it."""
        number = self.postmaster()
        found = Path(f"/proc/{number}/task/{number}/children").read_text().split()
        return [int(pid) for pid in found if title in Path(f"/proc/{pid}/cmdline").read_text()]

    def die(self) -> None:
        """End everything of this server at once, as if its machine had lost its power."""
        for pid in (self.process.pid, self.postmaster(), *self.children()):
            _tell(pid, signal.SIGKILL)
        self.process.wait()

    def state(self) -> Mapping[str, Any]:
        """Return what Patroni says of the server; nothing when it does not answer."""
        with contextlib.suppress(OSError, ValueError):
            address = f"http://127.0.0.1:{self.door}/patroni"
            with urllib.request.urlopen(address, timeout=2) as answer:
                found: dict[str, Any] = json.load(answer)
                return found
        return {}


class Cluster:
    """Several servers, one of which takes writes."""

    def __init__(self, folder: Path, count: int, *, is_synchronous: bool) -> None:
        self._folder = folder
        self._is_synchronous = is_synchronous
        self._etcd = free_port()
        self._started: list[subprocess.Popen[bytes]] = []
        self._start_etcd()
        self.members = [self._start_member(f"p{n}") for n in range(1, count + 1)]

    def url(self, database: str) -> str:
        """Return an address that leads to whichever server takes writes."""
        hosts = ",".join(f"127.0.0.1:{each.port}" for each in self.members)
        return f"postgresql://postgres@{hosts}/{database}?target_session_attrs=read-write"

    def leader(self) -> Member | None:
        for member in self.members:
            state = member.state()
            if state.get("role") == "master" and state.get("state") == "running":
                return member
        return None

    def wait_until_safe(self) -> Member:
        """Wait for a leader whose writes every other server gets, one of them at once."""
        until = time.monotonic() + START_S
        while time.monotonic() < until:
            leader = self.leader()
            others = leader.state().get("replication", []) if leader else []
            states = [each.get("sync_state") for each in others]
            is_safe = "sync" in states or not self._is_synchronous
            if leader and len(others) == len(self.members) - 1 and is_safe:
                return leader
            time.sleep(0.2)
        raise RuntimeError(f"no cluster within {START_S:g} s; see {self._folder}")

    def lose_leader(self, behind_s: float) -> None:
        """Let the leader die when the others have received nothing for so long.

        What was on its way to them is lost as well.
        """
        leader = self.wait_until_safe()
        others = [each for each in self.members if each is not leader]
        receivers = [pid for each in others for pid in each.children("walreceiver")]
        for pid in receivers:
            _tell(pid, signal.SIGSTOP)
        time.sleep(behind_s)
        leader.die()
        for told in (signal.SIGTERM, signal.SIGCONT):
            for pid in receivers:
                _tell(pid, told)

    def end(self) -> None:
        for process in reversed(self._started):
            process.terminate()
        for process in reversed(self._started):
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()

    def _start_etcd(self) -> None:
        own = f"http://127.0.0.1:{free_port()}"
        client = f"http://127.0.0.1:{self._etcd}"
        told = {
            "name": "e",
            "data-dir": str(self._folder / "etcd"),
            "listen-client-urls": client,
            "advertise-client-urls": client,
            "listen-peer-urls": own,
            "initial-advertise-peer-urls": own,
            "initial-cluster": f"e={own}",
        }
        self._start("etcd", ["etcd", *(f"--{name}={value}" for name, value in told.items())])

    def _start_member(self, name: str) -> Member:
        folder = self._folder / name
        port, door = free_port(), free_port()
        folder.mkdir(mode=0o700)
        file = folder / "patroni.json"
        file.write_text(json.dumps(self._told(name, folder, port, door)))
        if os.geteuid() == 0:
            for each in (folder, file):
                shutil.chown(each, "postgres")
        return Member(name, folder, port, door, self._start(name, ["patroni", str(file)]))

    def _told(self, name: str, folder: Path, port: int, door: int) -> dict[str, Any]:
        parameters = {"max_connections": 100, "unix_socket_directories": str(folder)}
        dcs = {
            "ttl": TTL_S,
            "loop_wait": LOOP_S,
            "retry_timeout": RETRY_S,
            "synchronous_mode": self._is_synchronous,
            "postgresql": {"parameters": parameters},
        }
        rules = [f"host {what} all 127.0.0.1/32 trust" for what in ("all", "replication")]
        return {
            "scope": "ordertrail",
            "name": name,
            "etcd3": {"host": f"127.0.0.1:{self._etcd}"},
            "restapi": {"listen": f"127.0.0.1:{door}", "connect_address": f"127.0.0.1:{door}"},
            "bootstrap": {"dcs": dcs, "initdb": [{"encoding": "UTF8"}, {"auth": "trust"}]},
            "postgresql": {
                "listen": f"127.0.0.1:{port}",
                "connect_address": f"127.0.0.1:{port}",
                "data_dir": str(folder / "data"),
                "bin_dir": str(BINARIES[-1]),
                "pgpass": str(folder / "pgpass"),
                "authentication": {
                    "superuser": {"username": "postgres"},
                    "replication": {"username": "replicator"},
                },
                "pg_hba": rules,
            },
        }

    def _start(self, name: str, words: Sequence[str]) -> "subprocess.Popen[bytes]":
        bare = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
        with (self._folder / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(
                [*as_postgres(), *words], cwd="/", env=bare, stdout=log, stderr=log
            )
        self._started.append(process)
        return process


@contextlib.contextmanager
def cluster(count: int, *, is_synchronous: bool) -> Iterator[Cluster]:
    """Run a cluster, and remove it afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="ordertrail-failover-"))
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres")
        made = Cluster(folder, count, is_synchronous=is_synchronous)
        try:
            made.wait_until_safe()
            yield made
        finally:
            made.end()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _tell(pid: int, told: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, told)
