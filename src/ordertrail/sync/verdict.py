"""What to do about the answer to an operation, decided without a clock, a socket or chance."""

from dataclasses import dataclass

from ordertrail.domain.errors import (
    Forbidden,
    KeyReused,
    NotFound,
    Refused,
    Unauthorised,
    Unavailable,
)

_DOUBLINGS_MAX = 30


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait between attempts, and when to give up.

    An operation is given up when it has failed for `give_up_after_s` while others succeeded. A
    key that is refused is believed to be wrong after `refusals_max` answers in a row: a
    destination may answer so for a moment after a burst. After an attempt of unknown outcome,
    `unsure_wait_s` pass before anyone looks whether it was carried out.
    """

    first_wait_s: float = 0.2
    wait_s_max: float = 900.0
    retry_after_s_max: float = 3_600.0
    give_up_after_s: float = 72 * 3_600.0
    refusals_max: int = 3
    refusal_wait_s: float = 1.0
    unsure_wait_s: float = 1.0


@dataclass(frozen=True, slots=True)
class Attempt:
    """What is known of an attempt that failed, and of those before it.

    `number` counts from 1 and leaves out those that came too soon; `waits` counts these too, but
    only this worker's. `failing_s` tells since when the operation fails, `refusals` how often in
    a row its key was refused. `is_away` tells that the destination answers nobody.
    `may_be_there` tells of an event that may have been created, and whose key the destination
    would know then.
    """

    number: int = 1
    waits: int = 0
    failing_s: float = 0.0
    refusals: int = 0
    is_away: bool = False
    can_heal: bool = False
    may_be_there: bool = False


@dataclass(frozen=True, slots=True)
class Done:
    """The operation was carried out."""


@dataclass(frozen=True, slots=True)
class Park:
    """The operation cannot be carried out as it is: set it aside, go on with the others."""

    reason: str


@dataclass(frozen=True, slots=True)
class Wait:
    """Try the operation again after so many seconds; `counts` tells that an attempt was used."""

    wait_s: float
    counts: bool = True


@dataclass(frozen=True, slots=True)
class Heal:
    """Something that the operation needs is missing: say that again, then try once more."""


@dataclass(frozen=True, slots=True)
class Pause:
    """Nothing may be delivered now, whatever it is: leave everything waiting."""

    failure: Refused


Verdict = Done | Park | Wait | Heal | Pause


def judge(
    failure: Refused | Unavailable, attempt: Attempt, patience: Patience, jitter: float
) -> Verdict:
    """Decide what to do after an attempt that failed; `jitter` is in [0, 1).

    An event that was said before is there as it was said then, whatever has become of its order.

    The wait is exponential with full jitter, and at least as long as the destination asked for.
    """
    if isinstance(failure, Unauthorised | Forbidden):
        if attempt.refusals >= patience.refusals_max:
            return Pause(failure)
        return Wait(patience.refusal_wait_s, counts=False)
    if isinstance(failure, KeyReused) and attempt.may_be_there:
        return Done()
    if isinstance(failure, NotFound) and attempt.can_heal:
        return Heal()
    if isinstance(failure, Refused):
        return Park(str(failure))
    if failure.is_busy:
        return Wait(_wait_s(failure, attempt.waits + 1, patience, jitter), counts=False)
    if attempt.failing_s >= patience.give_up_after_s and not attempt.is_away:
        hours = attempt.failing_s / 3_600
        return Park(f"gave up after {attempt.number} attempts in {hours:.0f} hours: {failure}")
    return Wait(_wait_s(failure, attempt.number, patience, jitter))


def _wait_s(failure: Unavailable, number: int, patience: Patience, jitter: float) -> float:
    doublings = min(number - 1, _DOUBLINGS_MAX)
    longest_s = min(patience.first_wait_s * 2.0**doublings, patience.wait_s_max)
    asked_s = min(failure.retry_after_s or 0.0, patience.retry_after_s_max)
    return max(jitter * longest_s, asked_s)
