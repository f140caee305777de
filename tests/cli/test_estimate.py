"""The estimate of what is left: honest under a limit, and silent when nothing can be told."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ordertrail.commands.estimate import RECENT_S, Estimate, progress_bar, words
from ordertrail.sync.operations import Kind
from ordertrail.sync.progress import Progress


class Run:
    """A run of orders that cause some calls each, with a stopwatch that is set by hand."""

    def __init__(self, total: int | None, limit_per_s: float | None, calls_an_order: int) -> None:
        self.now = 0.0
        self.bar = progress_bar()
        self.estimate = Estimate(self.bar, total, limit_per_s, lambda: self.now)
        self._calls_an_order = calls_an_order

    def at(self, seconds: float, orders: int, calls: int) -> Progress:
        self.now = seconds
        planned = orders * self._calls_an_order
        return Progress(
            orders,
            changed=orders,
            planned=Counter({Kind.DEAL: planned}),
            delivered=Counter({Kind.DEAL: calls} if calls else {}),
            waiting=planned - calls,
        )

    def left_s(self, seconds: float, orders: int, calls: int) -> float | None:
        return self.estimate.left_s(self.at(seconds, orders, calls))


@given(
    st.integers(1, 50),
    st.integers(1, 9),
    st.integers(20, 400),
    st.floats(0.1, 1.0),
)
def test_under_a_limit_it_is_right_from_the_first_moment(
    limit: int, calls_an_order: int, orders: int, read_share: float
) -> None:
    run = Run(orders, limit, calls_an_order)
    whole_s = orders * calls_an_order / limit
    read = max(1, round(orders * read_share))
    assert run.left_s(0, read, 0) == pytest.approx(whole_s)
    for second in range(1, int(whole_s * read_share)):
        left_s = run.left_s(second, read, second * limit)
        assert left_s == pytest.approx(whole_s - second)


def test_a_burst_is_not_taken_for_the_rate_and_a_slow_endpoint_is() -> None:
    run = Run(100, 10, 5)
    assert run.left_s(0, 100, 0) == 50
    assert run.left_s(0.1, 100, 10) == 49
    assert run.left_s(10, 100, 20) == pytest.approx(480 / 2)


def test_without_a_limit_it_is_as_fast_as_of_late() -> None:
    run = Run(100, None, 5)
    assert run.left_s(0, 100, 0) is None
    assert run.left_s(1, 100, 100) == pytest.approx(4)
    assert run.left_s(1 + RECENT_S, 100, 110) == pytest.approx(390 / (10 / RECENT_S))


@pytest.mark.parametrize("limit", [None, 10.0])
def test_when_nothing_comes_through_any_more_nothing_is_told(limit: float | None) -> None:
    run = Run(100, limit, 5)
    run.left_s(0, 100, 0)
    run.left_s(5, 100, 50)
    assert run.left_s(6 + RECENT_S, 100, 50) in (None, 45)
    assert run.left_s(7 + RECENT_S, 100, 50) is None
    assert run.left_s(8 + RECENT_S, 100, 60) is not None


def test_what_is_unchanged_costs_no_time() -> None:
    run = Run(100, 10, 0)
    assert run.left_s(0, 50, 0) == 0


def test_of_a_stream_without_an_end_no_end_is_told() -> None:
    assert Run(None, 10, 5).left_s(1, 10, 5) is None


def test_the_bar_shows_orders_whose_calls_are_made() -> None:
    run = Run(100, 10, 5)
    run.estimate.show(run.at(0, 100, 0))
    [task] = run.bar.tasks
    assert (task.completed, task.total, task.fields["left"]) == (0, 100, "under a minute left")
    run.estimate.show(run.at(25, 100, 250))
    assert (task.completed, task.fields["calls"]) == (50, 250)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (None, ""),
        (0, "under a minute left"),
        (59, "under a minute left"),
        (61, "about 1 min left"),
        (3599, "about 60 min left"),
        (5400, "about 1.5 h left"),
    ],
)
def test_the_words_do_not_pretend_to_know_the_second(seconds: float | None, said: str) -> None:
    assert words(seconds) == said
