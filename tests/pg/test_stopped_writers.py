"""A process that stands still or dies in the middle of a transaction holds nobody up for long."""

import contextlib
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ordertrail.kit import clock
from ordertrail.kit.database import DatabaseAway, Tx
from ordertrail.kit.postgres import Postgres
from ordertrail.store import writers
from postgres_server import Server

HOLDER = Path(__file__).parent / "holder.py"


@pytest.fixture
def url(postgres: Server) -> Iterator[str]:
    with postgres.platform() as lent:
        yield lent


@contextlib.contextmanager
def holding(url: str, idle_limit_s: float) -> Iterator["subprocess.Popen[str]"]:
    """A process that holds the workspace, and that the server gives so long."""
    process = subprocess.Popen(
        [sys.executable, str(HOLDER), url, str(idle_limit_s)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout
        assert process.stdout.readline() == "held\n"
        yield process
    finally:
        process.kill()
        process.communicate()


def write(url: str, patience_s: float) -> None:
    """Write into the workspace, or raise DatabaseAway when it is not to be had in time."""

    def wait(tx: Tx) -> None:
        tx.run(f"SET LOCAL lock_timeout = {round(patience_s * 1_000)}")
        writers.claim(tx, 1, "other", 1, clock.utc_now())

    with contextlib.closing(Postgres(url)) as database:
        database.write(wait)


def test_one_that_stands_still_is_undone_after_a_while_and_begins_anew(url: str) -> None:
    with holding(url, idle_limit_s=1.0) as process:
        process.send_signal(signal.SIGSTOP)
        with pytest.raises(DatabaseAway, match="see who holds the lock"):
            write(url, patience_s=0.1)
        write(url, patience_s=20.0)
        process.send_signal(signal.SIGCONT)
        assert process.communicate("go on\n", timeout=20) == ("2\n", None)


def test_one_that_is_killed_is_undone_at_once(url: str) -> None:
    with holding(url, idle_limit_s=3_600.0) as process:
        with pytest.raises(DatabaseAway, match="see who holds the lock"):
            write(url, patience_s=0.1)
        process.kill()
        write(url, patience_s=20.0)
