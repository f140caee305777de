"""Pages by cursor: where the last page ended, as one opaque word."""

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")
S = TypeVar("S")

PAGE_SIZE_MAX = 100


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some rows of a list, how many there are in all, and where its neighbours begin."""

    items: Sequence[T]
    count: int
    next_cursor: str | None
    previous_cursor: str | None = None

    def showing(self, items: Sequence[S]) -> "Page[S]":
        """Return the same page with what its rows stand for."""
        return Page(items, self.count, self.next_cursor, self.previous_cursor)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page begins: behind `edge`, towards older rows, or `is_back` towards newer ones.

    Without an edge it is the first page. `count` is what the list's first page counted.
    """

    edge: int | None = None
    is_back: bool = False
    count: int | None = None

    def cursor(self) -> str:
        """Return the place as one word."""
        return encode(self.edge or 0, int(self.is_back), self.count or 0)

    @classmethod
    def read(cls, cursor: str | None) -> "Place | None":
        """Return the place that a cursor names, or None when it is not one of ours."""
        if not cursor:
            return cls()
        match decode(cursor, 3):
            case (edge, is_back, count) if is_back in (0, 1) and count >= 0:
                return cls(edge, bool(is_back), count)
            case _:
                return None


def page_at(
    place: Place, found: Sequence[T], count: int, key: Callable[[T], int], limit: int
) -> Page[T]:
    """Return the page at a place; `found` are up to `limit` + 1 rows from its edge on.

    A list's rows go from high keys to low ones, whichever way they were found. A page whose rows
    are gone leads back to where it was reached from.
    """
    has_more = len(found) > limit
    items = list(found[:limit])
    if place.is_back:
        items.reverse()
    has_older = has_more or place.is_back
    has_newer = place.edge is not None and (has_more or not place.is_back)
    if not items:
        return _empty(place, count)
    older = Place(key(items[-1]), False, count).cursor() if has_older else None
    newer = Place(key(items[0]), True, count).cursor() if has_newer else None
    return Page(items, count, older, newer)


def _empty(place: Place, count: int) -> Page[T]:
    if place.edge is None:
        return Page([], count, None, None)
    if place.is_back:
        return Page([], count, Place(place.edge + 1, False, count).cursor(), None)
    return Page([], count, None, Place(place.edge - 1, True, count).cursor())


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
