"""The shared pace, shown with made-up clocks and servers that count in every known way."""

import math
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ordertrail.sync import pace
from ordertrail.sync.pace import Rate

T0 = 1_800_000_000.0


def token_bucket(limit: int) -> Callable[[float], bool]:
    tokens, filled_at = float(limit), -math.inf

    def take(at: float) -> bool:
        nonlocal tokens, filled_at
        flowed = 0.0 if filled_at == -math.inf else (at - filled_at) * limit
        tokens, filled_at = min(float(limit), tokens + flowed), at
        tokens -= (is_taken := tokens >= 1.0)
        return is_taken

    return take


def sliding_window(limit: int) -> Callable[[float], bool]:
    taken: list[float] = []

    def take(at: float) -> bool:
        while taken and taken[0] <= at - 1.0:
            taken.pop(0)
        is_taken = len(taken) < limit
        if is_taken:
            taken.append(at)
        return is_taken

    return take


def fixed_window(limit: int) -> Callable[[float], bool]:
    taken: dict[int, int] = {}

    def take(at: float) -> bool:
        second = math.floor(at)
        taken[second] = taken.get(second, 0) + 1
        return taken[second] <= limit

    return take


COUNTING = {"bucket": token_bucket, "sliding": sliding_window, "fixed": fixed_window}


def calls_of(workers: int, limit: float, seconds: float, wanted: int) -> list[float]:
    """When workers that always have work make their calls, each reserving as its slots end."""
    rate, made = Rate(), list[float]()
    free_at = dict.fromkeys(range(workers), T0)
    while (now := min(free_at.values())) < T0 + seconds:
        rate, slots = pace.reserve(rate, limit, now, wanted)
        assert slots is not None
        assert slots.count * slots.spacing_s <= max(pace.RESERVED_S, slots.spacing_s) + 1e-6
        mine = [now + slots.first_in_s + n * slots.spacing_s for n in range(slots.count)]
        made += mine
        worker = min(free_at, key=lambda each: free_at[each])
        free_at[worker] = max(mine[-1], now + 1e-6)
    return sorted(each for each in made if each < T0 + seconds)


@pytest.mark.parametrize("counting", list(COUNTING))
@pytest.mark.parametrize("workers", [1, 2, 7])
@pytest.mark.parametrize("wanted", [1, 5, 100])
def test_a_limit_is_used_up_and_kept_to_however_the_server_counts(
    counting: str, workers: int, wanted: int
) -> None:
    made = calls_of(workers, 10, 120.0, wanted)
    take = COUNTING[counting](10)
    assert len(made) >= 0.98 * 10 * 120
    assert [at for at in made if not take(at)] == []


@given(st.integers(1, 5), st.floats(0.2, 500.0), st.integers(1, 1_000))
def test_calls_of_all_workers_are_evenly_spaced(workers: int, limit: float, wanted: int) -> None:
    made = calls_of(workers, limit, 3.0, wanted)
    gaps = [later - earlier for earlier, later in pairwise(made)]
    assert all(gap >= 1.0 / (limit * pace.SHARE) - 1e-5 for gap in gaps)


def test_without_a_limit_there_are_no_slots() -> None:
    assert pace.reserve(Rate(), None, T0, 5) == (Rate(), None)


def lowered(rate: Rate, limit: float | None, now: float, **said: float | None) -> Rate:
    known = {"sent_s_ago": 0.1, "retry_after_s": 1.0, "sent_per_s": 20.0} | said
    return pace.refused(rate, limit, now, **known)  # type: ignore[arg-type]


def test_the_first_429_makes_a_limit_that_recovers_and_fades() -> None:
    rate = lowered(Rate(), None, T0)
    assert pace.per_s(rate, None, T0) == pytest.approx(18.0)
    assert 18.0 < (pace.per_s(rate, None, T0 + 60) or 0.0) < 25.0
    assert pace.per_s(rate, None, T0 + pace.FADED_AFTER_S) is None


def test_a_429_lowers_a_known_limit_a_little_and_it_recovers() -> None:
    rate = lowered(Rate(), 10.0, T0)
    assert pace.per_s(rate, 10.0, T0) == pytest.approx(9.9 * 0.9)
    assert pace.per_s(rate, 10.0, T0 + 60) == pytest.approx(9.9)


def test_several_429_of_one_burst_lower_the_rate_once() -> None:
    once = lowered(Rate(), 10.0, T0)
    again = lowered(once, 10.0, T0 + 0.05, sent_s_ago=0.2)
    assert again.learned_per_s == once.learned_per_s
    later = lowered(once, 10.0, T0 + 5.0, sent_s_ago=0.2)
    assert (later.learned_per_s or 0.0) < 9.9 * 0.9


@pytest.mark.parametrize("asked_s", [0.0, 0.5, 7.0, None])
def test_a_429_holds_everybody_until_it_may_be_tried_again(asked_s: float | None) -> None:
    rate = lowered(Rate(), 10.0, T0, retry_after_s=asked_s)
    _, slots = pace.reserve(rate, 10.0, T0, 5)
    assert slots is not None
    assert slots.first_in_s == pytest.approx(pace.HOLD_S if asked_s is None else asked_s)


def test_a_shorter_wait_does_not_end_a_longer_one() -> None:
    rate = lowered(Rate(), 10.0, T0, retry_after_s=7.0)
    assert pace.hold_s(lowered(rate, 10.0, T0 + 1, retry_after_s=1.0), T0 + 1) == pytest.approx(6)


@given(
    jump_s=st.floats(-1e9, 1e9),
    asked_s=st.floats(0.0, 60.0),
    reserved=st.integers(0, 20),
)
def test_no_jump_of_the_clock_blocks_for_long(jump_s: float, asked_s: float, reserved: int) -> None:
    rate = lowered(Rate(), 10.0, T0, retry_after_s=asked_s)
    for _ in range(reserved):
        rate, _ = pace.reserve(rate, 10.0, T0, 10)
    _, slots = pace.reserve(rate, 10.0, T0 + jump_s, 1)
    assert slots is not None
    assert slots.first_in_s <= max(asked_s, pace.AHEAD_S_MAX) + 20.0
    assert slots.spacing_s <= 1.0 / (9.9 * 0.9) + 1e-6
