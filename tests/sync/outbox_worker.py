"""A process that works on an outbox until it is killed, or done: `outbox_worker.py WHERE LOG`.

It accepts the orders of `ORDERS` in lists of three and carries out what waits: a line in the log
is what a destination would hold. After each commit it prints a line, so that its parent can kill
it between any two.
"""

import os
import sys
from dataclasses import replace

from made_orders import FULFILLED, JOHN, PARTLY_RETURNED, PLACED

from ordertrail.sync.operations import Outcome, State
from ordertrail.sync.outbox import Lease, Outbox, open_outbox
from ordertrail.sync.outbox_orders import Route
from ordertrail.sync.rules import Flow

ROUTE = Route("shop", "http://there")
LEASE_S = 0.2
ORDERS = [
    replace(snapshot, id=f"O{n}", customer=replace(JOHN, email=f"j{n % 5}@example.com"))
    for n, snapshot in enumerate([PLACED, FULFILLED, PARTLY_RETURNED] * 12)
]


def work(outbox: Outbox, log: int) -> None:
    """Accept everything, a list at a time, and carry out a few operations after each."""
    lease = outbox.join(ROUTE.destination, "worker", LEASE_S)
    for start in range(0, len(ORDERS), 3):
        accepted = outbox.accept(ROUTE, Flow(), ORDERS[start : start + 3])
        print("accepted", accepted.changed, flush=True)
        carry_out(outbox, lease, log, limit=7)
    while outbox.counts(ROUTE.destination).done < outbox.counts(ROUTE.destination).accepted:
        carry_out(outbox, lease, log, limit=50)
    print("finished", flush=True)


def carry_out(outbox: Outbox, lease: Lease, log: int, limit: int) -> None:
    """Do what waits first, then say that it is done."""
    leased = outbox.claim(lease, limit=limit)
    os.write(log, "".join(f"{each.key}\n" for each in leased).encode())
    print("sent", flush=True)
    outbox.settle(lease, [Outcome(each, State.DONE, each.attempts + 1) for each in leased])
    print("settled", flush=True)


if __name__ == "__main__":
    with open_outbox(sys.argv[1]) as opened:
        work(opened, os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT | os.O_APPEND))
