"""Watching a destination: whether it may be sent to now, and since when not."""

import asyncio
import logging
import math
from dataclasses import dataclass, field

from ordertrail.domain.errors import Refused, Unavailable
from ordertrail.sync.breaker import Breaker, Breaking
from ordertrail.sync.rim import Rim
from ordertrail.sync.standing import Board, Standing

BELIEVED = 1_000
"""So many refusals of a key are believed, whatever the patience."""

_log = logging.getLogger("ordertrail.sync")


class Stopped(Exception):
    """The destination takes nothing now, and `failure` says why; everything stays waiting."""

    def __init__(self, failure: Refused | Unavailable) -> None:
        super().__init__(str(failure))
        self.failure = failure


@dataclass(frozen=True, slots=True)
class Endurance:
    """What a worker does about a destination that takes nothing.

    It tries a paused one again after `paused_s`. It stops when it is paused if `stops_paused`,
    and when nobody has answered for `away_s_max`; None is never.
    """

    breaking: Breaking = field(default_factory=Breaking)
    paused_s: float = 60.0
    stops_paused: bool = True
    away_s_max: float | None = 300.0


class Watch:
    """What one worker knows of its destination; the others are told when that changes."""

    def __init__(self, name: str, board: Board, rim: Rim, endurance: Endurance) -> None:
        self._name = name
        self._board = board
        self._rim = rim
        self._endurance = endurance
        self._breaker = Breaker()
        self._paused_until: float | None = None
        self._asked_until = self._suspected_until = -math.inf
        self._refusals = 0
        self._failure: Refused | Unavailable | None = None
        self._told: tuple[bool, bool] | None = None

    @property
    def is_probing(self) -> bool:
        """Whether a single operation is to try what becomes of it."""
        return self._paused_until is not None or not self._breaker.is_closed

    @property
    def must_rest(self) -> bool:
        """Whether nothing may be sent now."""
        return self._rest_s() > 0.0

    def answered(self) -> None:
        """Tell that the destination answered as it should."""
        self._breaker = self._breaker.answered()
        self._paused_until = self._failure = None
        self._refusals = 0

    def failed(self, operation_id: int, failure: Unavailable) -> None:
        """Tell that an operation found nobody who could carry it out."""
        now, was_closed = self._rim.stopwatch(), self._breaker.is_closed
        rule, jitter = self._endurance.breaking, self._rim.jitter()
        self._breaker = self._breaker.failed(operation_id, now, rule, jitter)
        self._failure = failure
        if was_closed and not self._breaker.is_closed:
            _log.warning("%s takes nothing, and is left alone for a while: %s", self._name, failure)

    def suspect(self, wait_s: float) -> int:
        """Tell that the key was refused; return how often in a row, once in so many seconds.

        One that tries what becomes of a pause has no need to be told again.
        """
        now = self._rim.stopwatch()
        if self._paused_until is not None:
            return BELIEVED
        if now >= self._suspected_until:
            self._refusals += 1
            self._suspected_until = now + wait_s
        return self._refusals

    def refused(self, failure: Refused) -> None:
        """Tell that the destination refuses the key."""
        if self._paused_until is None:
            _log.warning("%s refuses the key, nothing is delivered: %s", self._name, failure)
        self._paused_until = self._rim.stopwatch() + self._endurance.paused_s
        self._failure = failure

    def asked(self, seconds: float) -> None:
        """Tell that the destination asks to be left alone for so long, which is no failure."""
        self._asked_until = max(self._asked_until, self._rim.stopwatch() + seconds)

    async def rest(self, waker: asyncio.Event) -> None:
        """Return when something may be sent, or when woken.

        Raises Stopped when that is waited for no longer.
        """
        if self._told is None:
            await self._look()
        await self.tell()
        now, most_s = self._rim.stopwatch(), self._endurance.away_s_max
        is_away = most_s is not None and self._breaker.failing_s(now) >= most_s
        is_paused = self._paused_until is not None and self._endurance.stops_paused
        if self._failure is not None and self.is_probing and (is_away or is_paused):
            raise Stopped(self._failure)
        if (wait_s := self._rest_s()) > 0.0:
            await self._rim.until(waker, wait_s)

    async def tell(self) -> None:
        """Tell the other workers, and who asks, how the destination stands, if that is news."""
        is_paused, is_away = self._paused_until is not None, not self._breaker.is_closed
        if self._told == (is_paused, is_away):
            return
        reason = str(self._failure or "")

        def changed(standing: Standing, now: float) -> tuple[Standing, None]:
            if is_paused:
                return standing.paused(reason, now), None
            return (standing.away(reason, now) if is_away else standing.fine()), None

        await self._board.change(changed)
        self._told = is_paused, is_away

    async def _look(self) -> None:
        """Begin with a single operation where another worker has found the key refused."""

        def seen(standing: Standing, _: float) -> tuple[Standing, bool]:
            return standing, bool(standing.paused_because)

        is_paused = await self._board.change(seen)
        self._told = is_paused, False
        if is_paused:
            self._paused_until = self._rim.stopwatch()

    def _rest_s(self) -> float:
        now = self._rim.stopwatch()
        paused_s = 0.0 if self._paused_until is None else self._paused_until - now
        return max(paused_s, self._asked_until - now, self._breaker.wait_s(now))
