"""What a worker does about a destination that takes nothing, and what the others learn of it."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest
from test_pacing import Shared

from ordertrail.domain.errors import Unauthorised, Unavailable
from ordertrail.sync import standing
from ordertrail.sync.breaker import Breaking
from ordertrail.sync.rim import Rim
from ordertrail.sync.standing import Board, Standing
from ordertrail.sync.watch import Endurance, Stopped, Watch
from simulation.virtual_time import Loop, WallClock

GONE = Unavailable("nobody there")
ENDLESS = Endurance(Breaking(3, 1.0, 60.0), stops_paused=False, away_s_max=None)


LOOPS = list[Loop]()


@pytest.fixture(autouse=True)
def _loops() -> Iterator[None]:
    yield
    while LOOPS:
        LOOPS.pop().close()


class Watching:
    """A watch in virtual time, and what it shares."""

    def __init__(self, endurance: Endurance = ENDLESS, shared: Shared | None = None) -> None:
        self.loop = Loop()
        LOOPS.append(self.loop)
        self.shared = shared or Shared()
        rim = Rim(self.loop.pause, self.loop.time, lambda: 0.0, WallClock(self.loop))
        self.watch = Watch("there", Board(self.shared, "d", rim), rim, endurance)

    def rest(self) -> float:
        """Return for how long it rested."""
        before = self.loop.time()
        self.run(lambda: self.watch.rest(asyncio.Event()))
        return self.loop.time() - before

    def run(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self.loop.run_until_complete(work())

    def fail(self) -> None:
        for number in range(3):
            self.watch.failed(number, GONE)

    @property
    def standing(self) -> Standing:
        return standing.read(self.shared.text)


def test_a_destination_that_works_is_left_no_rest() -> None:
    watching = Watching()
    assert watching.rest() == 0.0
    assert watching.standing.is_fine
    assert not watching.watch.is_probing


def test_one_that_is_away_rests_longer_each_time_and_then_one_operation_tries() -> None:
    watching = Watching()
    watching.rest()
    rests = []
    for _ in range(9):
        watching.fail()
        assert watching.watch.must_rest
        rests.append(watching.rest())
        assert watching.watch.is_probing
        assert not watching.watch.must_rest
    assert rests == pytest.approx([0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0])
    assert watching.standing.away_because == "nobody there"
    watching.watch.answered()
    assert watching.rest() == 0.0
    assert watching.standing.is_fine


def test_a_refused_key_is_suspected_once_in_a_while_and_then_pauses_for_a_minute() -> None:
    watching = Watching()
    watching.rest()
    assert [watching.watch.suspect(1.0) for _ in range(3)] == [1, 1, 1]
    watching.run(lambda: asyncio.wait_for(watching.loop.pause(1.5), None))
    assert watching.watch.suspect(1.0) == 2
    watching.watch.refused(Unauthorised("who?"))
    assert watching.rest() == pytest.approx(60.0)
    assert watching.standing.paused_because == "who?"
    assert watching.watch.is_probing
    assert watching.watch.suspect(1.0) > 100, "no more patience with one that is paused"


def test_what_another_worker_found_paused_is_tried_with_one_operation() -> None:
    first = Watching()
    first.rest()
    first.watch.refused(Unauthorised("who?"))
    first.rest()
    second = Watching(Endurance(), first.shared)
    assert second.rest() == 0.0
    assert second.watch.is_probing
    assert second.standing.paused_because == "who?"
    second.watch.answered()
    second.run(second.watch.tell)
    assert second.standing.is_fine


def test_a_run_stops_at_once_for_a_refused_key() -> None:
    watching = Watching(Endurance())
    watching.rest()
    watching.watch.refused(Unauthorised("who?"))
    with pytest.raises(Stopped, match="who"):
        watching.rest()
    assert watching.standing.paused_because == "who?"


def test_a_run_stops_when_nobody_has_answered_for_long() -> None:
    watching = Watching(Endurance(Breaking(3, 1.0, 60.0), away_s_max=100.0))
    watching.rest()

    def go_on() -> None:
        for _ in range(20):
            watching.fail()
            watching.rest()

    with pytest.raises(Stopped, match="nobody there"):
        go_on()
    assert 100.0 <= watching.loop.time() <= 165.0


def test_a_destination_that_asks_for_peace_gets_it_and_has_not_failed() -> None:
    watching = Watching(Endurance(away_s_max=1.0))
    watching.rest()
    watching.watch.asked(120.0)
    assert watching.watch.must_rest
    assert not watching.watch.is_probing
    assert watching.rest() == pytest.approx(120.0)


@pytest.mark.parametrize("text", ["", "{}", "nonsense", '{"rate": 5}', "[]", '{"later": 1}'])
def test_a_standing_that_nobody_can_read_is_a_fresh_one(text: str) -> None:
    assert standing.read(text) == Standing()
    assert standing.read(standing.written(Standing(paused_because="x"))).paused_because == "x"
