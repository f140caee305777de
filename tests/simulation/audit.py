"""The auditor: looks into the outbox from outside, at any moment, without taking part."""

from pathlib import Path

from ordertrail.kit.clock import Clock
from ordertrail.kit.sqlite import Sqlite
from ordertrail.sync.operations import State
from ordertrail.sync.outbox import Counts, Filter, Outbox
from simulation.trace import Trace

LANES_OF_TWO = (
    "SELECT json_group_array(json_array(lane, held)) FROM"
    " (SELECT lane, group_concat(DISTINCT lease) AS held FROM ordertrail_operations"
    " WHERE state = 'leased' GROUP BY destination, lane HAVING count(DISTINCT lease) > 1)"
)


class Audit:
    """Reads the outbox of one destination, over connections of its own."""

    def __init__(self, path: Path, destination: str, clock: Clock, trace: Trace) -> None:
        self._database = Sqlite(path)
        self._outbox = Outbox(self._database, clock, is_ours=True)
        self._destination = destination
        self._trace = trace
        self._outbox.open()

    def close(self) -> None:
        self._outbox.close()

    def counts(self) -> Counts:
        return self._outbox.counts(self._destination)

    def planned(self) -> int:
        """Return how many operations were ever planned."""
        return self.counts().accepted

    def retry_parked(self) -> int:
        """Let everything that is parked be tried again."""
        return self._outbox.retry(self._destination, Filter(states=(State.PARKED,)))

    def parked(self) -> str:
        """Tell what is parked, and why."""
        found = self._outbox.listed(self._destination, Filter(states=(State.PARKED,)))
        return "\n".join(f"{each.key}: {each.reason}" for each in found)

    def check(self) -> None:
        """Require that everything is accounted for, and that each lane has one holder at most."""
        counts = self.counts()
        known = counts.waiting + counts.leased + counts.done + counts.parked
        self._trace.require(known == counts.accepted, "the outbox does not add up", counts)
        shared = self._database.read(lambda reader: reader.rows(LANES_OF_TWO))
        self._trace.require(not shared, "two workers hold one lane", shared)
