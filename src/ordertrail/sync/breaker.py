"""The breaker of a destination: after some failures in a row it is left alone for a while.

An outage then uses up a few attempts and not those of everything that waits. When the wait is
over, a single operation tries; everything goes on when it is answered.
"""

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Breaking:
    """When a breaker opens, and for how long."""

    failures_max: int = 8
    first_wait_s: float = 1.0
    wait_s_max: float = 60.0


@dataclass(frozen=True, slots=True)
class Breaker:
    """What is known of a destination: closed while `open_until` is None.

    `failed_ids` are the operations that failed in a row. Times are those of a stopwatch;
    `failing_since` is when the first of the row failed, `openings` counts since it last worked.
    """

    failed_ids: frozenset[int] = frozenset()
    failing_since: float | None = None
    openings: int = 0
    open_until: float | None = None

    @property
    def is_closed(self) -> bool:
        """Whether operations may be sent side by side."""
        return self.open_until is None

    def wait_s(self, now: float) -> float:
        """Return how long to leave the destination alone; at 0 and not closed, one may try."""
        return 0.0 if self.open_until is None else max(self.open_until - now, 0.0)

    def failing_s(self, now: float) -> float:
        """Return for how long nothing was carried out that was asked."""
        return 0.0 if self.failing_since is None else max(now - self.failing_since, 0.0)

    def failed(self, operation_id: int, now: float, rule: Breaking, jitter: float) -> "Breaker":
        """Return the breaker after an operation failed; `jitter` is in [0, 1).

        The same operation failing again counts once: then it may be to blame itself.
        """
        is_full = len(self.failed_ids) >= rule.failures_max
        after = replace(
            self,
            failed_ids=self.failed_ids if is_full else self.failed_ids | {operation_id},
            failing_since=now if self.failing_since is None else self.failing_since,
        )
        is_probe = self.open_until is not None and now >= self.open_until
        if self.open_until is not None and not is_probe:
            return after
        if self.open_until is None and len(after.failed_ids) < rule.failures_max:
            return after
        longest_s = min(rule.first_wait_s * 2.0 ** min(self.openings, 30), rule.wait_s_max)
        wait_s = longest_s * (1.0 + jitter) / 2.0
        return replace(after, openings=self.openings + 1, open_until=now + wait_s)

    def answered(self) -> "Breaker":
        """Return the breaker after the destination answered as it should: closed."""
        return Breaker() if self.failed_ids else self
