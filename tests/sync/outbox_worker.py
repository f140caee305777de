"""A process that works on an outbox until it is killed, or done: `outbox_worker.py FILE LOG`.

It accepts the orders of `ORDERS` in lists of three and carries out what waits: a line in the log
is what a destination would hold. After each commit it prints a line, so that its parent can kill
it between any two.
"""

import os
import sys
from dataclasses import replace
from pathlib import Path

from made_orders import FULFILLED, JOHN, PARTLY_RETURNED, PLACED

from ordertrail.sync.flow import Flow
from ordertrail.sync.outbox import Outbox
from ordertrail.sync.outbox_operations import Outcome
from ordertrail.sync.outbox_orders import Route

ROUTE = Route("shop", "http://there")
ORDERS = [
    replace(snapshot, id=f"O{n}", customer=replace(JOHN, email=f"j{n % 5}@example.com"))
    for n, snapshot in enumerate([PLACED, FULFILLED, PARTLY_RETURNED] * 12)
]


def work(outbox: Outbox, log: int) -> None:
    """Accept everything, a list at a time, and carry out a few operations after each."""
    for start in range(0, len(ORDERS), 3):
        accepted = outbox.accept(ROUTE, Flow(), ORDERS[start : start + 3])
        print("accepted", accepted.changed, flush=True)
        carry_out(outbox, log, limit=7)
    while carry_out(outbox, log, limit=50):
        pass
    print("finished", flush=True)


def carry_out(outbox: Outbox, log: int, limit: int) -> int:
    """Do what waits first, then say that it is done; returns how much that was."""
    waiting = outbox.waiting(ROUTE.destination, limit=limit)
    os.write(log, "".join(f"{each.key}\n" for each in waiting).encode())
    print("sent", flush=True)
    outbox.settle([Outcome(each, 1) for each in waiting])
    print("settled", flush=True)
    return len(waiting)


if __name__ == "__main__":
    with Outbox(Path(sys.argv[1])) as opened:
        work(opened, os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT | os.O_APPEND))
