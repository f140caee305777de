"""Operations: calls that are to be made once, from the plan through the outbox to their end."""

import enum
from dataclasses import dataclass
from datetime import datetime

from ordertrail.client.calls import Call
from ordertrail.domain.journal import Origin
from ordertrail.kit import json


class Kind(enum.StrEnum):
    """What an operation is about."""

    CONTACT = "contact"
    MERGE = "merge"
    DEAL = "deal"
    PRODUCT_EVENT = "product_event"
    CONVERSION = "conversion"

    @property
    def is_event(self) -> bool:
        """Whether doing it twice would count twice."""
        return self in (Kind.PRODUCT_EVENT, Kind.CONVERSION)

    @property
    def is_blocking(self) -> bool:
        """Whether the rest of its order needs it to be done."""
        return self in (Kind.CONTACT, Kind.DEAL)


NAMING = {
    Kind.CONTACT: ("custom_id",),
    Kind.MERGE: ("parent", "users_list"),
    Kind.DEAL: ("custom_id",),
    Kind.PRODUCT_EVENT: ("event_type", "user_custom_id"),
    Kind.CONVERSION: ("name",),
}
"""What the body of an operation says of which thing it is about, by kind."""


class State(enum.StrEnum):
    """Where an operation is; each that was accepted is in exactly one."""

    WAITING = "waiting"
    LEASED = "leased"
    DONE = "done"
    PARKED = "parked"


@dataclass(frozen=True, slots=True)
class Operation:
    """One call that is to be made once, as it is planned.

    Operations of one lane are made in the order in which they were planned; those of one order
    that share a `step` may be made at the same time.
    """

    key: str
    lane: str
    step: int
    kind: Kind
    order_id: str
    call: Call


@dataclass(frozen=True, slots=True)
class Leased:
    """An operation that a worker holds, to make it; its body is JSON text.

    `attempts` counts those that are known of, before this lease. `is_unsure` tells that one of
    them may have been carried out, `failing_since` when the first of them failed.
    """

    id: int
    key: str
    lane: str
    source: str
    order_id: str
    step: int
    kind: Kind
    method: str
    path: str
    body: str
    origin: Origin
    attempts: int = 0
    is_unsure: bool = False
    failing_since: datetime | None = None

    @property
    def call(self) -> Call:
        """The call to make."""
        return Call(self.method, self.path, json.loads(self.body))

    @property
    def event_key(self) -> str | None:
        """The key under which an event is created once; what may be repeated writes each time."""
        return self.key if self.kind.is_event else None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a leased operation: done, parked for a reason, or waiting again.

    `attempts` counts all so far. One that waits again does so until `due_at` (None: no longer
    than the others), and says whether it may have been carried out.
    """

    operation: Leased
    state: State
    attempts: int
    reason: str | None = None
    due_at: datetime | None = None
    is_unsure: bool = False
    failing_since: datetime | None = None

    @property
    def blocks_its_order(self) -> bool:
        """Whether later operations of the order are parked with this one."""
        return self.state is State.PARKED and self.operation.kind.is_blocking
