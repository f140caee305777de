"""Leasing: how long a worker may send what it holds, and when it may trust what it sees.

What two holders send may cross on its way: an older snapshot would be written over a newer one,
and an endpoint that honours no keys would count an event twice. Therefore a holder sends only for
`send_s` after its latest heartbeat began, and its calls end `timeout_s` later, within the lease.

A lease may also end early: the holder was killed, ended by an error, or the wall clock jumped.
Where no keys are honoured, the next holder then looks for an event no sooner than both times
together after it has claimed it, for no heartbeat of the former one can have succeeded since. All
workers of a destination must have the same lease and time-out for that.
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
    """Return the terms for an endpoint; the time-out may need a longer lease than `lease_s`."""
    lease_s = max(lease_s, TIMEOUTS_OF_LEASE * timeout_s)
    quiet_s = 0.0 if honours_keys else timeout_s + lease_s / 3
    return Terms(lease_s, lease_s / 6, lease_s / 3, quiet_s)


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
