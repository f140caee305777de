"""The breaker of a destination, by its laws."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ordertrail.sync.breaker import Breaker, Breaking

RULE = Breaking(failures_max=3, first_wait_s=1.0, wait_s_max=60.0)


def failed(breaker: Breaker, *ids: int, now: float = 0.0, jitter: float = 0.0) -> Breaker:
    for each in ids:
        breaker = breaker.failed(each, now, RULE, jitter)
    return breaker


def test_it_opens_after_so_many_failures_of_different_operations() -> None:
    assert failed(Breaker(), 1, 2).is_closed
    opened = failed(Breaker(), 1, 2, 3)
    assert not opened.is_closed
    assert opened.wait_s(0.0) == 0.5


def test_one_operation_that_fails_again_and_again_does_not_open_it() -> None:
    assert failed(Breaker(), *[1, 2] * 50).is_closed


def test_an_answer_in_between_starts_the_count_anew() -> None:
    assert failed(failed(Breaker(), 1, 2).answered(), 3, 4).is_closed
    assert Breaker().answered() == Breaker()


def test_failures_that_were_under_way_when_it_opened_do_not_lengthen_the_wait() -> None:
    opened = failed(Breaker(), 1, 2, 3)
    assert failed(opened, 4, 5, 6, now=0.1).open_until == opened.open_until


def test_one_may_try_when_the_wait_is_over_and_an_answer_closes_it() -> None:
    opened = failed(Breaker(), 1, 2, 3)
    assert opened.wait_s(0.5) == 0.0
    assert opened.answered() == Breaker()
    again = failed(opened, 3, now=0.5)
    assert again.wait_s(0.5) == 1.0, "the wait doubles"
    assert again.failing_s(2.0) == 2.0


@given(st.integers(0, 2_000), st.floats(0.0, 1.0, exclude_max=True))
def test_the_wait_grows_up_to_a_limit(openings: int, jitter: float) -> None:
    opened = failed(Breaker(openings=openings), 1, 2, 3, jitter=jitter)
    longest = min(2.0 ** min(openings, 30), RULE.wait_s_max)
    assert longest / 2 <= opened.wait_s(0.0) <= longest


@given(st.lists(st.tuples(st.integers(0, 5), st.floats(0.0, 5.0)), max_size=60))
def test_while_it_is_open_nothing_but_time_or_an_answer_changes_it(
    failures: list[tuple[int, float]],
) -> None:
    breaker, now = Breaker(), 0.0
    for each, after_s in failures:
        now += after_s
        before, breaker = breaker, breaker.failed(each, now, RULE, 0.5)
        assert len(breaker.failed_ids) <= RULE.failures_max
        if before.wait_s(now) > 0.0:
            assert breaker.open_until == before.open_until


@pytest.mark.parametrize("now", [-10.0, 0.0, 10.0])
def test_a_destination_that_works_is_not_failing(now: float) -> None:
    assert (Breaker().failing_s(now), Breaker().wait_s(now)) == (0.0, 0.0)
