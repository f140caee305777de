"""Events: one named thing that a contact did, with data."""

from collections.abc import Mapping
from dataclasses import dataclass
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
