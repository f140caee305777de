import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest
from made_orders import FULFILLED

from ordertrail.sync.flow import Flow
from ordertrail.sync.outbox import Outbox
from ordertrail.sync.outbox_operations import Outcome
from ordertrail.sync.outbox_orders import Route
from ordertrail.sync.settling import Settled, Settler
from ordertrail.sync.threads import finished

THERE = "http://there"


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    with Outbox(tmp_path / "outbox.db") as opened:
        opened.accept(Route("shop", THERE), Flow(), [FULFILLED])
        yield opened


def outcomes(outbox: Outbox) -> list[Outcome]:
    return [Outcome(each, 1) for each in outbox.waiting(THERE)]


def test_outcomes_wait_while_too_many_are_not_on_disk(outbox: Outbox) -> None:
    async def story() -> None:
        settler = Settler(outbox, 3, settled.append)
        for outcome in found[:2]:
            await settler.add(outcome)
        adding = asyncio.create_task(settler.add(found[2]))
        await asyncio.wait([adding], timeout=0.02)
        assert not adding.done()
        running = asyncio.create_task(settler.run())
        await adding
        running.cancel()
        await asyncio.wait([running])

    found, settled = outcomes(outbox), list[Settled]()
    asyncio.run(story())
    assert [each for one in settled for each in one.outcomes] == found[:3]
    assert outbox.counts(THERE).done == 3


def test_outcomes_that_are_being_written_when_it_ends_are_told_once_they_are_on_disk(
    outbox: Outbox,
) -> None:
    async def story() -> None:
        settler = Settler(outbox, 100, settled.append)
        running = asyncio.create_task(settler.run())
        writer = apsw.Connection(str(outbox.path))
        writer.execute("BEGIN IMMEDIATE")
        await settler.add(found[0])
        await asyncio.wait([running], timeout=0.02)
        await settler.add(found[1])
        running.cancel()
        await asyncio.wait([running], timeout=0.02)
        assert not running.done(), "the thread is waited for"
        writer.execute("ROLLBACK")
        writer.close()
        await asyncio.wait([running])
        assert not settled
        settler.flush()

    found, settled = outcomes(outbox), list[Settled]()
    asyncio.run(story())
    assert [each for one in settled for each in one.outcomes] == found[:2]
    assert outbox.counts(THERE).done == 2


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
