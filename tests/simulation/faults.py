"""What goes wrong, and how often: chances per step, each between 0 and 1."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Faults:
    """Chances of faults; none of them is what a calm world has."""

    # on the way from the shop to the outbox
    message_lost: float = 0.0
    message_twice: float = 0.0
    message_late: float = 0.0
    # on the way to the destination, and there
    request_lost: float = 0.0
    answer_lost: float = 0.0
    fails_before: float = 0.0
    fails_after: float = 0.0
    away: float = 0.0
    throttled: float = 0.0
    slow: float = 0.0
    # what lasts a while, per turn of the world
    outage: float = 0.0
    locked_out: float = 0.0
    # the machine
    kill: float = 0.0
    stall: float = 0.0
    statement_fails: float = 0.0
    commit_unknown: float = 0.0
    disk_full: float = 0.0
    clock_jump: float = 0.0
    zone_change: float = 0.0


CALM = Faults()

ROUGH = Faults(
    message_lost=0.08,
    message_twice=0.15,
    message_late=0.25,
    request_lost=0.02,
    answer_lost=0.03,
    fails_before=0.02,
    fails_after=0.03,
    away=0.01,
    throttled=0.01,
    slow=0.05,
    outage=0.03,
    locked_out=0.02,
    kill=0.10,
    stall=0.06,
    statement_fails=0.002,
    commit_unknown=0.001,
    disk_full=0.02,
    clock_jump=0.06,
    zone_change=0.05,
)
"""Everything at once."""
