"""What is still to be done for an order: what is desired less what was planned before.

Every operation has a permanent key made of what it means, so that a replay plans nothing.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ordertrail.client import calls
from ordertrail.client.calls import Call
from ordertrail.kit import clock, json
from ordertrail.sync.flow import Desired


class Kind(enum.StrEnum):
    """What an operation is about."""

    CONTACT = "contact"
    DEAL = "deal"
    PRODUCT_EVENT = "product_event"
    CONVERSION = "conversion"


@dataclass(frozen=True, slots=True)
class Operation:
    """One call that is to be made once.

    Operations of one lane are made in the order in which they were planned; those of one order
    that share a `step` may be made at the same time.
    """

    key: str
    lane: str
    step: int
    kind: Kind
    order_id: str
    call: Call


@dataclass(frozen=True, slots=True)
class PlannedContact:
    """What was planned for a contact so far: all fields that were said, and in which lane.

    `as_of` is when the latest of the orders that said it was placed, in microseconds since 1970.
    """

    lane: str = ""
    body: Mapping[str, Any] = field(default_factory=dict)
    changes: int = 0
    as_of: int | None = None


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


@dataclass(frozen=True, slots=True)
class Planned:
    """What was planned so far for an order and for the contact that its snapshot names."""

    contact: PlannedContact = PlannedContact()
    order: PlannedOrder = PlannedOrder()


def plan(
    source: str, order_id: str, desired: Desired, planned: Planned
) -> tuple[list[Operation], Planned]:
    """Return the operations that are still missing, and what is planned once they are.

    A field is sent when it differs from what was planned for it last; one that is no longer
    desired is sent as null. An event is planned once ever.
    """
    lane = planned.order.lane or desired.contact.custom_id or ""
    deals, order = _deal(desired, replace(planned.order, lane=lane))
    product_events, order = _product_events(desired, order)
    conversions, order = _conversion(desired, order)
    is_needed = bool(deals or product_events or conversions)
    contacts, contact = _contact(desired, planned.contact, lane, is_needed)

    contact_owner, order_owner = key_of(source, "", "contact"), key_of(source, order_id)
    operations: list[Operation] = []
    step = order.steps
    for group in (contacts, deals, product_events, conversions):
        step += bool(group)
        for kind, name, call in group:
            owner = contact_owner if kind is Kind.CONTACT else order_owner
            operations.append(Operation(f"{owner}:{name}", lane, step, kind, order_id, call))
    return operations, Planned(contact, replace(order, steps=step))


def key_of(*parts: str | int) -> str:
    """Return a permanent key of these parts; a colon inside a part does not end it.

    No order's id is empty: what is not an order's stands behind an empty part.
    """
    return ":".join([str(part).replace("%", "%25").replace(":", "%3A") for part in parts])


_Group = list[tuple[Kind, str, Call]]
"""Calls that may be made at the same time, each with the end of its key."""


def _contact(
    desired: Desired, planned: PlannedContact, lane: str, is_needed: bool
) -> tuple[_Group, PlannedContact]:
    """Say the contact when a field differs, or when this lane has not said it and needs it.

    What a later order said of the contact stays.
    """
    call = calls.upsert_contact(desired.contact)
    as_of = clock.to_micros(desired.as_of)
    if planned.as_of is not None and as_of < planned.as_of:
        call = replace(call, body={**call.body, **planned.body})
        as_of = planned.as_of
    is_elsewhere = is_needed and planned.lane != lane
    if not is_elsewhere and not _differing(call.body, planned.body):
        return [], replace(planned, as_of=as_of)
    number = planned.changes + 1
    name = key_of(desired.contact.custom_id or "", number)
    body = {**planned.body, **call.body}
    return [(Kind.CONTACT, name, call)], PlannedContact(lane, body, number, as_of)


def _deal(desired: Desired, planned: PlannedOrder) -> tuple[_Group, PlannedOrder]:
    whole = calls.upsert_deal(desired.deal)
    wanted = json.loads(json.dumps(whole.body))
    gone = {name: None for name in planned.deal if name not in wanted}
    missing = _differing({**wanted, **gone}, planned.deal)
    if not missing:
        return [], planned
    number = planned.deal_changes + 1
    call = Call(whole.method, whole.path, {"custom_id": wanted["custom_id"], **missing})
    deal = {**planned.deal, **call.body}
    return [(Kind.DEAL, key_of("deal", number), call)], replace(
        planned, deal=deal, deal_changes=number
    )


def _product_events(desired: Desired, planned: PlannedOrder) -> tuple[_Group, PlannedOrder]:
    group: _Group = []
    for wanted in desired.product_events:
        name = key_of(wanted.event.event_type, wanted.sku)
        if name not in planned.events:
            call = calls.create_product_event(wanted.sku, wanted.event)
            group.append((Kind.PRODUCT_EVENT, name, call))
    return group, _with_events(planned, group)


def _conversion(desired: Desired, planned: PlannedOrder) -> tuple[_Group, PlannedOrder]:
    event = desired.conversion
    if event is None or key_of(event.name) in planned.events:
        return [], planned
    call = calls.create_event(desired.contact.custom_id or "", event)
    group: _Group = [(Kind.CONVERSION, key_of(event.name), call)]
    return group, _with_events(planned, group)


def _with_events(planned: PlannedOrder, group: _Group) -> PlannedOrder:
    if not group:
        return planned
    return replace(planned, events=planned.events | {name for _, name, _ in group})


def _differing(wanted: Mapping[str, Any], planned: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that were planned with another value; null is what was never planned."""
    return {name: value for name, value in wanted.items() if planned.get(name) != value}
