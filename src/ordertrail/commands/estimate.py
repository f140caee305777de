"""How far a sync is and how long it will take, as honestly as can be told while it reads."""

import time
from collections import deque
from collections.abc import Callable

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.progress import Progress as ProgressBar

from ordertrail.sync.progress import Progress

RECENT_S = 20.0
_MINUTE_S, _HOUR_S = 60, 3_600


class Estimate:
    """Shows progress on a bar; under a limit the rest takes as long as the limit makes it."""

    def __init__(
        self,
        bar: ProgressBar,
        total: int | None,
        limit_per_s: float | None,
        stopwatch: Callable[[], float] = time.monotonic,
    ) -> None:
        self._bar = bar
        self._total = total
        self._limit_per_s = limit_per_s
        self._stopwatch = stopwatch
        self._recent: deque[tuple[float, int]] = deque()
        self._task = bar.add_task("orders", total=total, calls=0, left="")

    def show(self, progress: Progress) -> None:
        """Show how far it is."""
        calls = progress.delivered.total()
        everything = calls + progress.waiting
        share = calls / everything if everything else 1.0
        self._bar.update(
            self._task,
            completed=progress.orders * share,
            calls=calls,
            left=words(self.left_s(progress)),
        )

    def left_s(self, progress: Progress) -> float | None:
        """Return how many seconds are left; None while nothing can be told."""
        rate = self._rate(progress.delivered.total())
        if not rate or self._total is None:
            return None
        unread = max(self._total - progress.orders, 0)
        calls_an_order = progress.planned.total() / progress.orders if progress.orders else 0.0
        return (progress.waiting + unread * calls_an_order) / rate

    def _rate(self, calls: int) -> float:
        """Return the calls a second: those of late, and never more than the limit.

        Before the first one that is the limit; 0 when none was made for a while.
        """
        now = self._stopwatch()
        self._recent.append((now, calls))
        while now - self._recent[0][0] > RECENT_S:
            self._recent.popleft()
        began, before = self._recent[0]
        if not calls or now == began:
            return self._limit_per_s or 0.0
        recent = (calls - before) / (now - began)
        return recent if self._limit_per_s is None else min(recent, self._limit_per_s)


def words(seconds: float | None) -> str:
    """Return a time that is left, in words that do not pretend to know it to the second."""
    if seconds is None:
        return ""
    if seconds < _MINUTE_S:
        return "under a minute left"
    if seconds < _HOUR_S:
        return f"about {seconds / _MINUTE_S:.0f} min left"
    return f"about {seconds / _HOUR_S:.1f} h left"


def progress_bar() -> ProgressBar:
    """Return a bar that shows itself where a person looks on, and is gone when it is done."""
    console = Console(stderr=True)
    return ProgressBar(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[calls]:,} calls"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[left]}"),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
