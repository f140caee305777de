"""Verify: the shop's truth, order by order, against what the destination holds."""

from collections import Counter, OrderedDict
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from ordertrail.client import calls
from ordertrail.client.calls import Call
from ordertrail.client.client import Client
from ordertrail.domain.errors import Invalid, NotFound
from ordertrail.domain.order import Order
from ordertrail.sync.drift import Difference, Drift, Held, compare
from ordertrail.sync.flow import desired
from ordertrail.sync.rules import Flow

PAGES_MAX = 200
CONTACTS_KEPT_MAX = 200
EXAMPLES_MAX = 20


@dataclass(frozen=True, slots=True)
class Truth:
    """An order as the shop knows it, and the contact that it belongs to by now, if known."""

    order: Order
    person: str | None = None


@dataclass(slots=True)
class Verified:
    """What was found: how many orders were looked at, and the differences by kind.

    `drifted` are the ids of orders that differ. `unsaid` orders are not to be there yet.
    """

    orders: int = 0
    unsaid: int = 0
    refused: int = 0
    drifted: list[str] = field(default_factory=list)
    counts: Counter[Drift] = field(default_factory=Counter)
    examples: dict[Drift, list[str]] = field(default_factory=dict)

    def take(self, order_id: str, differences: Iterable[Difference]) -> None:
        """Add what was found of one order."""
        found = list(differences)
        self.orders += 1
        if found:
            self.drifted.append(order_id)
        for each in found:
            self.counts[each.drift] += 1
            examples = self.examples.setdefault(each.drift, [])
            if len(examples) < EXAMPLES_MAX:
                examples.append(f"{order_id}: {each}")

    @property
    def is_clean(self) -> bool:
        """Whether nothing differs."""
        return not self.drifted


Turn = Callable[[], Any]
"""Waited for before each call, so that a limit is kept."""


class Reader:
    """Reads what a destination holds; the events of a contact are read once for its orders."""

    def __init__(self, client: Client, turn: Turn) -> None:
        self._client = client
        self._turn = turn
        self._contacts: OrderedDict[str, Held] = OrderedDict()

    async def held(self, person: str, order_id: str) -> Held:
        """Return what is held for an order of a person."""
        deal = await self._one(calls.get_deal(order_id))
        of_contact = self._contacts.get(person)
        if of_contact is None:
            of_contact = self._contacts[person] = await self._of_contact(person)
            if len(self._contacts) > CONTACTS_KEPT_MAX:
                self._contacts.popitem(last=False)
        return Held(of_contact.contact, deal, of_contact.events, of_contact.product_events)

    async def _of_contact(self, person: str) -> Held:
        contact = await self._one(calls.get_contact(person))
        if contact is None:
            return Held(None, None)
        events = [e async for e in self._all(calls.list_events(person))]
        product_events = [e async for e in self._all(calls.list_product_events(person))]
        return Held(contact, None, events, product_events)

    async def _one(self, call: Call) -> Any:
        await self._turn()
        try:
            return await self._client.send(call)
        except NotFound:
            return None

    async def _all(self, call: Call) -> AsyncIterator[Any]:
        await self._turn()
        async for page in self._client.pages(call, PAGES_MAX):
            for each in page:
                yield each
            await self._turn()


async def verify(
    truths: Iterable[Truth], flow: Flow, reader: Reader, on_drift: Callable[[str], None]
) -> Verified:
    """Look at every order and return what differs; `on_drift` is told of each order that does."""
    found = Verified()
    for truth in truths:
        order = truth.order
        try:
            wanted = desired(order, flow)
        except Invalid:
            found.refused += 1
            continue
        if wanted is None:
            found.unsaid += 1
            continue
        wanted = wanted.of(truth.person or wanted.person)
        differences = compare(wanted, await reader.held(wanted.person, order.id))
        found.take(order.id, differences)
        if differences:
            on_drift(order.id)
    return found
