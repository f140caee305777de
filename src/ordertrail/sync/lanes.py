"""A lane: operations that are made in order, a part at a time."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from ordertrail.sync.outbox_operations import Outcome, Waiting


class Lane:
    """Hands out its operations part by part; those of one part may be made at the same time.

    After a contact or deal that was parked, the rest of that order is left out.
    """

    def __init__(self, operations: Sequence[Waiting], part_max: int) -> None:
        self.name = operations[0].lane
        self._parts = _parts(operations, part_max)
        self._blocked: set[tuple[str, str]] = set()
        self._under_way = 0

    def begin(self) -> list[Waiting]:
        """Return the first part."""
        return self._next()

    def after(self, outcome: Outcome) -> list[Waiting] | None:
        """Return what may be made after this outcome too: nothing yet, or None at the end."""
        if outcome.is_blocking:
            self._blocked.add(_order(outcome.operation))
        self._under_way -= 1
        return [] if self._under_way else self._next() or None

    def _next(self) -> list[Waiting]:
        for part in self._parts:
            if _order(part[0]) not in self._blocked:
                self._under_way = len(part)
                return part
        return []


def split(operations: Sequence[Waiting], part_max: int) -> list[Lane]:
    """Return the lanes of operations that come lane by lane."""
    found = groupby(operations, key=lambda each: each.lane)
    return [Lane(list(same), part_max) for _, same in found]


def _parts(operations: Sequence[Waiting], part_max: int) -> Iterator[list[Waiting]]:
    for _, same in groupby(operations, key=lambda each: (*_order(each), each.step)):
        step = list(same)
        yield from (step[start : start + part_max] for start in range(0, len(step), part_max))


def _order(operation: Waiting) -> tuple[str, str]:
    return operation.source, operation.order_id
