"""A lane: operations that are made in order, a part at a time, while a worker holds them."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from ordertrail.sync.operations import Kind, Leased, Outcome, State


@dataclass(slots=True)
class Held:
    """An operation that this worker holds, and what it knows of it by now.

    `attempts`, `is_unsure` and `failing_since` go on from what the outbox told. `claimed_at` is
    the stopwatch's time by which it was claimed. `waits` counts every time that it had to wait,
    `refusals` how often in a row its key was refused.
    """

    operation: Leased
    attempts: int
    is_unsure: bool
    failing_since: datetime | None
    claimed_at: float = 0.0
    is_under_way: bool = False
    is_healed: bool = False
    waits: int = 0
    refusals: int = 0
    reason: str | None = None

    @classmethod
    def of(cls, operation: Leased, claimed_at: float = 0.0) -> "Held":
        """Return a leased operation as it is held before the first attempt."""
        told = operation.attempts, operation.is_unsure, operation.failing_since
        return cls(operation, *told, claimed_at)

    @property
    def has_changed(self) -> bool:
        """Whether the outbox does not know everything about it."""
        before = self.operation
        return self.is_under_way or (self.attempts, self.is_unsure, self.failing_since) != (
            before.attempts, before.is_unsure, before.failing_since
        )  # fmt: skip

    def done(self) -> Outcome:
        """Return the outcome that it was carried out, by one more attempt."""
        return Outcome(self.operation, State.DONE, self.attempts + 1)

    def parked(self, reason: str) -> Outcome:
        """Return the outcome that it is set aside after one more attempt, in doubt if it was."""
        attempts, is_unsure = self.attempts + 1, self.is_unsure
        return Outcome(self.operation, State.PARKED, attempts, reason, is_unsure=is_unsure)

    def waiting(self, due_at: datetime | None = None) -> Outcome:
        """Return the outcome that it waits again; under way, it may have been carried out."""
        return Outcome(
            self.operation,
            State.WAITING,
            self.attempts + self.is_under_way,
            self.reason,
            due_at,
            self.is_unsure or self.is_under_way,
            self.failing_since,
        )


class Lane:
    """Hands out its operations part by part; those of one part may be made at the same time.

    After a contact or deal that was parked, the rest of that order is left out: the outbox parks
    it. After an operation that waits for its time, the rest of the lane is to be given back.
    `unsettled` counts the outcomes that are not on disk.
    """

    def __init__(self, name: str, part_max: int) -> None:
        self.name = name
        self.unsettled = 0
        self._part_max = part_max
        self._parts: deque[list[Held]] = deque()
        self._under_way: dict[int, Held] = {}
        self._blocked: set[tuple[str, str]] = set()
        self._left_out: list[Held] = []
        self._is_deferred = False

    @property
    def is_over(self) -> bool:
        """Whether nothing is held and all outcomes are on disk."""
        return not (self._under_way or self._parts or self.unsettled)

    @property
    def held(self) -> Iterator[Held]:
        """Everything that has no outcome yet."""
        yield from self._under_way.values()
        for part in self._parts:
            yield from part

    def extend(self, operations: Iterable[Leased], claimed_at: float = 0.0) -> list[Held]:
        """Take operations behind those it has, and return what may be made at once."""
        for _, same in groupby(operations, key=lambda each: (*_order(each), each.step)):
            step = [Held.of(each, claimed_at) for each in same]
            size = self._part_max
            self._parts += (step[start : start + size] for start in range(0, len(step), size))
        return [] if self._under_way or self._is_deferred else self._next()

    def after(self, held: Held, outcome: Outcome) -> list[Held]:
        """Return what may be made after this outcome too."""
        del self._under_way[held.operation.id]
        if outcome.state is State.WAITING:
            self._is_deferred = True
        elif outcome.blocks_its_order:
            self._blocked.add(_order(held.operation))
        return [] if self._under_way or self._is_deferred else self._next()

    def given_back(self) -> list[Held]:
        """Return, once, what is not to be made behind an operation that waits for its time."""
        if self._under_way or not self._is_deferred:
            return []
        rest: list[Held] = []
        while self._parts:
            part = self._parts.popleft()
            (self._left_out if self._is_blocked(part) else rest).extend(part)
        return rest

    def settled(self, outcome: Outcome) -> int:
        """Take that an outcome is on disk; return how many the outbox has parked behind it."""
        self.unsettled -= 1
        if not outcome.blocks_its_order:
            return 0
        order = _order(outcome.operation)
        self._blocked.discard(order)
        left_out = [*self._left_out, *(held for part in self._parts for held in part)]
        parked = sum(_order(held.operation) == order for held in left_out)
        self._left_out = [held for held in self._left_out if _order(held.operation) != order]
        self._parts = deque(part for part in self._parts if _order(part[0].operation) != order)
        return parked

    def _next(self) -> list[Held]:
        while self._parts:
            part = self._parts.popleft()
            if not self._is_blocked(part):
                self._under_way = {held.operation.id: held for held in part}
                return part
            self._left_out += part
        return []

    def _is_blocked(self, part: list[Held]) -> bool:
        return bool(self._blocked) and _order(part[0].operation) in self._blocked


RANKS = {
    Kind.CONTACT: 0,
    Kind.MERGE: 1,
    Kind.DEAL: 2,
    Kind.PRODUCT_EVENT: 3,
    Kind.CONVERSION: 4,
}
"""How operations of different lanes are sorted in a batch, so that equal kinds come together."""


def _order(operation: Leased) -> tuple[str, str]:
    return operation.source, operation.order_id
