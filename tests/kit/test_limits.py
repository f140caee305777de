"""Token buckets: never more than the rate allows, and never a longer wait than needed."""

from hypothesis import given
from hypothesis import strategies as st

from ordertrail.kit.limits import TokenBucket

RATES = st.floats(0.1, 10_000)
PAUSES = st.lists(st.floats(0, 5), max_size=60)


@given(RATES, PAUSES)
def test_in_any_time_no_more_is_taken_than_flows_in_and_the_burst(
    per_s: float, pauses: list[float]
) -> None:
    bucket = TokenBucket.full(per_s, 0.0)
    now, taken = 0.0, 0
    for pause in pauses:
        now += pause
        taken += bucket.take(now) == 0.0
        assert taken <= max(per_s, 1.0) + now * per_s + 1e-6


@given(RATES, PAUSES)
def test_who_waits_as_long_as_told_gets_a_token(per_s: float, pauses: list[float]) -> None:
    bucket = TokenBucket.full(per_s, 100.0)
    now = 100.0
    for pause in pauses:
        now += pause
        wait_s = bucket.take(now)
        assert 0.0 <= wait_s <= 1.0 / per_s + 1e-9
        if wait_s:
            now += wait_s * (1 + 1e-9) + 1e-9
            assert bucket.take(now) == 0.0


@given(st.integers(1, 1000))
def test_a_full_bucket_holds_one_second_of_its_rate(per_s: int) -> None:
    bucket = TokenBucket.full(per_s, 5.0)
    assert [bucket.take(5.0) for _ in range(per_s)] == [0.0] * per_s
    assert bucket.take(5.0) > 0.0


@given(st.integers(1, 1000), st.integers(1, 5))
def test_asking_too_often_costs_nothing(per_s: int, times: int) -> None:
    bucket = TokenBucket.full(per_s, 0.0)
    for _ in range(per_s):
        bucket.take(0.0)
    waits = {bucket.take(0.0) for _ in range(times)}
    assert len(waits) == 1
