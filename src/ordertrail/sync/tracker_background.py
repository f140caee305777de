"""The background of a tracker: a worker that is there when it is needed, and whom it tells."""

import atexit
import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from ordertrail.client.client import Client
from ordertrail.sync.operations import Outcome, State
from ordertrail.sync.outbox import Settled
from ordertrail.sync.rim import InThread
from ordertrail.sync.tracker_delivery import Delivery, Worker
from ordertrail.sync.tracker_keep import Keep
from ordertrail.sync.tracker_told import Parked
from ordertrail.sync.worker import Pace, deliverer, there

T = TypeVar("T")

EXIT_S_MAX = 5.0
"""For how long the end of a process waits for what is under way."""

_log = logging.getLogger("ordertrail.tracker")


@dataclass(slots=True)
class _Present:
    """What is so in this process and in no child of it."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    settled: threading.Condition = field(default_factory=threading.Condition)
    delivery: Delivery | None = None


class Background:
    """Delivers what an outbox keeps for one destination, from the first time it is woken.

    `connect` gives a client, `on_parked` is told of each call that was given up.
    """

    def __init__(
        self,
        keep: Keep,
        destination: str,
        connect: Callable[[], Client],
        pace: Pace,
        on_parked: Callable[[Parked], object] | None,
    ) -> None:
        self._keep = keep
        self._destination = destination
        self._connect = connect
        self._pace = pace
        self._on_parked = on_parked
        self._present = _Present()
        keep.when_forked(self._begin_anew)

    def wake(self) -> None:
        """Have what waits delivered, now if the destination can be reached."""
        (self._present.delivery or self._begun()).wake()

    def stop(self) -> None:
        """Give back what is not delivered; waits a few seconds at most for what is under way."""
        with self._present.lock:
            delivery, self._present.delivery = self._present.delivery, None
        if delivery is None:
            return
        atexit.unregister(self.stop)
        if not delivery.stop(EXIT_S_MAX):
            _log.warning("what is under way is left to itself; nothing of it is lost")

    def wait_for_news(self, seconds: float) -> None:
        """Return when something was settled here, or after so many seconds."""
        with self._present.settled:
            self._present.settled.wait(seconds)

    def _begun(self) -> Delivery:
        with self._present.lock:
            delivery = self._present.delivery
            if delivery is None:
                delivery = self._present.delivery = Delivery(self._serve, "ordertrail")
                delivery.start()
                atexit.register(self.stop)
            return delivery

    def _begin_anew(self) -> None:
        """Forget, in a child process, what goes on in its parent alone."""
        self._present = _Present()

    async def _serve(self, in_thread: InThread, begun: Callable[[Worker], None]) -> None:
        """Deliver until told to stop, whatever the destination does."""

        outbox = await in_thread(lambda: self._keep.use(lambda outbox: outbox))
        guarded = self._keep.guarding(in_thread)
        pace = replace(self._pace, rim=replace(self._pace.rim, in_thread=guarded))
        async with self._connect() as client:
            who = replace(await there(client, pace), name=self._destination)
            worker = deliverer(outbox, client, who, pace, self._on_settled)
            begun(worker)
            await worker.run()

    def _on_settled(self, outcomes: Sequence[Outcome], _: Settled) -> None:
        with self._present.settled:
            self._present.settled.notify_all()
        if self._on_parked is not None:
            for each in outcomes:
                if each.state is State.PARKED:
                    _tell(self._on_parked, Parked.of(each.operation, each.reason))


def _tell(whom: Callable[[Parked], object], what: Parked) -> None:
    """Tell the shop, whose failure is not that of the delivery."""
    try:
        whom(what)
    except Exception as failure:
        _log.error("on_parked raised", exc_info=failure)
