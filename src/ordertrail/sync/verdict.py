"""What to do about the answer to an operation, decided without a clock, a socket or chance."""

from dataclasses import dataclass

from ordertrail.domain.errors import Forbidden, Refused, Unauthorised, Unavailable

_DOUBLINGS_MAX = 30


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait between attempts, and when to give up.

    An operation is given up after `attempts_max` attempts while as many others succeeded: then
    not the destination is at fault, but something about this one.
    """

    first_wait_s: float = 0.2
    wait_s_max: float = 30.0
    retry_after_s_max: float = 3_600.0
    give_up_after_s: float = 300.0
    attempts_max: int = 10


@dataclass(frozen=True, slots=True)
class Done:
    """The operation was carried out."""


@dataclass(frozen=True, slots=True)
class Park:
    """The operation cannot be carried out as it is: set it aside, go on with the others."""

    reason: str


@dataclass(frozen=True, slots=True)
class Wait:
    """Try the operation again after so many seconds."""

    wait_s: float


@dataclass(frozen=True, slots=True)
class Stop:
    """Nothing can be delivered now: leave everything waiting."""

    failure: Refused | Unavailable


Verdict = Done | Park | Wait | Stop


def judge(
    failure: Refused | Unavailable | None,
    *,
    attempt: int,
    failing_s: float,
    others_done: int,
    patience: Patience,
    jitter: float,
) -> Verdict:
    """Decide what to do after an attempt; `attempt` counts from 1, `jitter` is in [0, 1).

    `failing_s` tells for how long the destination has carried out nothing that was asked of it,
    `others_done` how many other operations were decided since the first attempt.
    The wait is exponential with full jitter, and at least as long as the destination asked for.
    """
    if failure is None:
        return Done()
    if isinstance(failure, Unauthorised | Forbidden):
        return Stop(failure)
    if isinstance(failure, Refused):
        return Park(str(failure))
    if failure.retry_after_s is None and min(attempt, others_done) >= patience.attempts_max:
        return Park(f"gave up after {attempt} attempts: {failure}")
    if failing_s >= patience.give_up_after_s:
        return Stop(failure)
    doublings = min(attempt - 1, _DOUBLINGS_MAX)
    wait_s = jitter * min(patience.first_wait_s * 2**doublings, patience.wait_s_max)
    asked_s = min(failure.retry_after_s or 0.0, patience.retry_after_s_max)
    return Wait(max(wait_s, asked_s))
