"""Events: one named thing that a contact did, with data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

PURCHASE_COMPLETED = "purchase_completed"
"""The conversion event of the guide."""

NAME_LENGTH_MAX = 255


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
