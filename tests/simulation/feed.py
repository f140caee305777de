"""The way from the shop to the outbox: messages that are lost, doubled, late and out of order."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from ordertrail.domain.order import Order
from simulation.faults import CALM, Faults
from simulation.shop import Shop

LATE_S_MAX = 600.0
QUICK_S_MAX = 2.0
AGAIN_S = 5.0
BATCH_MAX = 8


@dataclass(order=True)
class Message:
    """A snapshot on its way."""

    due: float
    number: int
    shop: Shop = field(compare=False)
    order: Order = field(compare=False)


class Feed:
    """Messages on their way; those of a shop that cannot say what is newer stay in order."""

    def __init__(self, now: Callable[[], float], chance: random.Random) -> None:
        self.faults: Faults = CALM
        self._now = now
        self._chance = chance
        self._messages: list[Message] = []
        self._taken: list[Message] = []
        self._numbered = 0
        self._latest_due: dict[str, float] = {}

    @property
    def is_empty(self) -> bool:
        return not self._messages and not self._taken

    def send(self, shop: Shop, order: Order) -> None:
        """Send a snapshot, with luck."""
        if self._happens(self.faults.message_lost):
            return
        times = 2 if self._happens(self.faults.message_twice) else 1
        for _ in range(times):
            self._numbered += 1
            told = shop.told(order)
            self._messages.append(Message(self._due(shop), self._numbered, shop, told))
        self._messages.sort()

    def due(self) -> list[Message]:
        """Take a batch of messages of one shop that have arrived; they are taken until `done`."""
        now = self._now()
        arrived = [each for each in self._messages if each.due <= now]
        if not arrived:
            return []
        shop = arrived[0].shop
        size = self._chance.randint(1, BATCH_MAX)
        batch = [each for each in arrived if each.shop is shop][:size]
        for each in batch:
            self._messages.remove(each)
        if shop.ranks_by:
            self._chance.shuffle(batch)
        self._taken = batch
        return batch

    def done(self) -> None:
        """Forget the batch that was taken: the shop was told that it is accepted."""
        self._taken = []

    def failed(self) -> None:
        """Let the shop send again what was taken and not accepted, unless it gives up."""
        for each in self._taken:
            if not self._happens(self.faults.message_lost):
                again_s = AGAIN_S if each.shop.ranks_by else 0.0
                self._messages.append(
                    Message(each.due + again_s, each.number, each.shop, each.order)
                )
        self._taken = []
        self._messages.sort()

    def _due(self, shop: Shop) -> float:
        is_late = bool(shop.ranks_by) and self._happens(self.faults.message_late)
        due = self._now() + self._chance.random() * (LATE_S_MAX if is_late else QUICK_S_MAX)
        if not shop.ranks_by:
            due = self._latest_due[shop.source] = max(due, self._latest_due.get(shop.source, 0.0))
        return due

    def _happens(self, chance: float) -> bool:
        return self._chance.random() < chance


def pages(orders: list[Order], size: int) -> Iterator[list[Order]]:
    """Return the orders in lists of so many."""
    return (orders[start : start + size] for start in range(0, len(orders), size))
