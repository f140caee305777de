"""Verify: the shop's truth, order by order, against what the destination holds."""

import asyncio
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from ordertrail.client import calls
from ordertrail.client.calls import Call
from ordertrail.domain.errors import (
    Forbidden,
    Invalid,
    NotFound,
    Refused,
    Unauthorised,
)
from ordertrail.domain.order import Order
from ordertrail.sync.asking import Asker
from ordertrail.sync.drift import (
    Difference,
    Drift,
    Holding,
    Wanted,
    compare,
    wanted_as_said,
    wanted_of,
)
from ordertrail.sync.flow import desired
from ordertrail.sync.plan import PlannedOrder
from ordertrail.sync.rules import Flow

PAGES_MAX = 200
CONTACTS_KEPT_MAX = 200
EXAMPLES_MAX = 20
ORDERS_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Truth:
    """An order as the shop knows it, and what was planned for it so far."""

    order: Order
    planned: PlannedOrder = field(default_factory=PlannedOrder)


@dataclass(slots=True)
class Verified:
    """What was found: how many orders were looked at, and the differences by kind.

    `drifted` are the ids of orders that differ. `unsaid` orders are not to be there yet, those
    `refused` cannot be true. `untold` are orders that the destination did not tell all about.
    """

    orders: int = 0
    unsaid: int = 0
    refused: int = 0
    drifted: list[str] = field(default_factory=list)
    counts: Counter[Drift] = field(default_factory=Counter)
    examples: dict[Drift, list[str]] = field(default_factory=dict)
    untold: list[str] = field(default_factory=list)

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
        """Whether every order was looked at, and nothing differs."""
        return not self.drifted and not self.untold and not self.refused


class Reader:
    """Reads what a destination holds; the events of a contact are read once for its orders."""

    def __init__(self, asker: Asker) -> None:
        self._asker = asker
        self._contacts: OrderedDict[str, asyncio.Task[Holding]] = OrderedDict()

    async def held(self, wanted: Wanted, *, may_be_renamed: bool) -> Holding:
        """Return what is held for an order.

        A contact that is not there may go by another name since it was merged: then it is the one
        that the deal belongs to.
        """
        deal = await self._one(calls.get_deal(str(wanted.deal["custom_id"])))
        of_contact = await self._kept(wanted.person)
        if of_contact.contact is None and may_be_renamed and deal is not None:
            of_contact = await self._of_owner(deal)
        return Holding(of_contact.contact, deal, of_contact.events, of_contact.product_events)

    async def _kept(self, person: str) -> Holding:
        found = self._contacts.get(person)
        if found is None:
            found = self._contacts[person] = asyncio.create_task(self._of_contact(person))
            if len(self._contacts) > CONTACTS_KEPT_MAX:
                self._contacts.popitem(last=False)
        self._contacts.move_to_end(person)
        return await found

    async def _of_owner(self, deal: dict[str, Any]) -> Holding:
        number = deal.get("user_id")
        owner = (
            None
            if not isinstance(number, int)
            else await self._one(calls.get_contact_numbered(number))
        )
        custom_id = None if owner is None else owner.get("custom_id")
        return Holding(owner, deal) if custom_id is None else await self._kept(str(custom_id))

    async def _of_contact(self, person: str) -> Holding:
        contact = await self._one(calls.get_contact(person))
        if contact is None:
            return Holding(None, None)
        events = await self._all(calls.list_events(person))
        return Holding(contact, None, events, await self._all(calls.list_product_events(person)))

    async def _one(self, call: Call) -> Any:
        try:
            found = await self._asker.ask(call)
        except NotFound:
            return None
        return found if isinstance(found, dict) else None

    async def _all(self, call: Call) -> list[Any]:
        try:
            found = [each async for each in self._asker.each(call, PAGES_MAX)]
        except NotFound:
            return []
        return [each for each in found if isinstance(each, dict)]


async def verify(
    truths: Iterable[Truth],
    flow: Flow,
    reader: Reader,
    *,
    on_drift: Callable[[str, list[Difference]], object] | None = None,
    progress: Callable[[Verified], None] | None = None,
) -> Verified:
    """Look at every order and return what differs; `on_drift` is told of each order that does.

    Raises what asking the destination raises when the key is refused or nobody answers.
    """
    found = Verified()
    given = iter(truths)
    while some := list(islice(given, ORDERS_AT_ONCE)):
        wanted = [each for each in (_wanted(truth, flow, found) for truth in some) if each]
        looked = await asyncio.gather(
            *(reader.held(each, may_be_renamed=has_account) for each, has_account in wanted),
            return_exceptions=True,
        )
        for (each, _), held in zip(wanted, looked, strict=True):
            order_id = str(each.deal["custom_id"])
            if isinstance(held, BaseException):
                found.untold.append(f"{order_id}: {_told(held)}")
                continue
            differences = compare(each, held)
            found.take(order_id, differences)
            if differences and on_drift is not None:
                on_drift(order_id, differences)
        if progress is not None:
            progress(found)
    return found


def _wanted(truth: Truth, flow: Flow, found: Verified) -> tuple[Wanted, bool] | None:
    """Return what should be held, and whether a shop account stands behind the contact."""
    if flow.is_simple and truth.planned.deal:
        return wanted_as_said(truth.planned), truth.order.customer.shop_id is not None
    try:
        wished = desired(truth.order, flow)
    except Invalid:
        found.refused += 1
        return None
    if wished is None:
        found.unsaid += 1
        return None
    person = truth.planned.deal.get("user_custom_id") or wished.person
    return wanted_of(wished.of(str(person))), wished.account is not None


def _told(failure: BaseException) -> str:
    """Return why a destination does not tell; raises what concerns every order."""
    if not isinstance(failure, Refused) or isinstance(failure, Unauthorised | Forbidden):
        raise failure
    return str(failure)
