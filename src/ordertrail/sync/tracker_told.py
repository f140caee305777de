"""What a tracker tells the shop, and how it takes what the shop gives it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from ordertrail.client.calls import Call
from ordertrail.domain.errors import Invalid, NotFound, Refused, Unavailable
from ordertrail.domain.order import ZONE_IS_NEEDED, Order
from ordertrail.kit.database import DatabaseAway, DatabaseRefused
from ordertrail.sync.operations import Kind, Leased
from ordertrail.sync.outbox import Listed
from ordertrail.sync.rules import Flow, FlowName, Stages


@dataclass(frozen=True, slots=True)
class Parked:
    """A call that was given up, and why; a later snapshot of the order may mend it."""

    order_id: str
    kind: Kind
    reason: str
    key: str
    call: Call

    @classmethod
    def of(cls, operation: Leased | Listed, reason: str | None) -> "Parked":
        """Return an operation that was given up for a reason."""
        return cls(operation.order_id, operation.kind, reason or "", operation.key, operation.call)


def flow_of(given: Flow | str, stages: Stages | None) -> Flow:
    """Return the settings of a flow that is given by its name, or whole; stages of its own hold.

    Raises Invalid for a name that is not known.
    """
    if not isinstance(given, Flow):
        try:
            given = Flow(name=FlowName(given))
        except ValueError:
            known = ", ".join(FlowName)
            raise Invalid({"flow": f"must be a Flow, or one of: {known}"}) from None
    return given if stages is None else replace(given, stages=stages)


def moment(at: datetime) -> datetime:
    """Return a time that the shop gave; raises Invalid for one without a zone."""
    if at.tzinfo is None:
        raise Invalid({"at": ZONE_IS_NEEDED})
    return at


def amount(value: Decimal | int | None) -> Decimal | None:
    """Return an amount that the shop gave; raises Invalid for a float, which is not exact."""
    if value is None or isinstance(value, Decimal):
        return value
    if not isinstance(value, int):
        raise Invalid({"value": f"must be a Decimal, not a {type(value).__name__}"})
    return Decimal(value)


def order(given: Order) -> Order:
    """Return a snapshot that the shop gave; raises Invalid for what is none."""
    if not isinstance(given, Order):
        raise Invalid({"order": f"must be an Order, not a {type(given).__name__}"})
    return given


def known(order: Order | None, order_id: str) -> Order:
    """Return the order; raises NotFound, saying what to do, when there is none."""
    if order is None:
        raise NotFound(
            f"order {order_id[:64]!r} was never taken here, or only as one that cannot be true:"
            " track a whole snapshot of it"
        )
    return order


@contextmanager
def to_callers() -> Iterator[None]:
    """Say a database's failure in the words that callers know: wait, or change something."""
    try:
        yield
    except DatabaseAway as error:
        raise Unavailable(str(error)) from error
    except DatabaseRefused as error:
        raise Refused(str(error)) from error
