"""One view of a database, and what was made of it."""

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from ordertrail.kit.database import Asked, Reader, Value

T = TypeVar("T")


class Snapshot:
    """A reader that also keeps what is made of what it reads, so that all of a part share it.

    It is good until its transaction ends or writes anything.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._made: dict[Hashable, Any] = {}

    def ahead(self, *asked: Asked) -> None:
        """Send queries whose rows are asked for next."""
        self._reader.ahead(*asked)

    def rows(self, query: str, **parameters: Value) -> list[list[Any]]:
        """Return the rows of a query that yields them as one JSON array of arrays."""
        return self._reader.rows(query, **parameters)

    def fetch(self, query: str, **parameters: Value) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        return self._reader.fetch(query, **parameters)

    def once(self, make: Callable[..., T], *of: Hashable) -> T:
        """Return what the function makes of this reader and these; it is asked once for each."""
        if (make, of) not in self._made:
            self._made[make, of] = make(self._reader, *of)
        made: T = self._made[make, of]
        return made
