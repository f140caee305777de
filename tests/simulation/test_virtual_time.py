"""Virtual time: it passes only when nothing is left to do, and in a fixed order."""

import asyncio
import time

import pytest

from simulation.virtual_time import BEGIN, Loop, Stuck, WallClock


def test_a_long_wait_takes_no_time() -> None:
    loop, began = Loop(), time.monotonic()

    async def wait() -> list[str]:
        heard: list[str] = []
        later = loop.pause(86_400.0 * 30)
        later.add_done_callback(lambda _: heard.append("later"))
        await loop.pause(3_600.0)
        heard.append("sooner")
        await later
        return heard

    assert loop.run_until_complete(wait()) == ["sooner", "later"]
    assert loop.time() == pytest.approx(86_400.0 * 30)
    assert time.monotonic() - began < 5.0
    loop.close()


def test_a_time_limit_is_one_of_virtual_time() -> None:
    loop = Loop()

    async def wait() -> None:
        async with asyncio.timeout(10.0):
            await loop.create_future()

    with pytest.raises(TimeoutError):
        loop.run_until_complete(wait())
    assert loop.time() == pytest.approx(10.0)
    loop.close()


def test_what_goes_to_a_thread_runs_on_the_one_there_is() -> None:
    loop = Loop()

    async def ask() -> object:
        return await asyncio.to_thread(asyncio.get_running_loop().time)

    assert loop.run_until_complete(ask()) == 0.0
    loop.close()


def test_waiting_for_what_can_never_happen_is_noticed() -> None:
    loop = Loop()
    with pytest.raises(Stuck):
        loop.run_until_complete(loop.create_future())
    loop.close()


def test_the_wall_clock_jumps_and_the_loop_does_not() -> None:
    loop = Loop()
    clock = WallClock(loop)
    clock.jump(-7_200.0)
    assert (BEGIN - clock()).total_seconds() == 7_200.0
    assert loop.time() == 0.0
    loop.close()
