"""Pages by cursor: where the last page ended, as one opaque word."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")

PAGE_SIZE_MAX = 100


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some rows of a list, how many there are in all, and where the next page begins."""

    items: Sequence[T]
    count: int
    next_cursor: str | None


def encode(*key: int) -> str:
    """Return the sort key of the last row of a page as a cursor."""
    return base64.urlsafe_b64encode(".".join(map(str, key)).encode()).decode().rstrip("=")


def decode(cursor: str, parts: int) -> tuple[int, ...] | None:
    """Return the sort key in a cursor, or None when it is not one of `parts` numbers."""
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        key = tuple(int(part) for part in text.split("."))
    except (binascii.Error, ValueError):
        return None
    return key if len(key) == parts and all(abs(n) < 2**63 for n in key) else None
