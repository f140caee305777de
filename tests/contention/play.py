"""Plays it: starts the writers, hurts some of them, and gathers what they were answered."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from contention.verdict import Answered, complaints
from contention.watching import Follower, skipped
from ordertrail import opening
from ordertrail.actions import keys
from ordertrail.kit import clock
from ordertrail.settings import Settings

TOKEN = "c" * 64
WRITERS = 8
LATE_S = 60.0


@dataclass(frozen=True)
class Played:
    """What came out of it."""

    complaints: list[str]
    statuses: Counter[int]
    followed: int
    longest_pause_s: float


def play(url: str, folder: Path, seconds: float, *, stop_s: float = 0.0) -> Played:
    """Let the writers write for so long; one is killed on the way, and one may stand still."""
    database = opening.opened(Settings(database_url=url), "contention")
    key = keys.new_key(1, "test", "both", clock.utc_now())
    database.write(lambda tx: keys.create(tx, key, TOKEN))
    database.close()
    names = [f"w{number}" for number in range(WRITERS)]
    follower = Follower(url)
    with _started(url, folder, names, seconds) as (writers, numbers):
        follower.start()
        assert writers.stdin
        writers.stdin.close()
        _hurt(numbers[names[0]], numbers[names[-1]], seconds, stop_s)
        assert writers.wait(seconds + LATE_S) == 0
    follower.ended.set()
    follower.join()
    answered = [each for name in names for each in _answered(folder / name, name)]
    wrong = [*complaints(url, answered, names[-1:])]
    wrong += [f"{number} was skipped" for number in skipped(url, follower.seen)]
    wrong += [f"the lines of {deal} are of two writers" for deal in follower.mixed]
    statuses = Counter(each.status for each in answered)
    return Played(wrong, statuses, len(follower.seen), follower.longest_pause_s)


@contextmanager
def _started(
    url: str, folder: Path, names: Sequence[str], seconds: float
) -> Iterator[tuple["subprocess.Popen[str]", dict[str, int]]]:
    """What all writers were forked from, and the number of each one's process."""
    module = [sys.executable, "-m", "contention.writer"]
    writers = subprocess.Popen(
        [*module, url, TOKEN, str(seconds), str(folder), *names],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parent.parent,
        start_new_session=True,
    )
    try:
        assert writers.stdout
        ready = [writers.stdout.readline().split() for _ in names]
        yield writers, {name: int(number) for name, number in ready}
    finally:
        if writers.poll() is None:
            os.killpg(writers.pid, signal.SIGKILL)
        writers.wait()
        for end in (writers.stdin, writers.stdout):
            assert end
            end.close()


def _hurt(first: int, last: int, seconds: float, stop_s: float) -> None:
    """Kill the last writer half-way; let the first stand still for a while before."""
    pause = threading.Event()
    pause.wait(seconds / 4)
    if stop_s:
        os.kill(first, signal.SIGSTOP)
        pause.wait(stop_s)
        os.kill(first, signal.SIGCONT)
    pause.wait(seconds / 4)
    os.kill(last, signal.SIGKILL)


def _answered(file: Path, name: str) -> Iterator[Answered]:
    for line in file.read_text().splitlines():
        if line.endswith("]"):
            for kind, mark, status, number in json.loads(line):
                yield Answered(name, kind, mark, status, number)
