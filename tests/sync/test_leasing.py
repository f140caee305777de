"""How long a lease lets its holder send, and the next one wait."""

from datetime import UTC, datetime, timedelta

import pytest

from ordertrail.sync.leasing import Tenure, terms
from ordertrail.sync.rim import Rim

AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


class Clocks:
    """A stopwatch and a clock on the wall, which go as they are told."""

    def __init__(self) -> None:
        self.passed_s = 0.0
        self.wall = AT
        self.rim = Rim(stopwatch=lambda: self.passed_s, now=lambda: self.wall)

    def go(self, seconds: float) -> None:
        self.passed_s += seconds
        self.wall += timedelta(seconds=seconds)


@pytest.mark.parametrize("honours_keys", [True, False])
@pytest.mark.parametrize(("lease_s", "timeout_s"), [(60.0, 30.0), (1.0, 30.0), (600.0, 5.0)])
def test_a_call_ends_within_the_lease_and_before_anybody_looks(
    lease_s: float, timeout_s: float, honours_keys: bool
) -> None:
    found = terms(lease_s, timeout_s, honours_keys=honours_keys)
    assert found.lease_s >= max(lease_s, 2 * timeout_s)
    assert found.send_s + timeout_s <= found.lease_s
    assert found.heartbeat_s < found.send_s
    assert honours_keys or found.send_s + timeout_s <= found.quiet_s


def test_where_keys_are_honoured_nobody_waits_to_look() -> None:
    assert terms(60.0, 30.0, honours_keys=True).quiet_s == 0.0


@pytest.mark.parametrize("honours_keys", [True, False])
def test_a_tenure_lasts_until_its_time_to_send_is_over_unless_it_begins_anew(
    honours_keys: bool,
) -> None:
    clocks, agreed = Clocks(), terms(60.0, 30.0, honours_keys=honours_keys)
    tenure = Tenure(agreed, clocks.rim)
    clocks.go(agreed.send_s - 1.0)
    assert tenure.lasts
    later = tenure.heartbeat()
    clocks.go(1.0)
    assert not tenure.lasts
    assert later.lasts


def test_a_machine_that_slept_and_a_clock_that_jumped_end_it() -> None:
    clocks = Clocks()
    tenure = Tenure(terms(60.0, 30.0, honours_keys=False), clocks.rim)
    clocks.wall += timedelta(hours=1)
    assert not tenure.lasts
    clocks.wall -= timedelta(hours=3)
    assert tenure.lasts
    clocks.passed_s += 60.0
    assert not tenure.lasts
