"""Workers: several on one outbox, killed ones, batches, and one that runs for ever."""

import asyncio
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sync_worker
from destination import Destination, Fault, nothing, wanted
from made_orders import many
from sync_worker import QUICK, TOKEN
from syncing import FLOW, SMALL, mishaps, sync

from ordertrail.client.client import Client
from ordertrail.sync.outbox import Outbox, open_outbox
from ordertrail.sync.outbox_orders import Route
from ordertrail.sync.run import work
from ordertrail.sync.watch import Endurance

ENDLESS = replace(
    QUICK,
    endurance=Endurance(QUICK.endurance.breaking, 5.0, stops_paused=False, away_s_max=None),
    limits=replace(QUICK.limits, poll_s=20.0),
)


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    with open_outbox(tmp_path / "outbox.db") as opened:
        yield opened


def killing(there: Destination, worker: asyncio.subprocess.Process, after: int) -> Fault:
    killed = list[int]()

    def fault(said: dict[str, Any]) -> str | None:
        if len(there.seen) >= after and worker.returncode is None and not killed:
            killed.append(worker.pid)
            worker.kill()
        return None

    return fault


def worker_command(path: Path, url: str) -> list[str]:
    return [sys.executable, sync_worker.__file__, str(path), url]


@pytest.mark.parametrize("workspace", ["w-1", None])
def test_killed_in_the_middle_the_next_run_goes_on_from_there(
    tmp_path: Path, workspace: str | None
) -> None:
    there, path = Destination(workspace=workspace), tmp_path / "outbox.db"

    async def story() -> list[int]:
        codes = []
        async with there.serving() as url:
            for after in (1, 60, 130, 100_000):
                worker = await asyncio.create_subprocess_exec(*worker_command(path, url))
                there.fault = killing(there, worker, after)
                codes.append(await worker.wait())
        return codes

    assert asyncio.run(story()) == [-9, -9, -9, 0]
    assert there.holdings() == wanted(many(60), FLOW)
    with open_outbox(path) as outbox:
        assert outbox.counts(outbox.destinations()[0]).done == len(there.applied)


@pytest.mark.parametrize("workspace", ["w-1", None])
def test_two_workers_on_one_outbox_deliver_everything_once_though_one_is_killed(
    tmp_path: Path, workspace: str | None
) -> None:
    there, path = Destination(workspace=workspace), tmp_path / "outbox.db"

    async def story() -> list[int]:
        async with there.serving() as url:
            workers = [
                await asyncio.create_subprocess_exec(*worker_command(path, url)) for _ in range(2)
            ]
            there.fault = killing(there, workers[0], 70)
            return [await each.wait() for each in workers]

    assert asyncio.run(story()) == [-9, 0]
    assert there.holdings() == wanted(many(60), FLOW)
    with open_outbox(path) as outbox:
        counts = outbox.counts(outbox.destinations()[0])
        assert (counts.waiting, counts.leased, counts.parked) == (0, 0, 0)
        assert counts.done == len(there.applied)


def test_two_runs_on_one_outbox_share_the_work(outbox: Outbox) -> None:
    async def story() -> list[Any]:
        async with there.serving() as url, Client(url, TOKEN) as one, Client(url, TOKEN) as two:
            return await asyncio.gather(*(
                sync_worker.run(
                    many(30), outbox, each, flow=FLOW, source="shop", progress=lambda _: None,
                    pace=SMALL,
                )
                for each in (one, two)
            ))  # fmt: skip

    there = Destination(workspace=None)
    summaries = asyncio.run(story())
    assert all(each.is_complete for each in summaries)
    assert there.holdings() == wanted(many(30), FLOW)
    assert sum(each.progress.changed for each in summaries) == 30
    assert sum(each.progress.delivered.total() for each in summaries) == len(there.applied)


class Story:
    """A worker that runs for ever, beside what happens to it."""

    def __init__(self, there: Destination, outbox: Outbox) -> None:
        self.there = there
        self.outbox = outbox
        self.stop = asyncio.Event()

    async def told(self, count: int) -> None:
        """Return when so many operations have arrived."""
        for _ in range(1_000):
            if len(self.there.applied) >= count:
                return
            await asyncio.wait([asyncio.ensure_future(self.stop.wait())], timeout=0.01)
        raise AssertionError(f"{len(self.there.applied)} of {count} arrived")

    def accept(self, url: str, first: int, last: int) -> int:
        found = self.outbox.accept(Route("shop", url), FLOW, many(30)[first:last])
        return found.operations.total()

    async def run(self) -> None:
        async with self.there.serving() as url, Client(url, TOKEN, timeout_s=0.3) as client:
            expected = self.accept(url, 0, 10)
            working = asyncio.ensure_future(work(self.outbox, client, pace=ENDLESS, stop=self.stop))
            await self.told(expected)
            expected += self.accept(url, 10, 20)
            await self.told(expected)
            self.there.fault = lambda said: "401"
            self.accept(url, 20, 30)
            before = len(self.there.seen)
            while len(self.there.seen) < before + 9:
                await asyncio.wait([working], timeout=0.01)
            assert self.outbox.counts(url).parked == 0
            self.there.fault = nothing
            await self.told(len(self.there.applied) + 1)
            while self.outbox.counts(url).done < self.outbox.counts(url).accepted:
                await asyncio.wait([working], timeout=0.01)
            self.stop.set()
            await working
            counts = self.outbox.counts(url)
            assert (counts.waiting, counts.leased, counts.parked) == (0, 0, 0)


def test_a_worker_that_runs_for_ever_takes_what_others_accept_and_outlives_a_pause(
    outbox: Outbox,
) -> None:
    there = Destination(workspace=None)

    async def story() -> None:
        await Story(there, outbox).run()

    asyncio.run(story())
    assert there.holdings() == wanted(many(30), FLOW)


# ---- batches ----


@pytest.mark.parametrize("pace", [QUICK, SMALL])
@pytest.mark.parametrize("seed", [1, 2])
def test_in_batches_whatever_goes_wrong_each_thing_is_there_once(
    outbox: Outbox, seed: int, pace: Any
) -> None:
    there, orders = Destination(mishaps(seed, share=0.2), takes_batches=True), many(30)
    whole = mishaps(seed, share=0.4)
    there.looked = lambda said: whole(said) if "operations" in said else None
    summary = sync(there, outbox, orders, pace=pace)
    assert summary.is_complete
    assert there.holdings() == wanted(orders, FLOW)
    assert max(there.batches) > 3


def test_a_batch_that_is_refused_is_halved_down_to_the_operation_at_fault(outbox: Outbox) -> None:
    def is_guilty(said: dict[str, Any]) -> bool:
        return said.get("custom_id") == "O6"

    there, orders = Destination(takes_batches=True), many(20)
    there.fault = lambda said: "400" if is_guilty(said) else None
    there.looked = lambda said: (
        "400" if any(is_guilty(e["body"]) for e in said["operations"]) else None
    )
    summary = sync(there, outbox, orders)
    assert summary.progress.parked == 6
    assert there.holdings() == wanted([each for each in orders if each.id != "O6"], FLOW)


def test_a_batch_that_is_too_large_is_halved_from_then_on(outbox: Outbox) -> None:
    there = Destination(takes_batches=True)
    there.batch_operations_max = 3
    pace = replace(QUICK, limits=replace(QUICK.limits, batch_operations_max=12))
    assert sync(there, outbox, many(40), pace=pace).is_complete
    assert there.holdings() == wanted(many(40), FLOW)
    too_large = [n for n in there.batches if n > 3]
    assert 0 < len(too_large) <= 2 * QUICK.limits.batches_max
    assert max(there.batches[-10:]) <= 3


def test_batches_that_a_destination_breaks_down_under_get_smaller(outbox: Outbox) -> None:
    there = Destination(takes_batches=True)
    there.looked = lambda said: "500" if len(said.get("operations", [])) > 8 else None
    limits = replace(QUICK.limits, batch_operations_max=64, batches_max=1)
    orders = many(200, contacts=200)
    assert sync(there, outbox, orders, pace=replace(QUICK, limits=limits)).is_complete
    assert there.holdings() == wanted(orders, FLOW)
    too_many = sum(n for n in there.batches if n > 8)
    assert too_many < sum(there.batches) / 2


def test_in_batches_a_lane_keeps_its_order(outbox: Outbox) -> None:
    there = Destination(takes_batches=True)
    assert sync(there, outbox, many(30, contacts=2)).is_complete
    deals = [said["custom_id"] for path, said in there.seen if "/deals/" in path]
    for contact in (0, 1):
        mine = [int(each[1:]) for each in deals if int(each[1:]) % 2 == contact]
        assert mine == sorted(mine)
