"""What is still to be done for an order: what is desired less what was planned before.

Every operation has a permanent key made of what it means, so that a replay plans nothing. What
was planned and not yet sent follows the newest snapshot instead of being sent first.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ordertrail.client import calls
from ordertrail.client.calls import Call
from ordertrail.kit import clock, json
from ordertrail.sync.accounts import PlannedAccount, identity_of
from ordertrail.sync.flow import Desired
from ordertrail.sync.operations import Kind, Operation
from ordertrail.sync.unsent import Rewritten, Unsent, fold, renew


@dataclass(frozen=True, slots=True)
class PlannedContact:
    """What was planned for a contact so far: all fields that were said, and in which lane.

    `said_as_of` tells of each field when the latest of the orders that said it was placed, in
    microseconds since 1970.
    """

    lane: str = ""
    body: Mapping[str, Any] = field(default_factory=dict)
    changes: int = 0
    said_as_of: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PlannedOrder:
    """What was planned for an order so far; `deal` holds every field as it was said last.

    The lane is that of the order's first contact and stays, so that no change of the order can
    overtake an earlier one.
    """

    lane: str = ""
    steps: int = 0
    deal: Mapping[str, Any] = field(default_factory=dict)
    deal_changes: int = 0
    events: frozenset[str] = frozenset()
    merges: int = 0


@dataclass(frozen=True, slots=True)
class Planned:
    """What was planned so far for an order, its contact, and the shop account behind that."""

    contact: PlannedContact = PlannedContact()
    order: PlannedOrder = PlannedOrder()
    account: PlannedAccount | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What a snapshot changes in the outbox, and what is planned once it has.

    Operations that were never sent are `rewritten`, or `withdrawn` (by their ids) where nobody
    wants them any more.
    """

    operations: list[Operation]
    rewritten: list[Rewritten]
    withdrawn: list[int]
    planned: Planned

    @property
    def is_empty(self) -> bool:
        """Whether nothing was missing."""
        return not (self.operations or self.rewritten or self.withdrawn)


def plan(
    source: str,
    order_id: str,
    desired: Desired,
    planned: Planned,
    unsent: Sequence[Unsent] = (),
) -> Plan:
    """Return the operations that are still missing, and what is planned once they are.

    A field is sent when it differs from what was planned for it last. An event is planned once
    ever, unless it was taken back before it was sent. `planned.contact` is that of the contact
    that `accounts.person` names. A desired state that is said once plans nothing more.
    """
    if desired.once and planned.order.deal:
        return Plan([], [], [], planned)
    order, before = planned.order, planned.order.deal.get("user_custom_id")
    identity = identity_of(desired, planned.account, before, order.merges)
    wanted = desired.of(identity.person)
    lane = order.lane or (identity.account and identity.account.lane) or identity.person
    draft = _Draft(source, order_id, lane, order.steps, unsent)
    order = replace(order, lane=lane, merges=order.merges + len(identity.merges))

    deal, order = _deal(wanted, order, draft)
    events_of = _event_calls(wanted)
    product_events, order = _events(Kind.PRODUCT_EVENT, events_of, order, draft)
    conversion, order = _events(Kind.CONVERSION, events_of, order, draft)
    order = _without_unwanted(events_of, order, draft)
    is_needed = bool(deal or product_events or conversion or identity.merges)
    contact_calls, contact = _contact(wanted, planned.contact, is_needed, draft)
    for group in (contact_calls, identity.merges, deal, product_events, conversion):
        draft.add(group)
    account = identity.account
    if account is not None and not account.lane:
        account = replace(account, lane=lane)
    return Plan(
        draft.operations,
        draft.rewritten,
        draft.withdrawn,
        Planned(contact, replace(order, steps=draft.step), account),
    )


def key_of(*parts: str | int) -> str:
    """Return a permanent key of these parts; a colon inside a part does not end it.

    No order's id is empty: what is not an order's stands behind an empty part.
    """
    return ":".join([str(part).replace("%", "%25").replace(":", "%3A") for part in parts])


def parts_of(key: str) -> tuple[str, ...]:
    """Return the parts that a key was made of."""
    return tuple(part.replace("%3A", ":").replace("%25", "%") for part in key.split(":"))


_Group = list[tuple[Kind, tuple[str | int, ...], Call]]
"""Calls that may be made at the same time, each with the parts of the end of its key."""

_EventCalls = Mapping[Kind, Mapping[tuple[str, ...], Call]]
"""The calls of the events that are wanted, by their kind and the parts of the end of their key."""


class _Draft:
    """A plan in the making."""

    def __init__(
        self, source: str, order_id: str, lane: str, step: int, unsent: Sequence[Unsent]
    ) -> None:
        self.operations: list[Operation] = []
        self.rewritten: list[Rewritten] = []
        self.withdrawn: list[int] = []
        self.step = step
        self.lane = lane
        self._order_id = order_id
        self._source = source
        self._unsent = unsent

    def unsent(self, kind: Kind) -> list[Unsent]:
        """Return the operations of a kind that can still be changed, oldest first."""
        return [each for each in self._unsent if each.kind is kind]

    def key(self, kind: Kind, parts: Sequence[str | int]) -> str:
        """Return the permanent key of an operation."""
        if kind in (Kind.CONTACT, Kind.MERGE):
            return key_of(self._source, "", kind.value, *parts)
        return key_of(self._source, self._order_id, *parts)

    def add(self, group: _Group) -> None:
        """Plan calls that may be made at the same time, behind all before them."""
        self.step += bool(group)
        for kind, parts, call in group:
            key = self.key(kind, parts)
            self.operations.append(Operation(key, self.lane, self.step, kind, self._order_id, call))


def _contact(
    desired: Desired, planned: PlannedContact, is_needed: bool, draft: _Draft
) -> tuple[_Group, PlannedContact]:
    """Say the contact when a field differs, or when this lane has not said it and needs it.

    What a later order said of a field stays. A call that waits says more only if none of another
    order stands behind it, which would take that back.
    """
    call = calls.upsert_contact(desired.contact)
    as_of, before = clock.to_micros(desired.as_of), planned.said_as_of
    later = {n: planned.body[n] for n in call.body if before.get(n, as_of) > as_of}
    call = replace(call, body={**call.body, **later})
    said_as_of = {**before, **{n: as_of for n in call.body if n not in later}}
    is_elsewhere = is_needed and planned.lane != draft.lane
    if not is_elsewhere and not _differing(call.body, planned.body):
        return [], replace(planned, said_as_of=said_as_of)
    if is_elsewhere:
        call = replace(call, body={**planned.body, **call.body})
    number = planned.changes + 1
    parts = (desired.person, number)
    body = {**planned.body, **call.body}
    said = PlannedContact(draft.lane, body, number, said_as_of)
    latest = draft.key(Kind.CONTACT, (desired.person, planned.changes))
    waiting = [each for each in draft.unsent(Kind.CONTACT) if each.key == latest]
    if waiting and not is_elsewhere:
        fold(waiting, call.body, draft.key(Kind.CONTACT, parts), draft.rewritten, draft.withdrawn)
        return [], said
    return [(Kind.CONTACT, parts, call)], said


def _deal(desired: Desired, planned: PlannedOrder, draft: _Draft) -> tuple[_Group, PlannedOrder]:
    whole = calls.upsert_deal(desired.deal)
    wanted = json.read_back(whole.body)
    missing = _differing(wanted, planned.deal)
    if not missing:
        return [], planned
    number = planned.deal_changes + 1
    parts = ("deal", number)
    call = Call(whole.method, whole.path, {"custom_id": wanted["custom_id"], **missing})
    said = replace(planned, deal={**planned.deal, **call.body}, deal_changes=number)
    if waiting := draft.unsent(Kind.DEAL):
        fold(waiting, said.deal, draft.key(Kind.DEAL, parts), draft.rewritten, draft.withdrawn)
        return [], said
    return [(Kind.DEAL, parts, call)], said


def _event_calls(desired: Desired) -> _EventCalls:
    of_products = {
        _event_parts(each.event.event_type, each.sku, each.refund_id): calls.create_product_event(
            each.sku, each.event
        )
        for each in desired.product_events
    }
    others: dict[tuple[str, ...], Call] = {}
    if desired.conversion is not None:
        others[desired.conversion.name,] = calls.create_event(desired.person, desired.conversion)
    return {Kind.PRODUCT_EVENT: of_products, Kind.CONVERSION: others}


def _events(
    kind: Kind, events_of: _EventCalls, planned: PlannedOrder, draft: _Draft
) -> tuple[_Group, PlannedOrder]:
    """Plan the events that never were, and let those that were not sent follow the snapshot."""
    wanted = events_of[kind]
    group: _Group = [
        (kind, parts, call)
        for parts, call in wanted.items()
        if key_of(*parts) not in planned.events
    ]
    if waiting := draft.unsent(kind):
        by_key = {draft.key(kind, parts): call for parts, call in wanted.items()}
        renew(waiting, by_key, draft.rewritten)
    if not group:
        return [], planned
    names = {key_of(*parts) for _, parts, _ in group}
    return group, replace(planned, events=planned.events | names)


def _without_unwanted(events_of: _EventCalls, planned: PlannedOrder, draft: _Draft) -> PlannedOrder:
    """Take back the events that were not sent and that the snapshot does not want."""
    waiting = [each for each in draft.unsent(Kind.PRODUCT_EVENT) if each.is_fresh]
    waiting += [each for each in draft.unsent(Kind.CONVERSION) if each.is_fresh]
    if not waiting:
        return planned
    wanted = {key_of(*parts) for each in events_of.values() for parts in each}
    order = draft.key(Kind.CONVERSION, ())
    names = {f"{order}:{name}": name for name in planned.events - wanted}
    taken_back = [each for each in waiting if each.key in names]
    draft.withdrawn += [each.id for each in taken_back]
    return replace(planned, events=planned.events - {names[each.key] for each in taken_back})


def _event_parts(event_type: str, sku: str, refund_id: str | None) -> tuple[str, ...]:
    return (event_type, sku) if refund_id is None else (event_type, sku, refund_id)


def _differing(wanted: Mapping[str, Any], planned: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that were planned with another value; null is what was never planned."""
    return {name: value for name, value in wanted.items() if planned.get(name) != value}
