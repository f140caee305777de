import asyncio
import threading
from collections.abc import Sequence

import pytest

from ordertrail.domain.journal import Origin
from ordertrail.sync.operations import Kind, Leased, Outcome, State
from ordertrail.sync.rim import Rim
from ordertrail.sync.settling import Settler
from ordertrail.sync.threads import finished


def outcome(number: int) -> Outcome:
    leased = Leased(
        number, f"k{number}", "l", "shop", "O1", 1, Kind.DEAL, "POST", "/", "{}", Origin.LIVE
    )
    return Outcome(leased, State.DONE, 1)


FOUND = [outcome(number) for number in range(3)]


def test_outcomes_wait_while_too_many_are_not_on_disk() -> None:
    async def story() -> None:
        settler = Settler(written.append, 3, lambda each, _: settled.append(each), Rim())
        settler.add(FOUND[:2])
        await settler.room()
        settler.add(FOUND[2:])
        waiting = asyncio.create_task(settler.room())
        await asyncio.wait([waiting], timeout=0.02)
        assert settler.is_full
        assert not waiting.done()
        running = asyncio.create_task(settler.run())
        await waiting
        running.cancel()
        await asyncio.wait([running])

    written, settled = list[Sequence[Outcome]](), list[Sequence[Outcome]]()
    asyncio.run(story())
    assert written == settled == [FOUND]


def test_outcomes_that_are_being_written_when_it_ends_are_told_once_they_are_on_disk() -> None:
    async def story() -> None:
        begun, go_on = asyncio.Event(), threading.Event()
        loop = asyncio.get_running_loop()

        def write(outcomes: Sequence[Outcome]) -> int:
            loop.call_soon_threadsafe(begun.set)
            go_on.wait()
            written.append(list(outcomes))
            return len(written)

        settler = Settler(write, 100, lambda *told: settled.append(told), Rim())
        running = asyncio.create_task(settler.run())
        settler.add(FOUND[:1])
        await begun.wait()
        settler.add(FOUND[1:2])
        running.cancel()
        await asyncio.wait([running], timeout=0.02)
        assert not running.done(), "the thread is waited for"
        go_on.set()
        await asyncio.wait([running])
        assert settled == [(FOUND[:1], 1)], "told as soon as they are on disk"
        await settler.flush()

    written, settled = list[Sequence[Outcome]](), list[tuple[Sequence[Outcome], int]]()
    asyncio.run(story())
    assert settled == [(FOUND[:1], 1), (FOUND[1:2], 2)]
    assert written == [FOUND[:1], FOUND[1:2]]


def test_a_write_that_fails_is_made_again_at_the_end() -> None:
    async def story() -> None:
        def write(outcomes: Sequence[Outcome]) -> None:
            tried.append(list(outcomes))
            if len(tried) == 1:
                raise OSError("disk full")

        settler = Settler(write, 100, lambda *_: None, Rim())
        settler.add(FOUND)
        with pytest.raises(OSError, match="disk full"):
            await settler.run()
        await settler.flush()
        await settler.flush()

    tried = list[Sequence[Outcome]]()
    asyncio.run(story())
    assert tried == [FOUND, FOUND]


def test_work_in_a_thread_is_waited_for_even_when_it_fails() -> None:
    async def story() -> None:
        begun, go_on = asyncio.Event(), threading.Event()
        loop = asyncio.get_running_loop()

        def work() -> None:
            loop.call_soon_threadsafe(begun.set)
            go_on.wait()
            raise ValueError("broken")

        waiting = asyncio.create_task(finished(work))
        await begun.wait()
        waiting.cancel()
        await asyncio.wait([waiting], timeout=0.01)
        assert not waiting.done()
        go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    asyncio.run(story())
