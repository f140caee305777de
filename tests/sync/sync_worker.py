"""A process that syncs until it is killed, or done: `sync_worker.py FILE URL`."""

import asyncio
import sys
from pathlib import Path

from made_orders import many

from ordertrail.client.client import Client
from ordertrail.sync.flow import Flow
from ordertrail.sync.outbox import Outbox
from ordertrail.sync.progress import Summary
from ordertrail.sync.run import Pace, run
from ordertrail.sync.verdict import Patience

TOKEN = "k" * 64
QUICK = Pace(
    patience=Patience(first_wait_s=0.001, wait_s_max=0.01, give_up_after_s=10.0), orders_at_once=5
)


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
