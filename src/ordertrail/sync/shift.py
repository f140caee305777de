"""A shift: what one worker does under one lease, from joining to handing back what it holds."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from operator import attrgetter

from ordertrail.sync.lanes import Held, Lane
from ordertrail.sync.leasing import Tenure
from ordertrail.sync.operations import Outcome
from ordertrail.sync.outbox import Lease, Outbox, Settled
from ordertrail.sync.rim import Rim
from ordertrail.sync.sending import Sender
from ordertrail.sync.settling import Settler
from ordertrail.sync.verdict import Done, Park, Verdict, Wait
from ordertrail.sync.watch import Watch


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is under way at once, in operations unless the name says otherwise.

    A lane whose head has to wait longer than `held_wait_s` is given back until then. `lease_s` is
    the least length of a lease; the endpoint may need a longer one.
    """

    calls_max: int = 32
    of_one_lane_max: int = 8
    unsettled_max: int = 1_000
    held_max: int = 2_000
    held_in_batches_max: int = 10_000
    batch_operations_max: int = 200
    batches_max: int = 3
    held_wait_s: float = 1.0
    lease_s: float = 60.0
    poll_s: float = 1.0
    linger_s: float = 60.0


@dataclass(frozen=True, slots=True)
class Desk:
    """What a worker keeps through all of its shifts.

    `changed` wakes it, `is_finished` is asked when nothing is held and nothing can be claimed,
    `on_settled` is told what is on disk.
    """

    outbox: Outbox
    sender: Sender
    watch: Watch
    limits: Limits
    rim: Rim
    changed: asyncio.Event
    is_finished: Callable[[], Awaitable[bool]]
    on_settled: Callable[[Sequence[Outcome], Settled], None]


class Shift:
    """Holds whole lanes, hands out what is ready, and settles what comes of it.

    It ends when the desk is finished, when it is told to, when nothing may be sent any more, and
    when the lease is lost, which makes what it held somebody else's.
    """

    def __init__(self, desk: Desk, lease: Lease, tenure: Tenure) -> None:
        self.sender = desk.sender
        self._desk = desk
        self._lease = lease
        self._settler = Settler(self._write, desk.limits.unsettled_max, self._settled, desk.rim)
        self._ready: asyncio.Queue[tuple[Lane, Held]] = asyncio.Queue()
        self._lanes: dict[str, Lane] = {}
        self._held = 0
        self._behind = ""
        self._is_ending = False
        self._is_lost = False
        self._tenure = tenure
        self._sleepers: dict[asyncio.Task[None], None] = {}  # in order, as a simulation needs it

    def end(self) -> None:
        """Send nothing more; what is under way is waited for."""
        self._is_ending = True
        self._desk.changed.set()

    def may_send(self) -> bool:
        """Whether what is held may be sent: it is surely still this worker's."""
        return not self._is_ending and self._tenure.lasts

    async def run(
        self, carriers: Sequence[Callable[["Shift"], Coroutine[None, None, None]]]
    ) -> bool:
        """Deliver until the shift ends; what it still holds by then waits again.

        Returns whether the desk is finished; raises LeaseLost.
        """
        self.sender.caller.begin(self.may_send)
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._settler.run())]
                tasks.append(group.create_task(self._keep_lease()))
                tasks += [group.create_task(carry(self)) for carry in carriers]
                is_finished = await self._hand_out()
                await self.sender.caller.landed()
                for task in tasks:
                    task.cancel()
        except BaseExceptionGroup as failures:
            raise _first(failures) from failures
        finally:
            for sleeper in [*self._sleepers]:
                sleeper.cancel()
            await self._hand_back()
        return is_finished

    async def next(self) -> tuple[Lane, Held]:
        """Return an operation that is ready, as soon as there is one and room for its outcome."""
        if self._settler.is_full:
            await self._settler.room()
        return await self._ready.get()

    def next_now(self) -> tuple[Lane, Held] | None:
        """Return an operation that is ready now, if any is."""
        return None if self._ready.empty() else self._ready.get_nowait()

    def decide(self, lane: Lane, held: Held, verdict: Verdict | None) -> None:
        """Do what was decided about an operation; None: it was not sent, and stays as it is."""
        if isinstance(verdict, Done):
            self._settle(lane, held, held.done())
        elif isinstance(verdict, Park):
            self._settle(lane, held, held.parked(verdict.reason))
        elif isinstance(verdict, Wait):
            if verdict.wait_s <= self._held_wait_s(held):
                self._send_later(lane, held, verdict.wait_s)
            else:
                due_at = self._desk.rim.now() + timedelta(seconds=verdict.wait_s)
                self._settle(lane, held, held.waiting(due_at))
        elif verdict is None:
            self.end()
        if not isinstance(verdict, Done) and self._desk.watch.must_rest:
            self.end()

    async def _hand_out(self) -> bool:
        """Claim what waits and make it ready, until the shift ends; True: the desk is finished."""
        desk = self._desk
        while not self._is_ending:
            desk.changed.clear()
            room = (1 if desk.watch.is_probing else desk.limits.held_max) - self._held
            if room > 0 and self._held <= desk.limits.held_max // 2:
                is_new_round = not self._behind
                if await self._claim(room) or not is_new_round:
                    continue
            if not self._lanes and await desk.is_finished():
                return True
            await desk.watch.tell()
            await desk.rim.until(desk.changed, desk.limits.poll_s)
        return False

    async def _claim(self, limit: int) -> int:
        """Take some more lanes, and return how many operations that is.

        Operations of a lane that is held already are put behind those.
        """
        behind, outbox, lease = self._behind, self._desk.outbox, self._lease
        found = await self._desk.rim.in_thread(
            lambda: outbox.claim(lease, after=behind, limit=limit)
        )
        claimed_at = self._desk.rim.stopwatch()
        self._behind = found[-1].lane if len(found) >= limit else ""
        self._held += len(found)
        for name, operations in groupby(found, key=attrgetter("lane")):
            lane = self._lanes.get(name)
            if lane is None:
                lane = self._lanes[name] = Lane(name, self._desk.limits.of_one_lane_max)
            self._make_ready(lane, lane.extend(operations, claimed_at))
            self._give_back(lane)
        return len(found)

    def _make_ready(self, lane: Lane, part: Sequence[Held]) -> None:
        for held in part:
            if (wait_s := self._quiet_s(held)) > 0.0:
                self._send_later(lane, held, wait_s)
            else:
                self._ready.put_nowait((lane, held))

    def _quiet_s(self, held: Held) -> float:
        """Return for how long an event is not to be looked for that somebody else may have sent.

        It is held meanwhile: who claims it next would have to wait as long again.
        """
        if not (held.operation.is_unsure and self.sender.is_to_look_for(held)):
            return 0.0
        quiet_until = held.claimed_at + self._tenure.terms.quiet_s
        return quiet_until - self._desk.rim.stopwatch()

    def _held_wait_s(self, held: Held) -> float:
        """Return up to which wait it is held; given back, an event in doubt waits longer."""
        held_wait_s = self._desk.limits.held_wait_s
        if self.sender.is_to_look_for(held):
            return max(held_wait_s, self._tenure.terms.quiet_s)
        return held_wait_s

    def _send_later(self, lane: Lane, held: Held, wait_s: float) -> None:
        async def wait() -> None:
            await self._desk.rim.sleep(wait_s)
            self._ready.put_nowait((lane, held))

        sleeper = asyncio.get_running_loop().create_task(wait())
        self._sleepers[sleeper] = None
        sleeper.add_done_callback(self._sleepers.pop)

    def _settle(self, lane: Lane, held: Held, outcome: Outcome) -> None:
        self._held -= 1
        lane.unsettled += 1
        self._settler.add([outcome])
        self._make_ready(lane, lane.after(held, outcome))
        self._give_back(lane)

    def _give_back(self, lane: Lane) -> None:
        """Let what stands behind a deferred operation wait with it."""
        rest = [held.waiting() for held in lane.given_back()]
        if rest:
            self._held -= len(rest)
            lane.unsettled += len(rest)
            self._settler.add(rest)

    def _write(self, outcomes: Sequence[Outcome]) -> Settled:
        return self._desk.outbox.settle(self._lease, outcomes)

    def _settled(self, outcomes: Sequence[Outcome], written: Settled) -> None:
        is_room = False
        for outcome in outcomes:
            lane = self._lanes[outcome.operation.lane]
            self._held -= lane.settled(outcome)
            if lane.is_over:
                del self._lanes[lane.name]
                is_room = True
        if is_room or self._held <= self._desk.limits.held_max // 2:
            self._desk.changed.set()
        self._desk.on_settled(written.outcomes, written)

    async def _keep_lease(self) -> None:
        """Renew the lease well before it ends; one that was lost ends the shift at once."""
        rim = self._desk.rim
        while True:
            await rim.sleep(self._tenure.terms.heartbeat_s)
            renewed = self._tenure.heartbeat()
            if not await rim.in_thread(lambda: self._desk.outbox.heartbeat(self._lease)):
                self._is_lost = True
                raise LeaseLost
            self._tenure = renewed

    async def _hand_back(self) -> None:
        """Write what became of operations, and let the rest wait again, as far as it is held."""
        if self._is_lost:
            return
        await self._settler.flush()
        known = [
            held.waiting()
            for lane in self._lanes.values()
            for held in lane.held
            if held.has_changed
        ]
        rim, outbox, lease = self._desk.rim, self._desk.outbox, self._lease
        if known:
            await rim.in_thread(lambda: outbox.settle(lease, known))
        await rim.in_thread(lambda: outbox.leave(lease))


class LeaseLost(Exception):
    """The lease ended before it was renewed; others hold its operations."""


async def carry_singly(shift: Shift) -> None:
    """Send operations that are ready, one at a time, until cancelled."""
    while True:
        lane, held = await shift.next()
        shift.decide(lane, held, await shift.sender.attempt(held))


def _first(failures: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the failure that ended the group; others came while it was being ended."""
    first = failures.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first
