"""Sending one operation, again and again if need be, until it is decided."""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from ordertrail.client.client import Client
from ordertrail.domain.errors import Refused, Unavailable
from ordertrail.sync.outbox_operations import Outcome, Waiting
from ordertrail.sync.verdict import Park, Patience, Stop, Verdict, Wait, judge

_log = logging.getLogger("ordertrail.sync")


@dataclass(frozen=True, slots=True)
class Rim:
    """Time and chance, as sending meets them; waits are in seconds."""

    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    stopwatch: Callable[[], float] = time.monotonic
    jitter: Callable[[], float] = random.random


class Stopped(Exception):
    """The destination takes nothing now, and `failure` says why; everything stays waiting."""

    def __init__(self, failure: Refused | Unavailable) -> None:
        super().__init__(str(failure))
        self.failure = failure


class Sender:
    """Sends to one destination and remembers for how long that has carried out nothing."""

    def __init__(self, client: Client, patience: Patience, rim: Rim) -> None:
        self._client = client
        self._patience = patience
        self._rim = rim
        self._failing_since: float | None = None
        self._decided_so_far = 0

    async def outcome(self, operation: Waiting) -> Outcome:
        """Send the operation until it is done or parked; raises Stopped when nothing can be sent.

        An attempt that may have been carried out is repeated under the same key.
        """
        call = operation.call
        verdict, attempts, _ = await self._decided(lambda: self._client.send(call, operation.key))
        return Outcome(operation, attempts, verdict.reason if isinstance(verdict, Park) else None)

    async def destination(self) -> str:
        """Return what names the destination for ever: its workspace if told, else its address.

        A fresh platform at an old address is thereby another destination, and one that moved is
        the same. Raises Stopped.
        """
        _, _, about = await self._decided(self._client.about)
        return f"workspace:{about.workspace}" if about else self._client.url

    async def _decided(self, attempt: Callable[[], Awaitable[Any]]) -> tuple[Verdict, int, Any]:
        attempts, before = 0, self._decided_so_far
        while True:
            attempts += 1
            failure: Refused | Unavailable | None = None
            result = None
            try:
                result = await attempt()
            except (Refused, Unavailable) as error:
                failure = error
            verdict = self._judged(failure, attempts, self._decided_so_far - before)
            if isinstance(verdict, Stop):
                raise Stopped(verdict.failure) from failure
            if not isinstance(verdict, Wait):
                self._decided_so_far += 1
                return verdict, attempts, result
            await self._rim.sleep(verdict.wait_s)

    def _judged(
        self, failure: Refused | Unavailable | None, attempt: int, others_done: int
    ) -> Verdict:
        now = self._rim.stopwatch()
        if not isinstance(failure, Unavailable):
            self._failing_since = None
        elif self._failing_since is None:
            self._failing_since = now
            _log.warning(
                "%s takes nothing: %s; trying on for %.0f s",
                self._client.url,
                failure,
                self._patience.give_up_after_s,
            )
        return judge(
            failure,
            attempt=attempt,
            failing_s=0.0 if self._failing_since is None else now - self._failing_since,
            others_done=others_done,
            patience=self._patience,
            jitter=self._rim.jitter(),
        )
