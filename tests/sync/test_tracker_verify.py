"""`Tracker.verify`: the orders that were taken against what the destination holds."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from made_orders import FULFILLED, many

from live import Live, hosted, live
from ordertrail import Tracker, Unauthorised, Unavailable
from ordertrail.sync.drift import Drift

ORDERS = many(6)


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Live]:
    with live(tmp_path) as found:
        yield found


@pytest.fixture
def differ() -> list[str]:
    return []


@pytest.fixture
def tracker(platform: Live, tmp_path: Path, differ: list[str]) -> Iterator[Tracker]:
    outbox = tmp_path / "outbox"
    with Tracker(platform.url, platform.token, outbox=outbox, on_drift=differ.append) as made:
        for order in ORDERS:
            made.track(order)
        assert made.drain()
        yield made


def test_what_was_delivered_does_not_differ(tracker: Tracker, differ: list[str]) -> None:
    found = tracker.verify()
    assert found.is_clean
    assert (found.orders, differ) == (len(ORDERS), [])


def test_each_order_that_differs_is_told_and_nothing_is_mended(
    tracker: Tracker, platform: Live, differ: list[str]
) -> None:
    platform.change("UPDATE deals SET value_minor = 1 WHERE custom_id IN ('O1', 'O3')")
    writes = len(platform.writes)
    found = tracker.verify()
    assert not found.is_clean
    assert differ == found.drifted == ["O1", "O3"]
    assert found.counts == {Drift.FIELD_DIFFERS: 2}
    assert tracker.verify().drifted == ["O1", "O3"]
    assert len(platform.writes) == writes


def test_what_still_waits_differs(platform: Live, tmp_path: Path, differ: list[str]) -> None:
    outbox = tmp_path / "outbox"
    with Tracker(
        platform.url, platform.token, outbox=outbox, deliver=False, on_drift=differ.append
    ) as waiting:
        waiting.track(FULFILLED)
        found = waiting.verify()
    assert found.drifted == differ == [FULFILLED.id]
    assert set(found.counts) == {Drift.CONTACT_MISSING, Drift.DEAL_MISSING}


def test_only_orders_of_this_shop_are_looked_at_and_of_a_sample_so_many(
    tracker: Tracker, platform: Live, tmp_path: Path
) -> None:
    outbox = tmp_path / "outbox"
    with Tracker(platform.url, platform.token, source="other", outbox=outbox) as other:
        other.track(replace(FULFILLED, id="OTHER"))
        assert other.drain()
        assert other.verify().orders == 1
    assert tracker.verify().orders == len(ORDERS)
    assert tracker.verify(sample=2).orders == 2


def test_without_anybody_to_tell_it_returns_what_differs(platform: Live, tmp_path: Path) -> None:
    platform.before.append(hosted)
    with Tracker(
        platform.url, platform.token, outbox=tmp_path / "outbox", rate_limit_per_s=0
    ) as tracker:
        tracker.track(FULFILLED)
        assert tracker.drain()
        platform.change("DELETE FROM events")
        assert tracker.verify().counts == {Drift.EVENT_MISSING: 1}


def test_a_key_that_is_refused_is_raised(platform: Live, tmp_path: Path) -> None:
    with (
        Tracker(platform.url, "f" * 64, outbox=tmp_path / "outbox", deliver=False) as tracker,
        pytest.raises(Unauthorised),
    ):
        tracker.verify()


def test_in_an_event_loop_a_thread_waits_for_it(tracker: Tracker) -> None:
    async def nightly() -> int:
        found = await asyncio.to_thread(tracker.verify)
        return found.orders

    assert asyncio.run(nightly()) == len(ORDERS)


def test_what_the_shop_raises_about_a_drift_is_the_shop_s(platform: Live, tmp_path: Path) -> None:
    def tell(order_id: str) -> None:
        raise Unavailable(f"no mail about {order_id}")

    outbox = tmp_path / "outbox"
    with Tracker(
        platform.url, platform.token, outbox=outbox, deliver=False, on_drift=tell
    ) as tracker:
        tracker.track(FULFILLED)
        with pytest.raises(Unavailable, match=f"no mail about {FULFILLED.id}"):
            tracker.verify()


def test_a_fake_holds_what_it_was_told() -> None:
    with Tracker.fake() as fake:
        for order in ORDERS:
            fake.track(order)
        found = fake.verify()
        assert (found.orders, found.is_clean, fake.pending()) == (len(ORDERS), True, 0)
        assert fake.verify(sample=2).orders == 2
