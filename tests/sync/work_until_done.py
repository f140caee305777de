"""A process that delivers made orders until done or killed: `work_until_done.py OUTBOX URL COUNT`.

It says "on" whenever something is on disk, so that its parent can kill it in between. Any number
of them may share the outbox: a path, or the address of a PostgreSQL database.
"""

import asyncio
import sys
from dataclasses import replace

from made_orders import many

from ordertrail.client.client import Client
from ordertrail.sync.breaker import Breaking
from ordertrail.sync.outbox import open_outbox
from ordertrail.sync.progress import Summary
from ordertrail.sync.rules import Flow
from ordertrail.sync.run import run
from ordertrail.sync.shift import Limits
from ordertrail.sync.verdict import Patience
from ordertrail.sync.watch import Endurance
from ordertrail.sync.worker import Pace

TOKEN = "p" * 64
CONTACTS = 11
PACE = Pace(
    limits=Limits(
        calls_max=4, batch_operations_max=4, poll_s=0.02, held_wait_s=5.0, lease_s=0.8, linger_s=5.0
    ),
    patience=replace(
        Patience(), first_wait_s=0.01, wait_s_max=0.1, refusal_wait_s=0.01, unsure_wait_s=0.05
    ),
    endurance=Endurance(Breaking(50, 0.01, 0.05), away_s_max=20.0),
    orders_at_once=7,
)


async def work(where: str, url: str, count: int) -> Summary:
    """Accept the orders and deliver what waits."""
    with open_outbox(where) as outbox:
        async with Client(url, TOKEN, timeout_s=0.5) as client:
            return await run(
                many(count, CONTACTS),
                outbox,
                client,
                flow=Flow(),
                source="shop",
                progress=lambda _: print("on", flush=True),
                pace=PACE,
            )


if __name__ == "__main__":
    outbox_at, server_at, asked = sys.argv[1:]
    sys.exit(0 if asyncio.run(work(outbox_at, server_at, int(asked))).is_complete else 75)
