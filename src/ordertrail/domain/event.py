"""Events: one named thing that a contact did, with data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from ordertrail.domain.errors import Invalid

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


def happened_at(sent: datetime | None, at: datetime) -> datetime:
    """Return when an event happened: as sent, else now; raises Invalid when a day ahead."""
    if sent is not None and sent > at + AHEAD_MAX:
        raise Invalid({"timestamp": "lies more than a day ahead"})
    return sent or at
