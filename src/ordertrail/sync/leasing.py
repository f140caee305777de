"""Leasing: how long a worker may send what it holds, and when it may trust what it sees.

An endpoint that honours no keys counts twice what two holders send. What a former holder sent may
arrive after the next one has claimed it: the holder was killed or stalled, it ended by an error,
or its lease ended early because the wall clock jumped. Two rules keep an event from being created
by both. A holder sends only for `send_s` after its latest heartbeat began, and its calls end
`timeout_s` later. The next holder looks for it no sooner than both together after it has claimed,
for no heartbeat of the former one can have succeeded since. All workers of a destination must
have the same lease and time-out for that.
"""

from dataclasses import dataclass
from datetime import timedelta

from ordertrail.sync.rim import Rim

TIMEOUTS_OF_LEASE = 2.0
"""A lease is at least so many time-outs long: what is sent in its first third ends within it."""


@dataclass(frozen=True, slots=True)
class Terms:
    """The times of a lease, in seconds.

    It is renewed every `heartbeat_s`, and what is held may be sent for `send_s` after a heartbeat
    began. An event in doubt is looked for no sooner than `quiet_s` after it was claimed.
    """

    lease_s: float
    heartbeat_s: float
    send_s: float
    quiet_s: float


def terms(lease_s: float, timeout_s: float, *, honours_keys: bool) -> Terms:
    """Return the terms for an endpoint; without keys the lease may have to be longer."""
    if honours_keys:
        return Terms(lease_s, lease_s / 3, lease_s, 0.0)
    lease_s = max(lease_s, TIMEOUTS_OF_LEASE * timeout_s)
    return Terms(lease_s, lease_s / 6, lease_s / 3, timeout_s + lease_s / 3)


class Tenure:
    """Tells whether one lease surely lasts; made before the lease is asked for.

    It asks two clocks: the stopwatch stands still while the machine sleeps, the other one jumps.
    """

    def __init__(self, terms: Terms, rim: Rim) -> None:
        self.terms = terms
        self._rim = rim
        self._begun = rim.stopwatch(), rim.now()

    @property
    def lasts(self) -> bool:
        """Whether what is held may be sent."""
        since, at = self._begun
        is_fresh = self._rim.stopwatch() < since + self.terms.send_s
        return is_fresh and self._rim.now() < at + timedelta(seconds=self.terms.lease_s)

    def heartbeat(self) -> "Tenure":
        """Return the tenure that begins now, should the lease be renewed from now on."""
        return Tenure(self.terms, self._rim)
