"""How far a run is, and what it came to."""

from collections import Counter
from dataclasses import dataclass, field, replace

from ordertrail.domain.errors import Refused, Unavailable
from ordertrail.sync.operations import Kind, State
from ordertrail.sync.outbox import Accepted, Counts, Settled


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is: orders == unchanged + changed + older + quarantined + rejected.

    `planned` and `delivered` count operations of this run by kind; `waiting` (under way or not)
    and `parked` are those of the destination, whichever run planned them. When a run is over they
    are what the outbox itself counts. On the way they are put together from what was heard last,
    a little before or after it is so, and may be off by what is just being written down.
    """

    orders: int = 0
    unchanged: int = 0
    changed: int = 0
    older: int = 0
    quarantined: int = 0
    rejected: int = 0
    planned: Counter[Kind] = field(default_factory=Counter)
    delivered: Counter[Kind] = field(default_factory=Counter)
    waiting: int = 0
    parked: int = 0

    @property
    def shown(self) -> "Progress":
        """The progress as a person is told it: what was heard out of order is never below zero."""
        return replace(self, waiting=max(self.waiting, 0), parked=max(self.parked, 0))

    def counted(self, counts: Counts) -> "Progress":
        """Return the progress with what the outbox itself says is left."""
        return replace(self, waiting=counts.waiting + counts.leased, parked=counts.parked)

    def accepted(self, accepted: Accepted) -> "Progress":
        """Return the progress after some more orders were accepted."""
        return replace(
            self,
            orders=self.orders + accepted.orders,
            unchanged=self.unchanged + accepted.unchanged,
            changed=self.changed + accepted.changed,
            older=self.older + accepted.older,
            quarantined=self.quarantined + len(accepted.refused),
            planned=self.planned + accepted.operations,
            waiting=self.waiting + accepted.operations.total() - accepted.taken_back,
        )

    def rejecting(self, count: int) -> "Progress":
        """Return the progress after so much was read that is no order."""
        return replace(self, orders=self.orders + count, rejected=self.rejected + count)

    def retrying(self, count: int) -> "Progress":
        """Return the progress after so many parked operations wait again."""
        return replace(self, waiting=self.waiting + count, parked=self.parked - count)

    def settled(self, settled: Settled) -> "Progress":
        """Return the progress after some more operations were decided."""
        done = Counter(each.operation.kind for each in settled.outcomes if each.state is State.DONE)
        parked = sum(each.state is State.PARKED for each in settled.outcomes)
        parked += settled.followers_parked
        return replace(
            self,
            delivered=self.delivered + done,
            waiting=self.waiting - done.total() - parked,
            parked=self.parked + parked,
        )


@dataclass(frozen=True, slots=True)
class Summary:
    """What a run came to; `stopped` says why it ended with something still waiting."""

    progress: Progress
    destination: str
    seconds: float
    stopped: Refused | Unavailable | None = None

    @property
    def is_complete(self) -> bool:
        """Whether everything that was read, in this run and before, is delivered."""
        now = self.progress
        left = now.waiting + now.parked + now.quarantined + now.rejected
        return self.stopped is None and not left
