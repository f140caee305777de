"""Workers that keep a common pace, in virtual time, against servers that count in every way."""

import asyncio
import random
from collections.abc import Callable
from typing import Any

import pytest
from test_pace import COUNTING

from ordertrail.sync.pacing import Pacer
from ordertrail.sync.rim import Rim
from ordertrail.sync.standing import Board
from simulation.virtual_time import Loop, WallClock


class Shared:
    """One text that all workers share."""

    def __init__(self) -> None:
        self.text = ""
        self.touched = 0

    def shared(self, destination: str, change: Callable[[str], tuple[str, Any]]) -> Any:
        self.touched += 1
        self.text, result = change(self.text)
        return result


class Run:
    """So many workers with always something to send, for so long."""

    def __init__(self, take: Callable[[float], bool], workers: int, limit: float | None) -> None:
        self.loop = Loop()
        self.take = take
        self.chance = random.Random(7)
        self.shared = Shared()
        self.clock = WallClock(self.loop)
        self.taken = list[float]()
        self.refused = list[float]()
        rim = Rim(self.loop.pause, self.loop.time, self.chance.random, self.clock)
        self.pacers = [Pacer(Board(self.shared, "d", rim), rim, limit) for _ in range(workers)]

    async def caller(self, pacer: Pacer) -> None:
        while True:
            sent_at = await pacer.turn()
            await self.loop.pause(0.001 + self.chance.random() * 0.002)
            if self.take(self.loop.time()):
                self.taken.append(self.loop.time())
                pacer.accepted()
                await self.loop.pause(0.05 * self.chance.random())
            else:
                self.refused.append(self.loop.time())
                await pacer.refused(sent_at, 1.0)

    def go(self, seconds: float, callers: int = 8) -> "Run":
        async def live() -> None:
            tasks = [asyncio.ensure_future(self.caller(each)) for each in self.pacers * callers]
            await self.loop.pause(seconds)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        self.loop.run_until_complete(live())
        return self


@pytest.mark.parametrize("counting", list(COUNTING))
@pytest.mark.parametrize("workers", [1, 3])
def test_a_limit_of_ten_a_second_is_used_and_kept_to(counting: str, workers: int) -> None:
    run = Run(COUNTING[counting](10), workers, 10.0).go(120.0)
    run.loop.close()
    assert len(run.taken) >= 0.98 * 10 * 120
    assert len(run.refused) <= 0.001 * len(run.taken)
    assert run.shared.touched < len(run.taken) / 2


def test_the_shared_pace_is_touched_about_once_a_second() -> None:
    run = Run(COUNTING["bucket"](200), 1, 200.0).go(30.0, callers=32)
    run.loop.close()
    assert len(run.taken) >= 0.98 * 200 * 30
    assert run.shared.touched <= 3 * 30


def test_a_limit_that_nobody_knows_is_learned_from_429() -> None:
    run = Run(COUNTING["bucket"](50), 1, None).go(120.0)
    run.loop.close()
    late = [at for at in run.refused if at > 20.0]
    assert len(run.taken) >= 0.8 * 50 * 120
    assert len(late) < 0.02 * len(run.taken)


def test_without_a_limit_and_without_429_nobody_waits() -> None:
    run = Run(lambda _: True, 1, None).go(1.0, callers=1)
    run.loop.close()
    assert run.shared.touched == 1
    assert len(run.taken) > 1.0 / 0.06


def test_a_clock_that_jumps_neither_stops_nor_floods() -> None:
    run = Run(COUNTING["sliding"](10), 1, 10.0)

    async def jump() -> None:
        for seconds in (-86_400.0, 86_400.0, 3_600.0, -3_600.0):
            await run.loop.pause(20.0)
            run.clock.jump(seconds)

    jumping = run.loop.create_task(jump())
    run.go(100.0)
    assert jumping.done()
    run.loop.close()
    assert len(run.taken) >= 0.98 * 10 * 100
    assert len(run.refused) <= 1
