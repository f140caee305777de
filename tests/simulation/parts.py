"""What of a simulated world is real, and can be handed to it broken."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from ordertrail.client import answers
from ordertrail.client.answers import Answer
from ordertrail.client.client import Client
from ordertrail.client.exchange import Exchange
from ordertrail.client.exchange import Request as HttpRequest
from ordertrail.domain.order import Order
from ordertrail.kit.clock import Clock
from ordertrail.sync.outbox import Outbox
from ordertrail.sync.rim import Rim
from ordertrail.sync.run import work
from ordertrail.sync.shift import Limits
from ordertrail.sync.watch import Endurance
from ordertrail.sync.worker import Pace
from ordertrail.wire import body
from simulation.endpoint import URL, decoded
from simulation.network import TIMEOUT_S, Network, Request
from simulation.process import Process

TOKEN = "t" * 64
LIMITS = Limits(poll_s=6.0)
ENDLESS = Endurance(stops_paused=False, away_s_max=None)


def as_it_is(exchange: Exchange) -> Exchange:
    """Return the exchange."""
    return exchange


def as_told(order: Order) -> Order:
    """Return the snapshot."""
    return order


@dataclass(frozen=True)
class Parts:
    """The parts that a world is made of; a test of the simulation brings one that is broken."""

    outbox: type[Outbox] = Outbox
    exchange: Callable[[Exchange], Exchange] = as_it_is
    snapshot: Callable[[Order], Order] = as_told
    limits: Limits = LIMITS
    timeout_s: float = TIMEOUT_S


REAL = Parts()


def exchange_of(network: Network, process: Process) -> Exchange:
    """Return what takes the place of the socket in one process."""

    async def exchange(request: HttpRequest) -> Answer:
        key = request.headers.get("Idempotency-Key")
        target = request.url.removeprefix(URL)
        sent = Request(request.method, target, key, decoded(request.body))
        reply = await network.exchange(process, sent)
        headers = {name.lower(): value for name, value in reply.headers.items()}
        wait_s = answers.seconds_to_wait(headers.get("retry-after"), headers.get("date"))
        return Answer(reply.status, body.encode(reply.said), wait_s)

    return exchange


async def deliver(
    outbox: Outbox, made_of: Parts, network: Network, process: Process, clock: Clock
) -> None:
    """Be a worker until killed."""
    rim = Rim(process.loop.pause, process.loop.time, process.chance.random, clock)
    exchange = made_of.exchange(exchange_of(network, process))
    async with Client(URL, TOKEN, exchange=exchange, timeout_s=made_of.timeout_s) as there:
        pace = Pace(made_of.limits, endurance=ENDLESS, rim=rim)
        await work(outbox, there, pace=pace, stop=asyncio.Event())
