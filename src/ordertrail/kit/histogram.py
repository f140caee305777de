"""How large something was, counted without a lock by the one thread that adds."""

from bisect import bisect_left
from collections.abc import Sequence


class Histogram:
    """Counts values by the first bound that they do not exceed; others may read meanwhile."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = tuple(bounds)
        self.counts = [0] * (len(self.bounds) + 1)
        self.total = 0.0

    def add(self, value: float) -> None:
        """Count one value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value
