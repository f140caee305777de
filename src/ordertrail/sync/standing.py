"""How a destination stands, as all of its workers share it: its pace, and whether it is paused."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Protocol, TypeVar

import msgspec

from ordertrail.kit import clock
from ordertrail.sync.pace import Rate
from ordertrail.sync.rim import Rim

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Standing:
    """The pace, and why and since when (in seconds since 1970) nothing is delivered, if so.

    A destination is paused while it refuses the key, and away while it answers nobody.
    """

    rate: Rate = field(default_factory=Rate)
    paused_because: str = ""
    paused_at: float = 0.0
    away_because: str = ""
    away_at: float = 0.0

    @property
    def is_fine(self) -> bool:
        """Whether it takes what it is sent, as far as known."""
        return not self.paused_because and not self.away_because

    def fine(self) -> "Standing":
        """Return the standing of a destination that answers."""
        return self if self.is_fine else Standing(self.rate)

    def paused(self, reason: str, now: float) -> "Standing":
        """Return the standing of a destination that refuses the key."""
        return self if self.paused_because else replace(self, paused_because=reason, paused_at=now)

    def away(self, reason: str, now: float) -> "Standing":
        """Return the standing of a destination that answers nobody."""
        return self if self.away_because else replace(self, away_because=reason, away_at=now)


class SharedText(Protocol):
    """Where workers keep one text for each destination; the outbox does."""

    def shared(self, destination: str, change: Callable[[str], tuple[str, T]]) -> T:
        """Replace the text by what `change` makes of it, and return what else it gives."""
        ...


def read(text: str) -> Standing:
    """Read a standing; nothing, or what another release wrote, is a fresh one."""
    try:
        return msgspec.json.decode(text or "{}", type=Standing)
    except msgspec.MsgspecError:
        return Standing()


def written(standing: Standing) -> str:
    """Return the standing as JSON text."""
    return msgspec.json.encode(standing).decode()


class Board:
    """One worker's access to the standing that it shares with the others of a destination."""

    def __init__(self, shared: SharedText, destination: str, rim: Rim) -> None:
        self._shared = shared
        self._destination = destination
        self._rim = rim

    def change(self, change: Callable[[Standing, float], tuple[Standing, T]]) -> Awaitable[T]:
        """Change the standing and return what else the change gives; it is told the time."""

        def changed(text: str) -> tuple[str, T]:
            now = clock.to_micros(self._rim.now()) / 1e6
            standing, result = change(read(text), now)
            return written(standing), result

        return self._rim.in_thread(lambda: self._shared.shared(self._destination, changed))
