"""A worker put together: who is at the other end is asked once, when it begins."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ordertrail.client.answers import About
from ordertrail.client.client import Client
from ordertrail.domain.errors import Forbidden, Refused, Unauthorised, Unavailable
from ordertrail.kit import processes
from ordertrail.sync.calling import Caller
from ordertrail.sync.deliver import Deliverer
from ordertrail.sync.mending import Mender
from ordertrail.sync.operations import Outcome
from ordertrail.sync.outbox import Outbox, Settled
from ordertrail.sync.pacing import Pacer
from ordertrail.sync.rim import Rim
from ordertrail.sync.sending import Sender
from ordertrail.sync.shift import Limits
from ordertrail.sync.standing import Board
from ordertrail.sync.verdict import Attempt, Patience, Wait, judge
from ordertrail.sync.watch import Endurance, Stopped, Watch

HOSTED_LIMIT_PER_S = 10.0
"""How many calls a second the hosted service takes."""

_log = logging.getLogger("ordertrail.sync")


@dataclass(frozen=True, slots=True)
class Pace:
    """How a worker goes about its work.

    `limit_per_s` is the destination's limit; None: the hosted service's, unless it is our own
    platform, and 0: none. Reading pauses while `waiting_max` operations wait.
    """

    limits: Limits = field(default_factory=Limits)
    patience: Patience = field(default_factory=Patience)
    endurance: Endurance = field(default_factory=Endurance)
    rim: Rim = field(default_factory=Rim)
    limit_per_s: float | None = None
    orders_at_once: int = 25
    waiting_max: int = 20_000


def unnoticed(outcomes: Sequence[Outcome], settled: Settled) -> None:
    """Do nothing about outcomes that are on disk."""


@dataclass(frozen=True, slots=True)
class There:
    """Who is at the other end; `name` is the destination's for ever, in every outbox."""

    name: str
    about: About | None

    def has(self, feature: str) -> bool:
        """Whether it offers what only our own platform does."""
        return self.about is not None and feature in self.about.features

    def limit_per_s(self, asked: float | None) -> float | None:
        """Return how many calls a second it takes; None is as many as one likes."""
        if asked is None:
            return HOSTED_LIMIT_PER_S if self.about is None else None
        return asked or None


async def there(client: Client, pace: Pace, outbox: Outbox | None = None) -> There:
    """Return who answers at the client's address, under the name that the outbox knows it by.

    That is the address where orders were accepted for it, as a tracker does, who has nobody to
    ask. Else it is the workspace, if one is told: a fresh platform at an old address is then
    another destination, and one that moved is the same.

    Asks again while nobody answers; raises Stopped as the delivery does.
    """
    rim, endurance = pace.rim, pace.endurance
    begun, number = rim.stopwatch(), 0
    while True:
        number += 1
        try:
            about = await client.about()
        except (Refused, Unavailable) as failure:
            wait_s = _wait_s(failure, number, pace)
            is_key_refused = isinstance(failure, Unauthorised | Forbidden)
            away_s, most_s = rim.stopwatch() - begun, endurance.away_s_max
            if is_key_refused and endurance.stops_paused and number >= pace.patience.refusals_max:
                raise Stopped(failure) from failure
            if not is_key_refused and most_s is not None and away_s >= most_s:
                raise Stopped(failure) from failure
            if number == 1:
                _log.warning("%s does not say who it is: %s; asking again", client.url, failure)
            await rim.sleep(wait_s)
        else:
            break
    known = [] if outbox is None else await rim.in_thread(outbox.destinations)
    if about is None or client.url in known:
        return There(client.url, about)
    return There(f"workspace:{about.workspace}", about)


def deliverer(
    outbox: Outbox,
    client: Client,
    who: There,
    pace: Pace,
    on_settled: Callable[[Sequence[Outcome], Settled], None] = unnoticed,
) -> Deliverer:
    """Return a worker that delivers to there."""
    rim, patience = pace.rim, pace.patience
    board = Board(outbox, who.name, rim)
    watch = Watch(client.url, board, rim, pace.endurance)
    limit_per_s = who.limit_per_s(pace.limit_per_s)
    pacer = Pacer(board, rim, limit_per_s, patience.retry_after_s_max)
    caller = Caller(client, pacer, watch)
    mender = Mender(caller, rim, lambda person: outbox.contact_body(who.name, person))
    sender = Sender(
        caller, mender, watch, patience=patience, rim=rim, honours_keys=who.has("idempotency")
    )
    return Deliverer(
        outbox,
        who.name,
        sender,
        watch,
        worker=processes.name(),
        limits=pace.limits,
        rim=rim,
        takes_batches=who.has("batch"),
        on_settled=on_settled,
    )


def _wait_s(failure: Refused | Unavailable, number: int, pace: Pace) -> float:
    most_s = pace.endurance.paused_s
    if isinstance(failure, Refused):
        return pace.patience.refusal_wait_s if number < pace.patience.refusals_max else most_s
    verdict = judge(failure, Attempt(number, is_away=True), pace.patience, pace.rim.jitter())
    return min(verdict.wait_s, most_s) if isinstance(verdict, Wait) else most_s
