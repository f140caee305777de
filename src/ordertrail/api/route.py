"""Addresses: what each does, takes and gives; and which of them a path names."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from urllib.parse import unquote

from ordertrail.api.call import Handler
from ordertrail.api.writes import Write, alone

T = TypeVar("T")

PUBLIC = "/api/public"
OWN = "/api/ordertrail/v1"


@dataclass(frozen=True, slots=True)
class Route:
    """One method of one address, with what a reader of the manual needs to know.

    A path has at most one name in braces, and at most one more part behind it. `takes` and `gives`
    are the shapes of the JSON in request and answer, `queries` the names of what the query may
    hold, and `status` is that of an answer that is as it should be. `media` are the types of an
    answer that is no JSON, `sent_media` those of a body that is none. A call may be made without
    the body when it `may_lack_body`.
    """

    method: str
    path: str
    does: Handler | Write
    says: str
    takes: Any = None
    gives: Any = None
    queries: tuple[str, ...] = ()
    status: int = 200
    access: str = ""
    bytes_max: int | None = None
    media: tuple[str, ...] = ()
    sent_media: tuple[str, ...] = ()
    may_lack_body: bool = False

    @property
    def scope(self) -> str:
        """The scope that a key needs for it: "read", "write" or "any"."""
        return self.access or ("read" if self.method == "GET" else "write")

    @property
    def handle(self) -> Handler:
        """What answers a call."""
        return alone(self.does) if isinstance(self.does, Write) else self.does


class Addresses(Generic[T]):
    """Finds what stands for a path; ids of a shop may hold slashes ("AB/12") and any character."""

    def __init__(self, given: Iterable[tuple[str, str, T]]) -> None:
        self._fixed: dict[str, dict[str, T]] = {}
        self._named: dict[str, dict[str, tuple[str, dict[str, T]]]] = {}
        for method, path, target in given:
            if "{" in path:
                prefix, _, rest = path.partition("{")
                name, _, tail = rest.partition("}")
                tails = self._named.setdefault(prefix, {})
                tails.setdefault(tail.strip("/"), (name, {}))[1][method] = target
            else:
                self._fixed.setdefault(path, {})[method] = target

    def find(self, raw_path: str) -> tuple[Mapping[str, T], Mapping[str, str]] | None:
        """Return the targets by method, and what is named in the path; None for no address.

        The path is as it stands on the wire, percent-encoded, with or without its last slash. An
        id that is empty (`users-by-id//events/`) names nothing.
        """
        whole = raw_path if raw_path.endswith("/") else f"{raw_path}/"
        fixed = self._fixed.get(whole)
        if fixed is not None:
            return fixed, {}
        for prefix, tails in self._candidates(whole):
            named = whole[len(prefix) : -1]
            if named.startswith("/"):
                return None
            head, _, last = named.rpartition("/")
            if head and last in tails:
                name, targets = tails[last]
                return targets, {name: unquote(head)}
            if "" in tails and last:
                name, targets = tails[""]
                return targets, {name: unquote(f"{head}/{last}" if head else last)}
        return None

    def _candidates(self, whole: str) -> Iterable[tuple[str, dict[str, tuple[str, dict[str, T]]]]]:
        """The tables of the prefixes that the path begins with, the longest first."""
        end = len(whole) - 1
        while (end := whole.rfind("/", 0, end)) > 0:
            tails = self._named.get(whole[: end + 1])
            if tails is not None:
                yield whole[: end + 1], tails
