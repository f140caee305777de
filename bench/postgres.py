"""A PostgreSQL of its own in a temporary folder, the same for every contender, and its `pgbench`.

Every commit is flushed. PostgreSQL refuses to run as root, so root runs it as Debian's user
`postgres`.
"""

import os
import re
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parent.name))
SETTINGS = {
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "shared_buffers": "512MB",
    "max_wal_size": "4GB",
    "max_connections": "200",
    "listen_addresses": "127.0.0.1",
}
CLIENTS = 8
THREADS = 2


@dataclass(frozen=True)
class Postgres:
    """A running cluster that gives out fresh databases."""

    folder: Path
    port: int

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    @property
    def pid(self) -> int:
        """The process that all others of the cluster were started by."""
        return int((self.folder / "data" / "postmaster.pid").read_text().split()[0])

    def new_database(self, name: str) -> str:
        """Make a database and return its address."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"'.encode())
        return self.url(name)

    def pgbench(self, url: str, script: str, seconds: float, **variables: int) -> float:
        """Return how many transactions a second its clients make of the script."""
        path = self.folder / "script.sql"
        path.write_text(script)
        path.chmod(0o644)
        defined = [f"-D{name}={value}" for name, value in variables.items()]
        arguments = ["-n", "-M", "prepared", f"-c{CLIENTS}", f"-j{THREADS}", f"-T{seconds:.0f}"]
        command = [*arguments, *defined, "-f", str(path), url]
        said = self.run("pgbench", *command)
        found = re.search(r"^tps = ([\d.]+)", said, re.MULTILINE)
        assert found, said
        return float(found[1])

    def run(self, program: str, *arguments: str) -> str:
        command = [*as_postgres(), str(BINARIES[-1] / program), *arguments]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{program}: {done.stderr or done.stdout}")
        return done.stdout

    def start(self) -> None:
        data, log = str(self.folder / "data"), str(self.folder / "log")
        said = " ".join(f"-c {name}={value}" for name, value in SETTINGS.items())
        options = f"-p {self.port} -k {self.folder} {said}"
        self.run("initdb", "-D", data, "-A", "trust", "-U", "postgres")
        self.run("pg_ctl", "-D", data, "-o", options, "-l", log, "-w", "start")

    def stop(self) -> None:
        self.run("pg_ctl", "-D", str(self.folder / "data"), "-m", "fast", "-w", "stop")


@contextmanager
def running() -> Iterator[Postgres | None]:
    """Run a cluster and remove it afterwards; None where PostgreSQL is not installed."""
    if not BINARIES:
        yield None
        return
    folder = Path(tempfile.mkdtemp(prefix="ordertrail-bench-"))
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres")
        postgres = Postgres(folder, free_port())
        postgres.start()
        try:
            yield postgres
        finally:
            postgres.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


def as_postgres() -> list[str]:
    if os.geteuid():
        return []
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
