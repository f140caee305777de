"""Asking a destination what it holds: at its pace, and again while it is busy or away."""

from collections.abc import AsyncIterator, Callable
from typing import Any, TypeVar

from ordertrail.client.calls import Call
from ordertrail.client.client import Client, pages
from ordertrail.domain.errors import Forbidden, Refused, Unauthorised, Unavailable
from ordertrail.sync.pacing import Pacer
from ordertrail.sync.standing import Board, SharedText
from ordertrail.sync.verdict import Attempt, Wait, judge
from ordertrail.sync.worker import Pace, There

T = TypeVar("T")

WAIT_S_MAX = 15.0


class Alone:
    """What nobody shares: the standing of a destination while it is asked a few things."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}

    def shared(self, destination: str, change: Callable[[str], tuple[str, T]]) -> T:
        """Replace the text by what `change` makes of it, and return what else it gives."""
        self._texts[destination], result = change(self._texts.get(destination, ""))
        return result


class Asker:
    """Asks one destination; its calls take turns with those of the workers that share a standing.

    Only calls that may be repeated can be made with it.
    """

    def __init__(self, client: Client, who: There, pace: Pace, standing: SharedText) -> None:
        self.client = client
        self.limit_per_s = who.limit_per_s(pace.limit_per_s)
        self._pace = pace
        self._pacer = Pacer(
            Board(standing, who.name, pace.rim),
            pace.rim,
            self.limit_per_s,
            pace.patience.retry_after_s_max,
        )

    async def ask(self, call: Call) -> Any:
        """Return what is answered; raises Refused when that is a refusal, a key's said again.

        Raises Unavailable when nobody has answered for as long as the pace endures.
        """
        rim, begun, refusals, number = self._pace.rim, self._pace.rim.stopwatch(), 0, 0
        while True:
            sent_at = await self._pacer.turn()
            try:
                said = await self.client.send(call)
            except (Refused, Unavailable) as failure:
                number += 1
                refusals += isinstance(failure, Unauthorised | Forbidden)
                wait_s = await self._wait_s(failure, number, refusals, sent_at)
                if wait_s is None or self._is_over(rim.stopwatch() + wait_s - begun):
                    raise
                await rim.sleep(wait_s)
            else:
                self._pacer.accepted()
                return said

    async def each(self, call: Call, pages_max: int) -> AsyncIterator[Any]:
        """Yield everything in a list, page by page; raises Refused when there are too many."""
        async for page in pages(self.ask, call, pages_max):
            for each in page:
                yield each

    async def _wait_s(
        self, failure: Refused | Unavailable, number: int, refusals: int, sent_at: float
    ) -> float | None:
        """Return after how many seconds to ask again; None is never."""
        if isinstance(failure, Unavailable) and failure.is_throttled:
            await self._pacer.refused(sent_at, failure.retry_after_s)
        attempt = Attempt(number, number - 1, refusals=refusals, is_away=True)
        verdict = judge(failure, attempt, self._pace.patience, self._pace.rim.jitter())
        if not isinstance(verdict, Wait):
            return None
        asked_s = getattr(failure, "retry_after_s", None) or 0.0
        return max(min(verdict.wait_s, WAIT_S_MAX), asked_s)

    def _is_over(self, seconds: float) -> bool:
        most_s = self._pace.endurance.away_s_max
        return most_s is not None and seconds > most_s
