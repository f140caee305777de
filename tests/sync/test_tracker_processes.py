"""Trackers in processes that end, fork and are killed."""

import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import tracker_worker
from destination import Destination
from destination_thread import served
from sync_worker import TOKEN

from ordertrail import Tracker
from ordertrail.kit.clock import utc_now

WORKER = Path(tracker_worker.__file__)


def started(folder: Path, url: str, what: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-W", "error", str(WORKER), str(folder), url, what],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def later() -> datetime:
    """A time at which every lease of a dead process has ended."""
    return utc_now() + timedelta(minutes=5)


def ids(names: str) -> set[str]:
    return {f"{name}{number}" for name in names for number in range(tracker_worker.ORDERS)}


def test_a_process_that_ends_at_once_loses_nothing(tmp_path: Path) -> None:
    there = Destination()
    with served(there) as url:
        process = started(tmp_path, url, "leave")
        _, said = process.communicate(timeout=60)
        assert (process.returncode, said) == (0, "")
        with Tracker(url, TOKEN, outbox=tmp_path / "outbox") as tracker:
            assert tracker.counts().leased == 0
            assert tracker.drain(30)
    assert set(there.deals) == ids("L")
    assert len(there.product_events) == 2 * tracker_worker.ORDERS


def test_a_process_that_cannot_reach_anyone_ends_at_once_too(tmp_path: Path) -> None:
    process = started(tmp_path, "http://127.0.0.1:9", "leave")
    process.communicate(timeout=60)
    assert process.returncode == 0
    with Tracker("http://127.0.0.1:9", TOKEN, outbox=tmp_path / "outbox", deliver=False) as tracker:
        counts = tracker.counts()
        assert (counts.leased, counts.accepted) == (0, counts.waiting)


def test_a_process_and_its_child_both_deliver_what_they_accepted(tmp_path: Path) -> None:
    there = Destination()
    with served(there) as url:
        process = started(tmp_path, url, "fork")
        _, said = process.communicate(timeout=60)
        assert (process.returncode, said) == (0, "")
    assert set(there.deals) == ids("BPCA")
    assert len(there.product_events) == 2 * 4 * tracker_worker.ORDERS


@pytest.mark.parametrize("accepted", [1, 7, 30])
def test_a_process_that_is_killed_loses_nothing_that_it_accepted(
    tmp_path: Path, accepted: int
) -> None:
    there = Destination()
    with served(there) as url:
        with started(tmp_path, url, "killed") as process:
            assert process.stdout
            last = [int(process.stdout.readline()) for _ in range(accepted)][-1]
            process.kill()
            last = max([last, *map(int, process.stdout.read().split("\n")[:-1])])
        with Tracker(url, TOKEN, outbox=tmp_path / "outbox", clock=later) as tracker:
            assert tracker.drain(30)
    assert {f"K{number}" for number in range(last + 1)} <= set(there.deals)
    assert len(there.product_events) == 2 * len(there.deals)
