"""The pace at which a destination is called: one limit, shared by all of its workers.

Calls are spread evenly, so that the limit holds however the destination counts: with a bucket of
tokens, over any second, or over each second of the clock. An answer 429 holds everybody back, and
lowers the rate a little; without it the rate recovers. Where no limit is known, the first 429
makes one, which fades away again.

Times are seconds since 1970, as the workers of one destination can only share those. A clock
that jumps back may neither block calls for long nor end the pace.
"""

import math
from dataclasses import dataclass, replace

SHARE = 0.99
"""How much of a limit is used: the rest is for calls that arrive a little early or late."""

RESERVED_S = 1.0
AHEAD_S_MAX = 60.0
LOWERED_TO = 0.9
RECOVERED_PER_S = 0.005
FADED_AFTER_S = 600.0
LOWERED_AGAIN_AFTER_S = 1.0
PER_S_MIN = 1.0
HOLD_S = 1.0
"""How long a 429 holds everybody back that does not say so itself."""


@dataclass(frozen=True, slots=True)
class Rate:
    """What the workers of one destination share: when the next call may be, and what was learned.

    `learned_per_s` is the rate after the latest 429, at `learned_at`; `held_s` is for how long
    nobody may call since `held_at`.
    """

    next_at: float = 0.0
    learned_per_s: float | None = None
    learned_at: float = 0.0
    held_at: float = 0.0
    held_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Slots:
    """Some calls that one worker may make: the first in so many seconds, then evenly spaced."""

    count: int
    first_in_s: float
    spacing_s: float


def per_s(rate: Rate, limit_per_s: float | None, now: float) -> float | None:
    """Return how many calls a second there may be; None is as many as one likes."""
    most = None if limit_per_s is None else limit_per_s * SHARE
    since_s = max(now - rate.learned_at, 0.0)
    if rate.learned_per_s is None or since_s >= FADED_AFTER_S:
        return most
    learned = rate.learned_per_s * (1.0 + RECOVERED_PER_S * since_s)
    return learned if most is None else min(learned, most)


def hold_s(rate: Rate, now: float) -> float:
    """Return for how long nobody may call."""
    return max(rate.held_s - max(now - rate.held_at, 0.0), 0.0)


def reserve(
    rate: Rate, limit_per_s: float | None, now: float, wanted: int
) -> tuple[Rate, Slots | None]:
    """Reserve at most a second's worth of calls, behind those that others have reserved.

    None in place of slots: there is no limit.
    """
    rate = _seen_at(now, rate)
    allowed = per_s(rate, limit_per_s, now)
    if allowed is None:
        return rate, None
    spacing_s = 1.0 / allowed
    ahead_s = max(rate.next_at - now, hold_s(rate, now), 0.0)
    count = max(1, min(wanted, math.floor(RESERVED_S / spacing_s)))
    after = replace(rate, next_at=now + ahead_s + count * spacing_s)
    return after, Slots(count, ahead_s, spacing_s)


def refused(
    rate: Rate,
    limit_per_s: float | None,
    now: float,
    *,
    sent_s_ago: float,
    retry_after_s: float | None,
    sent_per_s: float,
) -> Rate:
    """Return the rate after a 429: everybody holds, and from then on calls a little slower.

    Calls that were sent before the rate was lowered last do not lower it again. `sent_per_s` is
    what this worker has just sent, which is what a limit is made of when none is known.
    """
    rate = _seen_at(now, rate)
    asked_s = HOLD_S if retry_after_s is None else retry_after_s
    if asked_s > hold_s(rate, now):
        rate = replace(rate, held_at=now, held_s=asked_s)
    is_new = rate.learned_per_s is None
    if not is_new and now - rate.learned_at < max(sent_s_ago, LOWERED_AGAIN_AFTER_S):
        return rate
    allowed = per_s(rate, limit_per_s, now)
    before = sent_per_s if allowed is None else allowed
    return replace(rate, learned_per_s=max(before * LOWERED_TO, PER_S_MIN), learned_at=now)


def _seen_at(now: float, rate: Rate) -> Rate:
    """Return the rate without anything that a clock which has jumped back since has put ahead."""
    return replace(
        rate,
        next_at=now if rate.next_at - now > AHEAD_S_MAX else rate.next_at,
        learned_at=min(rate.learned_at, now),
        held_at=min(rate.held_at, now),
    )
