"""A real PostgreSQL for tests: a cluster of its own in a temporary folder, a database for each.

PostgreSQL refuses to run as root, so root runs it as Debian's user `postgres`.
"""

import atexit
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import lru_cache
from pathlib import Path

import psycopg
import pytest

from ordertrail import opening
from ordertrail.settings import Settings

BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parent.name))
CHEAP = "-c fsync=off -c full_page_writes=off -c wal_level=minimal -c max_wal_senders=0 -c jit=off"
"""Settings of a cluster that may lose everything with its machine."""

MISSING = "needs Debian's postgresql: /usr/lib/postgresql/*/bin is not there"


KEEP = """
CREATE SCHEMA before;
DO $$ DECLARE each regclass; BEGIN
    FOR each IN SELECT oid FROM pg_class
        WHERE relkind IN ('r', 'p') AND NOT relispartition AND relnamespace = 'public'::regnamespace
    LOOP
        EXECUTE format('CREATE TABLE before.%I AS TABLE %s', each::text, each);
    END LOOP;
END $$
"""
BREAKING = "breaking"
"""The schema of what a test puts in the way; it goes with what depends on it."""

AS_BEFORE = f"""
SET client_min_messages = warning;
DROP SCHEMA IF EXISTS {BREAKING} CASCADE;
SET session_replication_role = replica;
DO $$ DECLARE each regclass; BEGIN
    FOR each IN SELECT oid FROM pg_class
        WHERE relkind IN ('r', 'p') AND NOT relispartition AND relnamespace = 'public'::regnamespace
    LOOP
        EXECUTE format('DELETE FROM %s', each);
        EXECUTE format('INSERT INTO %s TABLE before.%I', each, each::text);
    END LOOP;
END $$
"""


def _prepare(url: str) -> None:
    opening.opened(Settings(database_url=url), "test-installation").close()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(KEEP)


class Server:
    """A running cluster that gives out fresh databases."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.port = port
        self._made = 0
        self._template = ""
        self._clean: list[str] = []

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def new_database(self) -> str:
        """Make an empty database and return its address."""
        return self._made_like("template1")

    @contextmanager
    def platform(self) -> Iterator[str]:
        """Lend a database with the platform's tables and its first workspace, and nothing else.

        It is a copy of a template, and becomes like it again when it is given back: that costs a
        tenth of another copy.
        """
        if not self._template:
            self._template = "platform"
            self._execute('CREATE DATABASE "platform"')
            _prepare(self.url("platform"))
        url = self._clean.pop() if self._clean else self._made_like("platform")
        yield url
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(AS_BEFORE)
        self._clean.append(url)

    def _made_like(self, template: str) -> str:
        self._made += 1
        name = f"test_{self._made}"
        self._execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY WAL_LOG')
        return self.url(name)

    def _execute(self, statement: str) -> None:
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(statement)  # type: ignore[call-overload]

    def end_connections(self) -> None:
        """Cut everybody off."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
            )

    def run(self, program: str, *arguments: str) -> None:
        command = self.command(program, *arguments)
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{program}: {done.stderr or done.stdout}")

    def command(self, program: str, *arguments: str) -> list[str]:
        """The words that run a program of PostgreSQL."""
        return [*as_postgres(), str(BINARIES[-1] / program), *arguments]

    def start(self, address: str = "127.0.0.1") -> None:
        options = f"-p {self.port} -k {self.folder} -c listen_addresses={address} {CHEAP}"
        log = str(self.folder / "log")
        self.run("pg_ctl", "-D", self._data, "-o", options, "-l", log, "-w", "start")

    def stop(self) -> None:
        self.run("pg_ctl", "-D", self._data, "-m", "immediate", "-w", "stop")

    @property
    def _data(self) -> str:
        return str(self.folder / "data")

    def make(self) -> None:
        self.run("initdb", "-D", self._data, "-A", "trust", "-U", "postgres", "--no-sync")


@contextmanager
def running(within: Path | None = None) -> Iterator[Server]:
    """Run a cluster, in a folder of its own within one, and remove it afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="ordertrail-postgres-", dir=within))
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres")
        server = Server(folder, free_port())
        server.make()
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@lru_cache(maxsize=1)
def shared() -> Server:
    """The cluster of this run of the suite."""
    if not BINARIES:
        pytest.skip(MISSING)
    stack = ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(running())


@pytest.fixture(scope="session")
def postgres() -> Server:
    """The cluster of this run of the suite."""
    return shared()


def as_postgres() -> list[str]:
    """What a command begins with that must not run as root."""
    return (
        ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
        if (os.geteuid() == 0)
        else []
    )


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])
