"""Events: one named thing that a contact did, with data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from ordertrail.domain.errors import Invalid, KeyReused
from ordertrail.domain.journal import same_json

PURCHASE_COMPLETED = "purchase_completed"
"""The conversion event of the guide."""

NAME_LENGTH_MAX = 255


AHEAD_MAX = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Event:
    """One occurrence; `id` is its number in the journal."""

    id: int
    name: str
    contact_id: int
    at: datetime
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class NewEvent:
    """What a request says a contact did; `at` is None for now."""

    name: str
    at: datetime | None = None
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EventType:
    """A name that events have, and when it was seen for the first time."""

    id: int
    name: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event that was recorded under a permanent key, and what tells it from any other.

    `about` is whose it was and of what kind, `created_at` when it came in. `is_first` tells that
    it was the first of its name.
    """

    id: int
    about: tuple[int | str, ...]
    at: datetime
    created_at: datetime
    data: Mapping[str, Any]
    is_first: bool = False

    def check(
        self, about: tuple[int | str, ...], sent_at: datetime | None, data: Mapping[str, Any]
    ) -> None:
        """Raise KeyReused when another event is sent under the key; one without a time is now's."""
        is_same = about == self.about and (sent_at or self.created_at) == self.at
        if not is_same or not same_json(data, self.data):
            raise KeyReused("this Idempotency-Key was used for another event; use a new one")


def happened_at(sent: datetime | None, at: datetime) -> datetime:
    """Return when an event happened: as sent, else now; raises Invalid when a day ahead."""
    if sent is not None and sent > at + AHEAD_MAX:
        raise Invalid({"timestamp": "lies more than a day ahead"})
    return sent or at
