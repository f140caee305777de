"""Delivery: one worker for one destination, which may have others anywhere.

Lanes are delivered in parallel and each in order. A worker holds what it delivers under a lease;
what a dead worker held waits again when that ends, marked as unsure.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace

from ordertrail.sync.batching import Batcher
from ordertrail.sync.leasing import Tenure, terms
from ordertrail.sync.operations import Outcome
from ordertrail.sync.outbox import Outbox, Settled
from ordertrail.sync.rim import Rim
from ordertrail.sync.sending import Sender
from ordertrail.sync.shift import Desk, LeaseLost, Limits, Shift, carry_singly
from ordertrail.sync.watch import Watch


class Deliverer:
    """Delivers what waits in an outbox for one destination, until closed and nothing waits."""

    def __init__(
        self,
        outbox: Outbox,
        destination: str,
        sender: Sender,
        watch: Watch,
        *,
        worker: str,
        limits: Limits,
        rim: Rim,
        takes_batches: bool,
        on_settled: Callable[[Sequence[Outcome], Settled], None],
    ) -> None:
        self._outbox = outbox
        self._destination = destination
        self._watch = watch
        self._worker = worker
        self._limits = limits
        self._terms = terms(
            limits.lease_s, sender.caller.timeout_s, honours_keys=sender.honours_keys
        )
        self._rim = rim
        self._changed = asyncio.Event()
        self._is_closed = False
        self._stopping = asyncio.Event()
        self._shift: Shift | None = None
        self._carriers = [carry_singly] * limits.calls_max
        if takes_batches:
            batcher = Batcher(limits.batch_operations_max)
            self._carriers = [batcher.carry] * limits.batches_max
            limits = replace(limits, held_max=limits.held_in_batches_max)
        self._desk = Desk(
            outbox, sender, watch, limits, rim, self._changed, self._is_finished, on_settled
        )

    def wake(self) -> None:
        """Tell that operations were added to the outbox."""
        self._changed.set()

    def close(self) -> None:
        """Tell that none will be added any more: deliver what is left, then end."""
        self._is_closed = True
        self._changed.set()

    def stop(self) -> None:
        """End soon: wait for the answers to what is under way, and give the rest back."""
        self._stopping.set()
        self._changed.set()
        if self._shift is not None:
            self._shift.end()

    async def run(self) -> None:
        """Deliver; raises Stopped when the destination takes nothing, and leaves all waiting.

        It ends by itself once closed and nothing waits but what is not due for a while.
        """
        while not self._stopping.is_set():
            self._changed.clear()
            await self._watch.rest(self._changed)
            if not self._watch.must_rest and await self._work():
                break
        await self._watch.tell()

    async def _work(self) -> bool:
        """Work one shift, and return whether nothing is left to do."""
        tenure, lease_s = Tenure(self._terms, self._rim), self._terms.lease_s
        lease = await self._rim.in_thread(
            lambda: self._outbox.join(self._destination, self._worker, lease_s)
        )
        shift = self._shift = Shift(self._desk, lease, tenure)
        if self._stopping.is_set():
            shift.end()
        try:
            return await shift.run(self._carriers)
        except LeaseLost:
            return False
        finally:
            self._shift = None

    async def _is_finished(self) -> bool:
        """Whether nothing is left to do but what is not due for a while."""
        if not self._is_closed:
            return False
        return await self._rim.in_thread(self._is_nothing_left)

    def _is_nothing_left(self) -> bool:
        counts = self._outbox.counts(self._destination)
        if counts.leased:
            return False
        due_at = self._outbox.due_at(self._destination) if counts.waiting else None
        if due_at is None:
            return not counts.waiting
        return (due_at - self._rim.now()).total_seconds() > self._limits.linger_s
