"""Batches: operations of many lanes in one call, for a destination that takes them so.

A batch never holds two operations that depend on each other: only what is ready goes into it. One
that is refused as a whole is halved until the operation at fault stands alone. After one that got
no answer, or a failure of the destination, batches are half as large, and grow again a little
with each that succeeds: a destination that cannot do so much in its time still gets everything.
"""

from collections.abc import Sequence
from itertools import groupby

from ordertrail.domain.errors import Forbidden, Refused, Unauthorised, Unavailable
from ordertrail.sync.calling import NotNow
from ordertrail.sync.lanes import RANKS, Held, Lane
from ordertrail.sync.operations import Kind
from ordertrail.sync.sending import Sender
from ordertrail.sync.shift import Shift
from ordertrail.sync.verdict import Done, Heal, Verdict

_TOO_LARGE = "HTTP status 413"

GROWTH_STEPS = 32
"""After a failure batches grow to their full size again in so many that succeed."""

Ready = tuple[Lane, Held]


class Batcher:
    """Sends what is ready in batches of at most `operations_max`, fewer where that is too many."""

    def __init__(self, operations_max: int) -> None:
        self._most = self._operations_max = operations_max

    async def carry(self, shift: Shift) -> None:
        """Send what is ready, a batch at a time, until cancelled."""
        while True:
            ready = [await shift.next()]
            while len(ready) < self._operations_max and (another := shift.next_now()):
                ready.append(another)
            for same in _batches(ready):
                await self._send(shift, same)

    async def _send(self, shift: Shift, ready: Sequence[Ready]) -> None:
        if len(ready) > self._operations_max:
            await self._in_halves(shift, ready)
            return
        if len(ready) < 2:
            for each in ready:
                if await _singly(shift, each):
                    self._grow()
            return
        held = [each for _, each in ready]
        try:
            failures = await shift.sender.caller.send_batch(held)
        except NotNow:
            shift.end()
            return
        except (Refused, Unavailable) as failure:
            if isinstance(failure, Unavailable | Unauthorised | Forbidden):
                if isinstance(failure, Unavailable) and not failure.is_throttled:
                    self._operations_max = max(len(ready) // 2, 1)
                _all_wait(shift, ready, failure)
                return
            if str(failure).startswith(_TOO_LARGE):
                self._most = min(self._most, max(len(ready) // 2, 1))
                self._operations_max = min(self._operations_max, self._most)
            await self._in_halves(shift, ready)
            return
        self._grow()
        to_heal = []
        for each, failed in zip(ready, failures, strict=True):
            verdict = _verdict(shift.sender, each[1], failed)
            if isinstance(verdict, Heal):
                to_heal.append(each)
            else:
                shift.decide(*each, verdict)
        for each in to_heal:
            await _singly(shift, each)

    def _grow(self) -> None:
        step = max(self._most // GROWTH_STEPS, 1)
        self._operations_max = min(self._operations_max + step, self._most)

    async def _in_halves(self, shift: Shift, ready: Sequence[Ready]) -> None:
        middle = len(ready) // 2
        await self._send(shift, ready[:middle])
        await self._send(shift, ready[middle:])


def _batches(ready: Sequence[Ready]) -> list[list[Ready]]:
    """Return the operations sorted, those of one kind together; merges stand alone."""
    merges = [[each] for each in ready if each[1].operation.kind is Kind.MERGE]
    others = [each for each in ready if each[1].operation.kind is not Kind.MERGE]
    others.sort(key=lambda each: (each[1].operation.origin, RANKS[each[1].operation.kind]))
    found = groupby(others, key=lambda each: each[1].operation.origin)
    return merges + [list(same) for _, same in found]


async def _singly(shift: Shift, ready: Ready) -> bool:
    """Carry out one operation by itself, and tell whether it was done."""
    lane, held = ready
    verdict = await shift.sender.attempt(held)
    shift.decide(lane, held, verdict)
    return isinstance(verdict, Done)


def _verdict(sender: Sender, held: Held, failure: Refused | Unavailable | None) -> Verdict:
    return Done() if failure is None else sender.judged(held, failure)


def _all_wait(shift: Shift, ready: Sequence[Ready], failure: Refused | Unavailable) -> None:
    """Let all of a batch wait that nobody took; it counts as one failure of the destination."""
    for place, (lane, held) in enumerate(ready):
        verdict = shift.sender.judged(held, failure, is_first=place == 0)
        shift.decide(lane, held, verdict)
