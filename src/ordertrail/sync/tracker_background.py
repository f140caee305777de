"""The background of a tracker: a worker that is there when it is needed, and whom it tells."""

import atexit
import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from ordertrail.client.client import Client
from ordertrail.sync.deliver import Deliverer
from ordertrail.sync.operations import Outcome
from ordertrail.sync.outbox import Settled
from ordertrail.sync.rim import InThread
from ordertrail.sync.tracker_delivery import Delivery
from ordertrail.sync.tracker_keep import Keep
from ordertrail.sync.tracker_told import Parked, parked
from ordertrail.sync.worker import Pace, deliverer, there

T = TypeVar("T")

EXIT_S_MAX = 5.0
"""For how long the end of a process waits for what is under way."""

_log = logging.getLogger("ordertrail.tracker")


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
        self._begin()
        keep.when_forked(self._begin)

    def wake(self) -> None:
        """Have what waits delivered, now if the destination can be reached."""
        if self._delivery is None:
            with self._lock:
                if self._delivery is None:
                    self._delivery = Delivery(self._serve, "ordertrail")
                    self._delivery.start()
                    atexit.register(self.stop)
        if (delivery := self._delivery) is not None:
            delivery.wake()

    def stop(self) -> None:
        """Give back what is not delivered; waits a few seconds at most for what is under way."""
        with self._lock:
            delivery, self._delivery = self._delivery, None
        if delivery is None:
            return
        atexit.unregister(self.stop)
        if not delivery.stop(EXIT_S_MAX):
            _log.warning("what is under way is left to itself; nothing of it is lost")

    def wait_for_news(self, seconds: float) -> None:
        """Return when something was settled here, or after so many seconds."""
        with self._settled:
            self._settled.wait(seconds)

    def _begin(self) -> None:
        """Begin, or begin anew in a child process, where no other thread goes on."""
        self._settled, self._lock = threading.Condition(), threading.Lock()
        self._delivery: Delivery | None = None

    async def _serve(self, in_thread: InThread, begun: Callable[[Deliverer], None]) -> None:
        """Deliver until told to stop, whatever the destination does."""

        def used(work: Callable[[], T]) -> Any:
            return in_thread(lambda: self._keep.use(lambda _: work()))

        outbox = await in_thread(lambda: self._keep.use(lambda outbox: outbox))
        pace = replace(self._pace, rim=replace(self._pace.rim, in_thread=used))
        async with self._connect() as client:
            who = replace(await there(client, pace), name=self._destination)
            worker = deliverer(outbox, client, who, pace, self._on_settled)
            begun(worker)
            await worker.run()

    def _on_settled(self, outcomes: Sequence[Outcome], _: Settled) -> None:
        with self._settled:
            self._settled.notify_all()
        if self._on_parked is not None:
            for each in parked(outcomes):
                _tell(self._on_parked, each)


def _tell(whom: Callable[[Parked], object], what: Parked) -> None:
    """Tell the shop, whose failure is not that of the delivery."""
    try:
        whom(what)
    except Exception as failure:
        _log.error("on_parked raised", exc_info=failure)
