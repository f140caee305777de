"""Accepting orders: in one transaction, what is kept of them is read, decided and written."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count

from ordertrail.domain.journal import Origin
from ordertrail.domain.order import Order
from ordertrail.kit import json
from ordertrail.sync import (
    accounts,
    arrivals,
    outbox_locks,
    outbox_operations,
    outbox_orders,
    outbox_reviving,
)
from ordertrail.sync.accounts import PlannedAccount
from ordertrail.sync.arrivals import Arrivals, News
from ordertrail.sync.flow import Desired
from ordertrail.sync.operations import Kind, Operation
from ordertrail.sync.outbox_orders import Kept, Shelf
from ordertrail.sync.outbox_sql import Writing
from ordertrail.sync.plan import Planned, PlannedContact, PlannedOrder, plan
from ordertrail.sync.rules import Flow
from ordertrail.sync.shops import canonical
from ordertrail.sync.unsent import Rewritten, Unsent


@dataclass(frozen=True, slots=True)
class Accepted:
    """What came of a list of orders: orders == unchanged + changed + older + len(refused).

    `operations` counts what was planned, by kind, and `taken_back` what waited before and is not
    wanted any more. Of `mended` orders something was parked, which now says what is wanted and
    waits again. `refused` names the orders whose snapshot cannot be
    true, each with the reason.
    """

    orders: int
    unchanged: int = 0
    changed: int = 0
    older: int = 0
    operations: Counter[Kind] = field(default_factory=Counter)
    taken_back: int = 0
    mended: int = 0
    refused: list[tuple[str, str]] = field(default_factory=list)


def accept(
    sql: Writing,
    shelf: Shelf,
    flow: Flow,
    orders: Sequence[Order],
    origin: Origin,
    *,
    are_changes: bool = False,
) -> Accepted:
    """Keep the orders and plan what they cause; whoever began the transaction ends it.

    `are_changes` says that they were made of what is kept, and are no snapshots of the shop's.
    """
    drafts = arrivals.drafts(orders, flow)
    ids = arrivals.keepable_ids(drafts)
    outbox_locks.orders(sql, shelf, ids)
    kept = outbox_orders.find(sql, shelf.to, shelf.source, ids)
    found = arrivals.sort(drafts, kept.known, flow, are_changes=are_changes)
    return _keep(sql, shelf, kept, found, origin, len(orders))


def amend(
    sql: Writing,
    shelf: Shelf,
    flow: Flow,
    order_id: str,
    change: Callable[[Order | None], Order],
    is_snapshot: bool,
) -> Accepted:
    """Accept what `change` makes of the latest snapshot of an order, None if there is none."""
    outbox_locks.orders(sql, shelf, {order_id})
    body = outbox_orders.body(sql, shelf.to, shelf.source, order_id)
    before = None if body is None else canonical.decode(json.loads(body))
    return accept(sql, shelf, flow, [change(before)], Origin.LIVE, are_changes=not is_snapshot)


def refuse(sql: Writing, shelf: Shelf, refused: Sequence[tuple[str, str]]) -> None:
    """Set orders apart that could not even be read, each with the reason."""
    found = Arrivals()
    for order_id, reason in refused:
        found.add_refused(order_id, reason)
    outbox_orders.quarantine(sql, shelf, found.quarantine)


def _keep(
    sql: Writing, shelf: Shelf, kept: Kept, found: Arrivals, origin: Origin, total: int
) -> Accepted:
    planning = _begun(sql, shelf, kept, found.news)
    changed = sum(planning.advance(shelf.source, each) for each in found.news)
    outbox_orders.save_snapshots(sql, shelf, found.news, planning.orders)
    outbox_orders.save_contacts(sql, shelf, planning.changed_contacts)
    outbox_orders.save_accounts(sql, shelf, planning.changed_accounts)
    outbox_operations.withdraw(sql, planning.withdrawn, shelf.now)
    outbox_operations.rewrite(sql, list(planning.rewritten.values()), origin)
    outbox_reviving.revive(sql, shelf.to, planning.still_parked())
    outbox_operations.add(sql, shelf, list(planning.added.values()), origin)
    outbox_orders.raise_ranks(sql, shelf, found.bumped)
    outbox_orders.count_older(sql, shelf, Counter(found.older))
    outbox_orders.quarantine(sql, shelf, found.quarantine)
    outbox_orders.release(sql, shelf, found.released)
    refused, older = len(found.refused), len(found.older)
    return Accepted(
        orders=total,
        unchanged=total - changed - refused - older,
        changed=changed,
        older=older,
        operations=Counter(each.kind for each in planning.added.values()),
        taken_back=len(planning.withdrawn),
        mended=planning.mended(),
        refused=found.refused,
    )


def _begun(sql: Writing, shelf: Shelf, kept: Kept, news: Sequence[News]) -> "_Planning":
    wanted = [each.desired for each in news if each.desired is not None]
    shop_ids = {each.account for each in wanted if each.account}
    outbox_locks.accounts(sql, shelf, shop_ids)
    known = outbox_orders.accounts(sql, shelf.to, shelf.source, shop_ids) if shop_ids else {}
    people = {each.person for each in wanted} | {each.custom_id for each in known.values()}
    outbox_locks.contacts(sql, shelf, people)
    contacts = outbox_orders.contacts(sql, shelf.to, people) if people else {}
    seen = {e.order_id: kept.planned[e.order_id] for e in news if e.order_id in kept.planned}
    unsent: dict[str, list[Unsent]] = {}
    parked: set[int] = set()
    if seen:
        lanes = {each.lane for each in seen.values()}
        unsent, parked = outbox_operations.unsent(sql, shelf, seen.keys(), lanes)
    return _Planning(dict(kept.planned), contacts, known, unsent, parked)


@dataclass(slots=True)
class _Planning:
    """What is planned for some orders and their people, one snapshot after the other.

    Operations of a new snapshot that a later one in the same list changes are changed where they
    stand; everything is by what it is in the end.
    """

    orders: dict[str, PlannedOrder]
    contacts: dict[str, PlannedContact]
    accounts: dict[str, PlannedAccount]
    unsent: dict[str, list[Unsent]]
    parked: set[int]
    added: dict[int, Operation] = field(default_factory=dict)
    rewritten: dict[int, Rewritten] = field(default_factory=dict)
    withdrawn: set[int] = field(default_factory=set)
    changed_contacts: dict[str, PlannedContact] = field(default_factory=dict)
    changed_accounts: dict[str, PlannedAccount] = field(default_factory=dict)
    news: set[str] = field(default_factory=set)
    numbers: Iterator[int] = field(default_factory=lambda: count(-1, -1))

    def advance(self, source: str, news: News) -> bool:
        """Plan what the snapshot wants, and tell whether anything was missing."""
        order_id = news.order_id
        self.news.add(order_id)
        if news.desired is None:
            self.orders.setdefault(order_id, PlannedOrder())
            return False
        before = self._before(order_id, news.desired)
        unsent = self.unsent.get(order_id, [])
        made = plan(source, order_id, news.desired, before, unsent)
        self.orders[order_id] = made.planned.order
        self._keep_people(news.desired, before, made.planned)
        by_id = {each.id: each for each in unsent}
        for each in made.rewritten:
            old = by_id[each.id]
            said = json.read_back(each.call.body)
            by_id[each.id] = Unsent(
                old.id, each.key, old.kind, each.call.method, each.call.path, said, old.is_fresh
            )
            self._rewrite(each)
        for number in made.withdrawn:
            del by_id[number]
            if self.added.pop(number, None) is None:
                self.withdrawn.add(number)
                self.rewritten.pop(number, None)
        for operation in made.operations:
            added = self._add(operation)
            by_id[added.id] = added
        self.unsent[order_id] = list(by_id.values())
        return not made.is_empty

    def mended(self) -> int:
        """Count the orders of which something was parked that waits again."""
        return sum(
            any(each.id in self.parked for each in self.unsent.get(order_id, []))
            for order_id in self.news
        )

    def still_parked(self) -> set[int]:
        """Return what is parked of the orders, and neither said anew nor taken back."""
        wait_again = {e.id for each in self.news for e in self.unsent.get(each, [])}
        return (self.parked & wait_again) - self.rewritten.keys()

    def _before(self, order_id: str, wanted: Desired) -> Planned:
        account = self.accounts.get(wanted.account or "")
        person = accounts.person(wanted, account)
        contact = self.contacts.get(person, PlannedContact())
        return Planned(contact, self.orders.get(order_id, PlannedOrder()), account)

    def _keep_people(self, wanted: Desired, before: Planned, planned: Planned) -> None:
        person = accounts.person(wanted, before.account)
        if planned.contact != before.contact:
            self.contacts[person] = self.changed_contacts[person] = planned.contact
        if wanted.account and planned.account and planned.account != before.account:
            self.accounts[wanted.account] = planned.account
            self.changed_accounts[wanted.account] = planned.account

    def _add(self, operation: Operation) -> Unsent:
        """Take an operation that is not in the outbox yet; its number says so."""
        number = next(self.numbers)
        self.added[number] = operation
        call = operation.call
        return Unsent(number, operation.key, operation.kind, call.method, call.path, call.body)

    def _rewrite(self, rewritten: Rewritten) -> None:
        added = self.added.get(rewritten.id)
        if added is None:
            self.rewritten[rewritten.id] = rewritten
        else:
            self.added[rewritten.id] = Operation(
                rewritten.key, added.lane, added.step, added.kind, added.order_id, rewritten.call
            )
