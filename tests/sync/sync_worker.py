"""A process that syncs until it is killed, or done: `sync_worker.py FILE URL`."""

import asyncio
import sys
from dataclasses import replace
from pathlib import Path

from destination import TOKEN
from made_orders import CANCELLED, FULFILLED, JOHN, PARTLY_RETURNED, PLACED, RETURNED

from ordertrail.client.client import Client
from ordertrail.domain.order import Order
from ordertrail.sync.flow import Flow
from ordertrail.sync.outbox import Outbox
from ordertrail.sync.progress import Summary
from ordertrail.sync.run import Pace, run
from ordertrail.sync.verdict import Patience

SNAPSHOTS = [PLACED, FULFILLED, CANCELLED, PARTLY_RETURNED, RETURNED]
QUICK = Pace(
    patience=Patience(first_wait_s=0.001, wait_s_max=0.01, give_up_after_s=10.0), orders_at_once=5
)


def many(count: int, contacts: int = 7) -> list[Order]:
    """So many orders in every state, of fewer contacts."""
    return [
        replace(
            SNAPSHOTS[n % len(SNAPSHOTS)],
            id=f"O{n}",
            customer=replace(JOHN, email=f"j{n % contacts}@example.com"),
        )
        for n in range(count)
    ]


async def work(path: str, url: str) -> Summary:
    """Sync sixty orders."""
    with Outbox(Path(path)) as outbox:
        async with Client(url, TOKEN) as client:
            return await run(
                many(60),
                outbox,
                client,
                flow=Flow(),
                source="shop",
                progress=lambda _: None,
                pace=QUICK,
            )


if __name__ == "__main__":
    assert asyncio.run(work(*sys.argv[1:])).is_complete
