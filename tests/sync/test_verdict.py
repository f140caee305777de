"""What is done about every kind of answer, decided from facts alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ordertrail.domain.errors import (
    Conflict,
    Forbidden,
    Invalid,
    KeyReused,
    NotFound,
    Refused,
    Unauthorised,
    Unavailable,
)
from ordertrail.sync.verdict import Attempt, Done, Heal, Park, Patience, Pause, Verdict, Wait, judge

PATIENCE = Patience(first_wait_s=1.0, wait_s_max=10.0, retry_after_s_max=60.0)
HOURS_72 = 72 * 3_600.0


def throttled(retry_after_s: float | None = None) -> Unavailable:
    return Unavailable("slow down", retry_after_s, is_throttled=True)


def busy(retry_after_s: float | None = None) -> Unavailable:
    return Unavailable("busy", retry_after_s, is_busy=True)


def broken(retry_after_s: float | None = None) -> Unavailable:
    return Unavailable("broken", retry_after_s, is_unsure=True)


@pytest.mark.parametrize(
    ("failure", "attempt", "verdict"),
    [
        (Invalid({"stage": "no stage 9"}), Attempt(), Park("stage: no stage 9")),
        (Conflict("not now"), Attempt(), Park("not now")),
        (KeyReused("another event"), Attempt(may_be_there=True), Done()),
        (KeyReused("another event"), Attempt(), Park("another event")),
        (Refused("HTTP status 413"), Attempt(), Park("HTTP status 413")),
        (NotFound("no such contact"), Attempt(), Park("no such contact")),
        (NotFound("no such contact"), Attempt(can_heal=True), Heal()),
        (Invalid({"a": "b"}), Attempt(can_heal=True), Park("a: b")),
        (broken(), Attempt(1), Wait(0.5)),
        (broken(), Attempt(2), Wait(1.0)),
        (broken(), Attempt(4), Wait(4.0)),
        (broken(), Attempt(5), Wait(5.0)),
        (broken(), Attempt(10**9), Wait(5.0)),
        (broken(3.0), Attempt(1), Wait(3.0)),
        (broken(3.0), Attempt(4), Wait(4.0)),
        (broken(10**9), Attempt(1), Wait(60.0)),
        (broken(), Attempt(1, waits=9), Wait(0.5)),
        (busy(), Attempt(1), Wait(0.5, counts=False)),
        (busy(), Attempt(1, waits=2), Wait(2.0, counts=False)),
        (busy(7.0), Attempt(1), Wait(7.0, counts=False)),
        (throttled(), Attempt(1), Wait(0.5, counts=False)),
        (throttled(7.0), Attempt(9), Wait(7.0, counts=False)),
        (throttled(10**9), Attempt(9), Wait(60.0, counts=False)),
    ],
)
def test_a_verdict_follows_from_the_answer(
    failure: Refused | Unavailable, attempt: Attempt, verdict: Verdict
) -> None:
    assert judge(failure, attempt, PATIENCE, 0.5) == verdict


@pytest.mark.parametrize("failure", [Unauthorised("who?"), Forbidden("not you")])
def test_a_key_that_is_refused_is_tried_again_twice_and_then_believed(failure: Refused) -> None:
    short = Wait(PATIENCE.refusal_wait_s, counts=False)
    told = [judge(failure, Attempt(refusals=n), PATIENCE, 0.5) for n in (1, 2, 3, 4)]
    assert told == [short, short, Pause(failure), Pause(failure)]


@given(st.floats(0.0, HOURS_72, exclude_max=True), st.integers(1, 10_000), st.booleans())
def test_nothing_is_given_up_within_72_hours(failing_s: float, number: int, is_away: bool) -> None:
    attempt = Attempt(number, failing_s=failing_s, is_away=is_away)
    assert isinstance(judge(broken(), attempt, Patience(), 0.5), Wait)


def test_after_72_hours_an_operation_is_given_up_that_fails_while_others_do_not() -> None:
    attempt = Attempt(300, failing_s=HOURS_72)
    assert judge(broken(), attempt, Patience(), 0.5) == Park(
        "gave up after 300 attempts in 72 hours: broken"
    )


@pytest.mark.parametrize("failure", [busy(), throttled(), busy(1.0), throttled(1.0)])
def test_429_and_503_are_waited_for_without_an_end(failure: Unavailable) -> None:
    verdict = judge(failure, Attempt(1, failing_s=10 * HOURS_72), Patience(), 0.5)
    assert isinstance(verdict, Wait)
    assert not verdict.counts


def test_a_destination_that_is_away_for_long_parks_nothing() -> None:
    attempt = Attempt(300, failing_s=10 * HOURS_72, is_away=True)
    assert isinstance(judge(broken(), attempt, Patience(), 0.5), Wait)


@given(
    st.integers(1, 10**9),
    st.floats(0.0, 1.0, exclude_max=True),
    st.one_of(st.none(), st.floats(0.0, 10**9)),
)
def test_a_wait_is_bounded_and_as_long_as_asked_for(
    number: int, jitter: float, retry_after_s: float | None
) -> None:
    verdict = judge(broken(retry_after_s), Attempt(number), PATIENCE, jitter)
    assert isinstance(verdict, Wait)
    asked_s = min(retry_after_s or 0.0, PATIENCE.retry_after_s_max)
    assert asked_s <= verdict.wait_s <= max(asked_s, PATIENCE.wait_s_max)
