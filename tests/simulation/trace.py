"""Steps: everything that happens in a simulation, numbered, the latest of it remembered."""

import hashlib
from collections import deque
from collections.abc import Callable
from typing import Any

REMEMBERED = 400
STEP_CHARS_MAX = 160


class Violation(AssertionError):
    """A promise was broken; the message says which, in which seed, at which step."""

    def __init__(self, message: str, latest: str = "") -> None:
        super().__init__(message)
        self.latest = latest


class Trace:
    """Counts the steps and keeps the latest; the digest tells whether two runs were the same."""

    def __init__(self, seed: int, now: Callable[[], float], remembered: int = REMEMBERED) -> None:
        self.seed = seed
        self.steps = 0
        self._now = now
        self._latest: deque[tuple[int, float, tuple[Any, ...]]] = deque(maxlen=remembered)
        self._digest = hashlib.sha256()

    def step(self, *what: Any) -> None:
        """Take down one step."""
        self.steps += 1
        now = self._now()
        self._latest.append((self.steps, now, what))
        self._digest.update(f"{now:.6f} {what}".encode())

    def digest(self) -> str:
        return self._digest.hexdigest()

    def latest(self, count: int = REMEMBERED) -> str:
        """Return the latest steps as text, a line each."""
        return "\n".join(
            f"{number:7} {now:12.3f}s  {' '.join(map(str, what))}"[:STEP_CHARS_MAX]
            for number, now, what in list(self._latest)[-count:]
        )

    def require(self, promise: bool, broken: str, detail: object = "") -> None:
        """Raise Violation unless the promise holds."""
        if not promise:
            raise self.violation(broken, detail)

    def violation(self, broken: str, detail: object = "") -> Violation:
        """Return what says that a promise is broken, and how to see it again."""
        where = f"seed {self.seed}, step {self.steps}"
        return Violation(
            f"{where}: {broken}\n{detail}\nmake simulate SEED={self.seed}", self.latest()
        )
