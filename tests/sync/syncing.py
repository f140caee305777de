"""A sync of made orders to an endpoint for tests, in one process."""

import asyncio
import random
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from destination import Destination, Fault
from sync_worker import QUICK, TOKEN

from ordertrail.client.client import Client
from ordertrail.domain.order import Order
from ordertrail.sync.outbox import Outbox
from ordertrail.sync.progress import Progress, Summary
from ordertrail.sync.rules import Flow
from ordertrail.sync.run import run
from ordertrail.sync.worker import Pace

FLOW = Flow()
SMALL = replace(
    QUICK,
    limits=replace(QUICK.limits, calls_max=6, of_one_lane_max=2, unsettled_max=5, held_max=7),
    orders_at_once=3,
    waiting_max=20,
)


async def syncing(
    there: Destination,
    outbox: Outbox,
    orders: Iterable[Order],
    *,
    pace: Pace = QUICK,
    token: str = TOKEN,
    tell: Callable[[Progress], None] = lambda _: None,
    flow: Flow = FLOW,
) -> Summary:
    """Serve the destination and run a sync to it."""
    async with there.serving() as url, Client(url, token, timeout_s=0.3) as client:
        return await run(orders, outbox, client, flow=flow, source="shop", progress=tell, pace=pace)


def sync(there: Destination, outbox: Outbox, orders: Iterable[Order], **options: Any) -> Summary:
    """Do so in an event loop of its own."""
    return asyncio.run(syncing(there, outbox, orders, **options))


def mishaps(seed: int, share: float, *, is_limited: bool = True) -> Fault:
    """Let a share of the requests go wrong, in every way there is."""
    chance = random.Random(seed)
    ways = [*(["429"] if is_limited else []), "500", "503", "drop", "apply+drop", "apply+500"]

    def fault(said: dict[str, Any]) -> str | None:
        return chance.choice(ways) if chance.random() < share else None

    return fault
