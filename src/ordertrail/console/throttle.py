"""How often somebody may try a password."""

from collections import OrderedDict
from datetime import datetime, timedelta

WINDOW = timedelta(minutes=5)
TRIES_PER_EMAIL_MAX = 5
TRIES_PER_ADDRESS_MAX = 20
KEYS_MAX = 10_000


class Tries:
    """Counts tries by key within a window, in memory; the key that tried longest ago is forgotten
    when there are more than `keys_max`."""

    def __init__(
        self, tries_max: int, *, window: timedelta = WINDOW, keys_max: int = KEYS_MAX
    ) -> None:
        self._tries_max = tries_max
        self._window = window
        self._keys_max = keys_max
        self._tries: OrderedDict[str, list[datetime]] = OrderedDict()

    def wait(self, key: str, at: datetime) -> timedelta | None:
        """Return how long the key has to wait before its next try; None when it need not."""
        tries = self._recent(key, at)
        return tries[0] + self._window - at if len(tries) >= self._tries_max else None

    def add(self, key: str, at: datetime) -> None:
        """Count a try, before it is known whether it fails: tries side by side count as well."""
        self._tries[key] = [*self._recent(key, at), at]
        self._tries.move_to_end(key)
        while len(self._tries) > self._keys_max:
            self._tries.popitem(last=False)

    def take_back(self, key: str, at: datetime) -> None:
        """Forget one try at this time: it did not fail."""
        tries = self._tries.get(key, [])
        if at in tries:
            tries.remove(at)
        if not tries:
            self._tries.pop(key, None)

    def _recent(self, key: str, at: datetime) -> list[datetime]:
        return [each for each in self._tries.get(key, ()) if at - each < self._window]
