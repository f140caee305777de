"""An outbox and what a destination comes to hold, without a network between them."""

from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import unquote

from ordertrail.domain.journal import Origin
from ordertrail.domain.order import Order
from ordertrail.sync.operations import Kind, Leased, Outcome, State
from ordertrail.sync.outbox import Accepted, Outbox, open_outbox
from ordertrail.sync.outbox_orders import Route
from ordertrail.sync.rules import Flow

THERE = "http://there"
ROUTE = Route("shop", THERE)


@dataclass
class Held:
    """What the destination holds, by what names it; events as (type, product, body)."""

    contacts: dict[str, dict[str, Any]] = field(default_factory=dict)
    deals: dict[str, dict[str, Any]] = field(default_factory=dict)
    product_events: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    conversions: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    merges: list[tuple[str, str]] = field(default_factory=list)
    calls: int = 0

    def take(self, operation: Leased) -> None:
        """Carry one operation out."""
        self.calls += 1
        said, person = operation.call.body, unquote(operation.path.split("/")[4])
        match operation.kind:
            case Kind.CONTACT:
                self.contacts.setdefault(said["custom_id"], {}).update(said)
            case Kind.MERGE:
                self.merges.append((said["users_list"][0], said["parent"]))
            case Kind.DEAL:
                self.deals.setdefault(said["custom_id"], {}).update(said)
            case Kind.PRODUCT_EVENT:
                self.product_events.append((said["event_type"], person, said))
            case Kind.CONVERSION:
                self.conversions.append((person, said))

    @property
    def revenue(self) -> Any:
        """The sum of what all deals that are not lost are worth."""
        return sum(deal["value"] for deal in self.deals.values() if deal["status"] != 3)


class Desk:
    """Accepts orders and carries out what they cause; used as `with`."""

    def __init__(self, folder: Path, flow: Flow | None = None) -> None:
        self.flow = flow or Flow()
        self.held = Held()
        folder.mkdir(exist_ok=True)
        self.outbox_path = folder / "desk.outbox"
        self.outbox: Outbox = open_outbox(self.outbox_path)

    def __enter__(self) -> Self:
        self.outbox.open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.outbox.close()

    def accept(self, *orders: Order, origin: Origin = Origin.LIVE) -> Accepted:
        return self.outbox.accept(ROUTE, self.flow, orders, origin=origin)

    def deliver(self, *orders: Order) -> int:
        """Accept the orders, carry out all that waits, and return how many calls that took."""
        if orders:
            self.accept(*orders)
        before = self.held.calls
        lease = self.outbox.join(THERE, "desk")
        while leased := self.outbox.claim(lease):
            for operation in leased:
                self.held.take(operation)
            self.outbox.settle(lease, [Outcome(each, State.DONE, 1) for each in leased])
        self.outbox.leave(lease)
        return self.held.calls - before

    def waiting(self) -> list[Leased]:
        """What waits, in order; it goes on waiting."""
        lease = self.outbox.join(THERE, "desk")
        leased = self.outbox.claim(lease)
        self.outbox.leave(lease)
        return leased
