"""Processes that track orders, each ended in its own way: `tracker_worker.py FOLDER URL WHAT`."""

import os
import sys
from dataclasses import replace
from pathlib import Path

import made_orders as made
from sync_worker import TOKEN

from ordertrail import Tracker

ORDERS = 12


def place(tracker: Tracker, name: str) -> None:
    for number in range(ORDERS):
        tracker.placed(replace(made.PLACED, id=f"{name}{number}"))


def leave(tracker: Tracker) -> None:
    """Place orders, and end without waiting for anything."""
    place(tracker, "L")


def fork(tracker: Tracker) -> None:
    """Place orders in a parent and a child at once, each of which waits for its own."""
    place(tracker, "B")
    child = os.fork()
    place(tracker, "P" if child else "C")
    assert tracker.drain(30)
    if child:
        _, status = os.waitpid(child, 0)
        assert status == 0
        place(tracker, "A")
        assert tracker.drain(30)
        tracker.close()
    else:
        tracker.close()
        os._exit(0)


def killed(tracker: Tracker) -> None:
    """Place orders until killed, telling of each when it is accepted."""
    for number in range(1_000_000):
        tracker.placed(replace(made.PLACED, id=f"K{number}"))
        print(number, flush=True)


if __name__ == "__main__":
    folder, url, what = sys.argv[1:]
    made_here = Tracker(url, TOKEN, outbox=Path(folder, "outbox"))
    {"leave": leave, "fork": fork, "killed": killed}[what](made_here)
