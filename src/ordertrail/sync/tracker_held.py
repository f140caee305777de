"""What a destination would come to hold, for the tests of a shop: a small model, no network."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from ordertrail.client.calls import Call
from ordertrail.sync import timeline
from ordertrail.sync.operations import Kind, Leased


@dataclass(frozen=True, slots=True)
class HeldEvent:
    """One event that a contact has: of a product if there is a `sku`, else by its name alone."""

    name: str
    contact: str
    data: Mapping[str, Any]
    order_id: str
    at: datetime | None = None
    sku: str | None = None


@dataclass(slots=True)
class FakeDestination:
    """Contacts and deals by their custom ids, events in the order in which they came."""

    calls: list[Call] = field(default_factory=list)
    contacts: dict[str, dict[str, Any]] = field(default_factory=dict)
    deals: dict[str, dict[str, Any]] = field(default_factory=dict)
    events: list[HeldEvent] = field(default_factory=list)

    def take(self, operation: Leased) -> None:
        """Carry one operation out."""
        call = operation.call
        self.calls.append(call)
        if operation.kind is Kind.CONTACT:
            self.contacts.setdefault(call.body["custom_id"], {}).update(call.body)
        elif operation.kind is Kind.DEAL:
            self.deals.setdefault(call.body["custom_id"], {}).update(call.body)
        elif operation.kind is Kind.MERGE:
            self._merge(call.body["parent"], call.body["users_list"])
        else:
            self.events.append(_event(operation))

    def _merge(self, parent: str, others: list[str]) -> None:
        """The contact that stays keeps its fields and gets those that it lacks."""
        for other in others:
            said = self.contacts.pop(other, {})
            self.contacts[parent] = {**said, **self.contacts.get(parent, {}), "custom_id": parent}


def _event(operation: Leased) -> HeldEvent:
    body, named = operation.call.body, timeline.named(operation)
    data, order_id = body.get("data") or {}, operation.order_id
    at = datetime.fromtimestamp(body["timestamp"], UTC) if "timestamp" in body else None
    if operation.kind is Kind.CONVERSION:
        return HeldEvent(body["name"], named, data, order_id, at)
    return HeldEvent(body["event_type"], body["user_custom_id"], data, order_id, at, named)
