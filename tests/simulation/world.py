"""One simulated world: shops, workers, a destination and their misfortunes, all from one seed."""

import asyncio
import contextlib
import random
import shutil
import tempfile
import traceback
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from ordertrail.domain.journal import Origin
from ordertrail.domain.order import Order
from ordertrail.kit.database import DatabaseAway
from ordertrail.kit.sqlite import Sqlite
from ordertrail.sync.outbox import Outbox
from ordertrail.sync.outbox_orders import Route
from simulation import options, parts, truth
from simulation.audit import Audit
from simulation.chaos import Chaos, Machine, set_zone
from simulation.disk import Disk, SteppingDatabase
from simulation.endpoint import Endpoint, Kind
from simulation.faults import CALM
from simulation.feed import Feed, pages
from simulation.network import Network
from simulation.options import Options
from simulation.parts import REAL, Parts
from simulation.process import Killed, Process, task_of_process
from simulation.shop import Shop
from simulation.trace import Trace, Violation
from simulation.truth import Records
from simulation.virtual_time import BEGIN, Loop, WallClock

ACTIONS = 120
CALM_DAYS_MAX = 10
LOOK_S = 5.0
BETWEEN_ACTIONS_S = 3.0
RESTING_S = 600.0
BACK_FILL_PAGE = 20
RAM = Path("/dev/shm")


@dataclass(frozen=True)
class Ended:
    """How a simulation ended that kept every promise."""

    seed: int
    steps: int
    calls: int
    orders: int
    digest: str


class World:
    """A world that runs once."""

    def __init__(self, seed: int, folder: Path, chosen: Options, made_of: Parts = REAL) -> None:
        chance = random.Random(f"world {seed}")
        self.loop = Loop()
        self.loop.set_task_factory(task_of_process)
        self.loop.set_exception_handler(self._overlooked)
        self.clock = WallClock(self.loop)
        self.trace = Trace(seed, self.loop.time)
        self.options = chosen
        self.endpoint = Endpoint(chosen.kind, self.loop.time, chance.random() < 0.5)
        self.network = Network(self.loop, self.endpoint, random.Random(f"network {seed}"))
        self.disk = Disk(random.Random(f"disk {seed}"), self.loop.time)
        self.feed = Feed(self.loop.time, random.Random(f"feed {seed}"))
        self.shops = [
            Shop(f"s{number}", random.Random(f"shop {number} {seed}"), self._true_time, ranks_by)
            for number, ranks_by in enumerate(chosen.ranks_by)
        ]
        self.handed_over: dict[str, list[Order]] = {}
        self._parts = made_of
        self._chance = chance
        self._path = folder / f"{seed}.outbox"
        self._processes: dict[str, Process] = {}
        self._is_over = False
        self._unseen: list[str] = []

    def run(self) -> Ended:
        """Live through all of it; raises Violation when a promise is broken."""
        try:
            self.loop.run_until_complete(self._live())
        except Exception as error:
            if isinstance(error, Violation):
                raise
            told = traceback.format_exc(limit=-8)
            raise self.trace.violation(f"something broke: {error!r}", told) from error
        finally:
            self.loop.close()
        if self._unseen:
            raise self.trace.violation("a failure was seen by nobody", self._unseen)
        orders = sum(len(shop.histories) for shop in self.shops)
        digest = self.trace.digest()
        return Ended(self.trace.seed, self.trace.steps, self.network.calls, orders, digest)

    async def _live(self) -> None:
        audit = Audit(self._path, self.options.kind.destination, self.clock, self.trace)
        running = [
            self.loop.create_task(self._kept_up(f"worker {n}", self._work))
            for n in range(self.options.workers)
        ]
        running.append(self.loop.create_task(self._kept_up("receiver", self._receive)))
        try:
            await self._rough(audit, running)
            await self._calm(audit, running)
        finally:
            self._is_over = True
            for process in self._processes.values():
                process.kill()
            await asyncio.gather(*running, return_exceptions=True)
            audit.close()

    async def _rough(self, audit: Audit, running: Sequence[asyncio.Task[None]]) -> None:
        """Let the shops do business while everything goes wrong."""
        faults = self.options.faults
        self.network.faults = self.disk.faults = self.feed.faults = faults
        machine = Machine(self.loop, self.clock, self.network, self.disk, self.shops, self._living)
        chaos = Chaos(machine, faults, self._chance, self.trace)
        befalling = self.loop.create_task(chaos.run(lambda: self._check(audit)))
        try:
            await self._until(self._business(), running, befalling)
        finally:
            befalling.cancel()

    async def _business(self) -> None:
        for _ in range(self.options.actions):
            await self.loop.pause(self._chance.expovariate(1 / BETWEEN_ACTIONS_S))
            shop = self._chance.choice(self.shops)
            if self._chance.random() < 0.05 and shop.people:
                shop.new_email()
            order = shop.place() if self._chance.random() < 0.4 else shop.change()
            self.trace.step(shop.source, "sells", order.id if order else "nothing")
            if order is not None:
                self.feed.send(shop, order)
            if self._chance.random() < 0.02:
                self._send_all(shop)

    async def _calm(self, audit: Audit, running: Sequence[asyncio.Task[None]]) -> None:
        """Let the faults stop: everything must arrive, and then nothing more may happen."""
        self.trace.step("the faults stop")
        self.network.calm()
        self.disk.calm()
        self.feed.faults = CALM
        for process in self._living():
            process.spare()
        set_zone("UTC")
        for shop in self.shops:
            shop.mend_all()
            self._send_all(shop)
        audit.retry_parked()
        await self._until(self._drained(audit), running)
        self._check(audit)
        records = Records(
            {each.source: each for each in self.shops}, self.handed_over, self.options.flow
        )
        truth.check(records, self.endpoint, self.trace)
        before = self.network.writes, audit.planned()
        for shop in self.shops:
            self._send_all(shop)
        await self._until(self._drained(audit), running)
        await self._until(self.loop.pause(RESTING_S), running)
        after = self.network.writes, audit.planned()
        broken = "an order that is as it was causes something"
        self.trace.require(before == after, broken, f"{before}, then {after}")
        truth.check(records, self.endpoint, self.trace)

    async def _drained(self, audit: Audit) -> None:
        """Return when nothing is on its way any more."""
        until = self.loop.time() + CALM_DAYS_MAX * 86_400.0
        while True:
            await self.loop.pause(LOOK_S)
            counts = audit.counts()
            if self.feed.is_empty and not counts.waiting and not counts.leased:
                break
            late = self.loop.time() > until
            self.trace.require(not late, f"not all arrives in {CALM_DAYS_MAX} calm days", counts)
        self.trace.require(not counts.parked, "something stays parked", audit.parked())
        self.trace.require(not counts.quarantined, "true orders stay in quarantine", counts)

    async def _until(
        self,
        awaited: Awaitable[None],
        running: Sequence[asyncio.Task[None]],
        *more: asyncio.Task[None],
    ) -> None:
        """Wait for something, unless one of the tasks that run for ever fails before."""
        task = asyncio.ensure_future(awaited)
        waiting = {task, *running, *more}
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for each in (*running, *more):
                if each.done():
                    each.result()
            await task
        finally:
            task.cancel()

    async def _kept_up(
        self, name: str, work: Callable[[Process], Coroutine[Any, Any, None]]
    ) -> None:
        """Run the work as a process, and start it again whenever it ends or dies."""
        while not self._is_over:
            process = Process(name, self.loop, self.trace, self._chance)
            self._processes[name] = process
            task = process.start(work(process))
            await asyncio.wait({task, process.died}, return_when=asyncio.FIRST_COMPLETED)
            process.kill()
            await process.gone()
            failure = None if task.cancelled() else task.exception()
            if name == "receiver":
                self.feed.failed()
            if failure is not None and not isinstance(failure, Killed | DatabaseAway):
                raise failure
            if not self._is_over:
                await self.loop.pause(1.0 + self._chance.random() * 20.0)

    async def _work(self, process: Process) -> None:
        with self._opened(process) as outbox:
            await parts.deliver(outbox, self._parts, self.network, process, self.clock)

    async def _receive(self, process: Process) -> None:
        """Accept what arrives, a batch at a time."""
        with self._opened(process) as outbox:
            while True:
                await self.loop.pause(0.5)
                while batch := self.feed.due():
                    shop, told = batch[0].shop, [each.order for each in batch]
                    self._note(told)
                    origin = Origin.LIVE if self.feed.faults != CALM else Origin.BACKFILL
                    route = Route(shop.source, self.options.kind.destination)
                    orders = [self._parts.snapshot(order) for order in told]
                    accept = partial(outbox.accept, origin=origin)
                    try:
                        await asyncio.to_thread(accept, route, self.options.flow, orders)
                    except DatabaseAway:
                        self.feed.failed()
                        break
                    self.feed.done()

    def _note(self, told: Sequence[Order]) -> None:
        """Take down that these snapshots are handed over, which may be the last that is heard."""
        for order in told:
            known = self.handed_over.setdefault(order.id, [])
            if order not in known:
                known.append(order)

    @contextlib.contextmanager
    def _opened(self, process: Process) -> Iterator[Outbox]:
        inner = Sqlite(self._path)
        database = SteppingDatabase(inner, process, self.disk)
        outbox = self._parts.outbox(database, self.clock, is_ours=True)
        try:
            outbox.open()
            yield outbox
        finally:
            inner.close()

    def _check(self, audit: Audit) -> None:
        """Require what must be true at every moment."""
        audit.check()
        truth.check_events(self.endpoint, self.trace)

    def _overlooked(self, loop: asyncio.AbstractEventLoop, what: dict[str, Any]) -> None:
        """Take down a failure that nobody looked at, unless it is how a process ends."""
        failure = what.get("exception")
        if not isinstance(failure, Killed | BaseExceptionGroup):
            self._unseen.append(f"{what.get('message')}: {failure!r}")

    def _send_all(self, shop: Shop) -> None:
        for page in pages(shop.newest(), BACK_FILL_PAGE):
            for order in page:
                self.feed.send(shop, order)

    def _living(self) -> list[Process]:
        return [each for each in self._processes.values() if each.is_alive]

    def _true_time(self) -> datetime:
        return BEGIN + timedelta(seconds=self.loop.time())


def simulate(
    seed: int, actions: int = ACTIONS, made_of: Parts = REAL, kind: Kind | None = None
) -> Ended:
    """Run the world of one seed from its beginning to its end; `kind` is drawn unless given."""
    world_options = options.drawn(random.Random(f"options {seed}"), actions)
    if kind is not None:
        world_options = replace(world_options, kind=kind)
    folder = Path(tempfile.mkdtemp(dir=RAM if RAM.is_dir() else None))
    try:
        return World(seed, folder, world_options, made_of).run()
    finally:
        set_zone("UTC")
        shutil.rmtree(folder)
