"""Calls of one worker: each at its turn, and only while what is held may be sent."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from ordertrail.client.calls import Call
from ordertrail.client.client import Client, Item
from ordertrail.domain.errors import Refused, Unavailable
from ordertrail.sync.lanes import Held
from ordertrail.sync.pacing import Pacer
from ordertrail.sync.watch import Watch

HOLD_S_MAX = 5.0
"""A destination that asks for a longer wait than this gets its operations given back."""


class NotNow(Exception):
    """Nothing may be sent any more; the operation stays as it is."""


class Caller:
    """Makes calls, and knows how many are under way whose outcome is not known yet.

    A call has arrived, or never will, by `timeout_s` after it was made.
    """

    def __init__(self, client: Client, pacer: Pacer, watch: Watch) -> None:
        self.timeout_s = client.timeout_s
        self._client = client
        self._pacer = pacer
        self._watch = watch
        self._under_way = 0
        self._landed = asyncio.Event()
        self._may_send: Callable[[], bool] = bool

    def begin(self, may_send: Callable[[], bool]) -> None:
        """Tell what to ask before each call; until then nothing may be sent."""
        self._may_send = may_send

    async def landed(self) -> None:
        """Return when no operation is under way."""
        while self._under_way:
            self._landed.clear()
            await self._landed.wait()

    async def ask(self, call: Call) -> Any:
        """Make a call that may be repeated, at its turn.

        Raises NotNow when nothing may be sent by then, else what the client raises.
        """
        sent_at = await self._turn()
        try:
            said = await self._client.send(call)
        except (Refused, Unavailable) as failure:
            await self._note(failure, sent_at)
            raise
        self._pacer.accepted()
        return said

    async def send(self, held: Held, call: Call) -> None:
        """Carry out an operation at its turn; raises as `ask` does.

        The operation is under way from when it is sent until it is answered.
        """
        operation = held.operation
        sent_at = await self._turn()
        self._start([held])
        try:
            await self._client.send(call, operation.event_key, origin=operation.origin)
        except (Refused, Unavailable) as failure:
            self._end([held], failure)
            await self._note(failure, sent_at)
            raise
        finally:
            self._land()
        self._end([held], None)
        self._pacer.accepted()

    async def send_batch(self, held: Sequence[Held]) -> list[Refused | Unavailable | None]:
        """Carry out operations of one origin in one call; return why each failed, if it did.

        Raises as `ask` does when the call as a whole fails.
        """
        items = [Item(each.operation.call, each.operation.event_key) for each in held]
        sent_at = await self._turn()
        self._start(held)
        try:
            results = await self._client.send_batch(items, origin=held[0].operation.origin)
        except (Refused, Unavailable) as failure:
            self._end(held, failure)
            await self._note(failure, sent_at)
            raise
        finally:
            self._land()
        failures = [each if isinstance(each, Refused | Unavailable) else None for each in results]
        for each, failed in zip(held, failures, strict=True):
            self._end([each], failed)
        too_soon = (
            each for each in failures if isinstance(each, Unavailable) and each.is_throttled
        )
        if throttled := next(too_soon, None):
            await self._note(throttled, sent_at)
        else:
            self._pacer.accepted()
        return failures

    def hold(self, seconds: float) -> None:
        """Make no call for so long."""
        self._pacer.hold(seconds)

    def _start(self, held: Sequence[Held]) -> None:
        self._under_way += 1
        for each in held:
            each.is_under_way = True

    def _end(self, held: Sequence[Held], failure: Refused | Unavailable | None) -> None:
        """Note what came of them; one that was cut short stays under way, and thereby unsure.

        Who is busy says that nothing was done, but a proxy may say so for what was done behind it.
        """
        is_unsure = isinstance(failure, Unavailable) and (
            failure.is_unsure or (failure.is_busy and not failure.is_throttled)
        )
        for each in held:
            each.is_under_way = False
            each.is_unsure = each.is_unsure or is_unsure

    def _land(self) -> None:
        self._under_way -= 1
        self._landed.set()

    async def _turn(self) -> float:
        sent_at = await self._pacer.turn()
        if not self._may_send():
            raise NotNow
        return sent_at

    async def _note(self, failure: Refused | Unavailable, sent_at: float) -> None:
        """Slow everybody down after a call that came too soon."""
        if not isinstance(failure, Unavailable) or not failure.is_throttled:
            self._pacer.accepted()
            return
        await self._pacer.refused(sent_at, failure.retry_after_s)
        if (asked_s := self._pacer.asked_s(failure.retry_after_s)) > HOLD_S_MAX:
            self._watch.asked(asked_s)
