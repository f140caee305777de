"""Delivery in a thread of its own: it begins again after a failure, and ends when told."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

from ordertrail.kit.database import DatabaseAway
from ordertrail.sync.tracker_delivery import Delivery


class Worker:
    """Runs until stopped, and counts what it is told."""

    def __init__(self) -> None:
        self.woken = threading.Event()
        self.ended = asyncio.Event()

    def wake(self) -> None:
        self.woken.set()

    def stop(self) -> None:
        self.ended.set()


def test_it_begins_again_after_a_failure(caplog: pytest.LogCaptureFixture) -> None:
    begun: list[int] = []
    is_third = threading.Event()

    async def serve(in_thread: Any, tell: Callable[[Any], None]) -> None:
        begun.append(len(begun))
        if len(begun) == 1:
            raise DatabaseAway("the disk is full; make room on the disk")
        if len(begun) == 2:
            raise KeyError("a defect")
        is_third.set()
        await asyncio.Event().wait()

    delivery = Delivery(serve, "test", first_wait_s=0.001)
    delivery.start()
    assert is_third.wait(10)
    assert delivery.stop(10)
    assert "make room on the disk" in caplog.text
    assert "a defect" in caplog.text
    assert caplog.text.count("Traceback") == 1


def test_a_worker_is_woken_and_stopped_in_its_own_loop() -> None:
    worker: list[Worker] = []
    is_there = threading.Event()

    async def serve(in_thread: Any, tell: Callable[[Any], None]) -> None:
        worker.append(Worker())
        tell(worker[0])
        is_there.set()
        await worker[0].ended.wait()

    delivery = Delivery(serve, "test")
    delivery.start()
    assert is_there.wait(10)
    delivery.wake()
    assert worker[0].woken.wait(10)
    assert delivery.stop(10)
    assert len(worker) == 1


def test_it_can_be_stopped_before_there_is_a_worker() -> None:
    is_asking = threading.Event()

    async def serve(in_thread: Any, tell: Callable[[Any], None]) -> None:
        is_asking.set()
        await asyncio.Event().wait()

    delivery = Delivery(serve, "test")
    delivery.start()
    assert is_asking.wait(10)
    assert delivery.stop(10)


def test_who_stops_it_waits_no_longer_than_told() -> None:
    is_busy, may_end = threading.Event(), threading.Event()

    async def serve(in_thread: Any, tell: Callable[[Any], None]) -> None:
        def work() -> None:
            is_busy.set()
            may_end.wait(10)

        await in_thread(work)

    delivery = Delivery(serve, "test")
    delivery.start()
    assert is_busy.wait(10)
    assert not delivery.stop(0.01)
    may_end.set()
    assert delivery.stop(10)


def test_work_with_the_database_ends_before_a_cancelled_caller_goes_on() -> None:
    done: list[str] = []
    is_busy, may_end = threading.Event(), threading.Event()

    async def serve(in_thread: Any, tell: Callable[[Any], None]) -> None:
        def work() -> None:
            is_busy.set()
            may_end.wait(10)
            done.append("work")

        try:
            await in_thread(work)
        finally:
            done.append("caller")

    delivery = Delivery(serve, "test")
    delivery.start()
    assert is_busy.wait(10)
    assert not delivery.stop(0.01)
    assert not delivery.stop(0.01)
    may_end.set()
    assert delivery.stop(10)
    assert done == ["work", "caller"]
