"""Shapes that many answers share, for the description of the API."""

import functools
from typing import Annotated, Any, TypedDict

import msgspec

Time = Annotated[
    float | str,
    msgspec.Meta(title="time", description="UNIX seconds, or an ISO 8601 time."),
]
"""A time as requests say it."""


class PageShown(TypedDict):
    """A page of a list, how many there are on all pages, and the addresses of its neighbours."""

    count: int
    next: str | None
    previous: str | None
    results: list[Any]


class DeletedShown(TypedDict):
    """The id of what is gone."""

    id: int
    deleted: bool


@functools.cache
def page_of(item: Any) -> Any:
    """Return the shape of a page of a list of such items."""
    name = f"PageOf{item.__name__}"
    return TypedDict(  # type: ignore[operator]
        name,
        {"count": int, "next": str | None, "previous": str | None, "results": list[item]},
    )
