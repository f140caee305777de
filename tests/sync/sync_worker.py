"""A process that syncs until it is killed, or done: `sync_worker.py FILE URL`."""

import asyncio
import sys
from dataclasses import replace
from pathlib import Path

from fast_time import FAST
from made_orders import many

from ordertrail.client.client import Client
from ordertrail.sync.breaker import Breaking
from ordertrail.sync.outbox import open_outbox
from ordertrail.sync.progress import Summary
from ordertrail.sync.rim import Rim
from ordertrail.sync.rules import Flow
from ordertrail.sync.run import run
from ordertrail.sync.shift import Limits
from ordertrail.sync.verdict import Patience
from ordertrail.sync.watch import Endurance
from ordertrail.sync.worker import Pace

TOKEN = "k" * 64
TIMEOUT_S = 0.4
QUICK = Pace(
    limits=Limits(held_wait_s=1_000.0, lease_s=600.0),
    patience=Patience(first_wait_s=0.05, wait_s_max=1.0, refusal_wait_s=0.05, unsure_wait_s=0.05),
    endurance=Endurance(Breaking(100, 0.05, 1.0), away_s_max=600.0),
    rim=FAST,
    limit_per_s=0.0,
    orders_at_once=5,
)
SHORT_LEASE = replace(
    QUICK,
    limits=Limits(calls_max=4, lease_s=0.8, poll_s=0.05),
    patience=Patience(0.001, 0.01),
    rim=Rim(),
)


async def work(path: str, url: str) -> Summary:
    """Sync sixty orders."""
    with open_outbox(Path(path)) as outbox:
        async with Client(url, TOKEN, timeout_s=TIMEOUT_S) as client:
            return await run(
                many(60),
                outbox,
                client,
                flow=Flow(),
                source="shop",
                progress=lambda _: None,
                pace=SHORT_LEASE,
            )


if __name__ == "__main__":
    assert asyncio.run(work(*sys.argv[1:])).is_complete
