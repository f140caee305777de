"""What is known of a request while it is answered: its id, and what it comes to in the end."""

import itertools
import logging
import secrets
from collections.abc import Iterable
from dataclasses import dataclass

from ordertrail.kit.histogram import Histogram

REQUEST_ID_LENGTH_MAX = 128
NOWHERE = "none"
"""The route of a request for an address that there is not."""

DURATION_BOUNDS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_METHODS = {"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"}
_log = logging.getLogger("ordertrail.api")


@dataclass(slots=True)
class Trace:
    """One request; `route` is the template of its address, `status` 0 while it is unanswered."""

    request_id: str
    route: str = NOWHERE
    status: int = 0
    key_id: int | None = None


class Finished:
    """The finished requests of one method and route, by the first digit of their status."""

    __slots__ = ("by_class", "durations_s")

    def __init__(self) -> None:
        self.by_class = [0] * 6
        self.durations_s = Histogram(DURATION_BOUNDS_S)


class Traces:
    """Begins and finishes traces, on one event loop; logs the finished ones if it is to.

    `connections` are those that are open.
    """

    def __init__(self, *, is_logged: bool = False) -> None:
        self.finished: dict[tuple[str, str], Finished] = {}
        self.connections = 0
        self._is_logged = is_logged
        self._process = secrets.token_hex(6)
        self._numbers = itertools.count(1)

    def begin(self, headers: Iterable[tuple[bytes, bytes]]) -> Trace:
        """Return a trace with the id that the caller gave, or one that no other request has."""
        for name, value in headers:
            if name == b"x-request-id":
                given = value.decode("latin-1")
                if _can_be_logged(given):
                    return Trace(given)
                break
        return Trace(f"{self._process}-{next(self._numbers):x}")

    def finish(self, method: str, trace: Trace, duration_s: float) -> None:
        """Count a request that was answered, or left by its caller."""
        place = (method if method in _METHODS else "other", trace.route)
        finished = self.finished.get(place)
        if finished is None:
            finished = self.finished[place] = Finished()
        finished.by_class[trace.status // 100] += 1
        finished.durations_s.add(duration_s)
        if self._is_logged:
            _log.info(
                "request finished method=%s route=%s status=%d duration_ms=%.1f key_id=%s"
                " request_id=%s",
                *place,
                trace.status,
                duration_s * 1000,
                "-" if trace.key_id is None else trace.key_id,
                trace.request_id,
            )


def _can_be_logged(given: str) -> bool:
    return 0 < len(given) <= REQUEST_ID_LENGTH_MAX and given.isascii() and given.isprintable()
