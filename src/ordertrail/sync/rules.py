"""What a shop decides about its sync: the flow, the stages, who is who, what things are called."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

from ordertrail.domain.attribute import standard_name
from ordertrail.domain.deal import Status
from ordertrail.domain.errors import Invalid
from ordertrail.domain.event import PURCHASE_COMPLETED
from ordertrail.domain.identity import Strategy
from ordertrail.domain.product import EVENT_TYPES

CONSENTS = frozenset({"email_consent", "sms_consent"})
"""Consents have a flow of their own with double opt-in; an order never carries one."""

SET_BY_THE_FLOW = frozenset(
    "custom_id user_id user_custom_id name pipeline stage status value currency won_at lost_at"
    " products products_custom_id order_products".split()
)
"""Fields of a deal that no attribute can be called like."""

TOLD_BY_THE_FLOW = frozenset(
    "order_placed_at order_fulfilled_at order_cancelled_at order_status gross_value refunds"
    " delivery_cost fees tax_amount discount_amount rounding_adjustment".split()
)
"""Attributes in which the flow tells the rest of the order, under names that can be changed."""

RETURN_EVENTS = ("return", "refund")


class FlowName(enum.StrEnum):
    """The two flows of the guide."""

    SIMPLE = "simple"
    DETAILED = "detailed"


class Milestone(enum.StrEnum):
    """How far an order has come, whatever words the shop has for it."""

    PLACED = "placed"
    FULFILLED = "fulfilled"
    CANCELLED = "cancelled"

    @property
    def status(self) -> Status:
        """The status of a deal that has come so far."""
        return _STATUSES[self]


_STATUSES = {
    Milestone.PLACED: Status.IN_PROGRESS,
    Milestone.FULFILLED: Status.WON,
    Milestone.CANCELLED: Status.LOST,
}


@dataclass(frozen=True, slots=True)
class Stages:
    """The ids of the destination's stages; those of a fresh workspace unless told otherwise."""

    placed: int = 1
    fulfilled: int = 2
    cancelled: int = 3


@dataclass(frozen=True, slots=True)
class Place:
    """Where the deal stands while the order has a certain status in the shop.

    The deal's status follows from the milestone unless given. An order that does not count as
    revenue, such as one that was never paid, is a deal without product events and conversion.
    """

    stage: int
    milestone: Milestone = Milestone.PLACED
    status: Status | None = None
    counts_as_revenue: bool = True

    def __post_init__(self) -> None:
        try:
            object.__setattr__(self, "milestone", Milestone(self.milestone))
        except ValueError:
            raise Invalid({"milestone": f"must be one of: {', '.join(Milestone)}"}) from None

    @property
    def deal_status(self) -> Status:
        """The status of the deal."""
        return self.milestone.status if self.status is None else self.status


@dataclass(frozen=True, slots=True)
class Names:
    """What things are called at the destination.

    `attributes` gives attributes of the deal, the flow's and the shop's, another name; one named
    None is not sent.
    """

    order: str = "order"
    purchase: str = "purchase"
    conversion: str = PURCHASE_COMPLETED
    attributes: Mapping[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Revenue:
    """Which parts of an order, besides its lines less its discount, make up the deal's value."""

    delivery: bool = True
    fees: bool = True
    tax: bool = True


@dataclass(frozen=True, slots=True)
class Flow:
    """The settings of a sync; raises Invalid for what contradicts itself or sends a consent.

    The simple flow says an order once, when it first reaches the `sync_point`. `statuses` gives
    each status of the shop its place; an order without a status goes by its times. `returns`
    names the product events to create for what came back: "return" for goods, "refund" for the
    money of a product. `prefers_account` tells which of two e-mails is the contact's.
    `never_sent` are further names of attributes that are consents.
    """

    stages: Stages = Stages()
    identity: Strategy = Strategy.EMAIL_SHA256
    name: FlowName = FlowName.DETAILED
    sync_point: Milestone = Milestone.PLACED
    statuses: Mapping[str, Place] = field(default_factory=dict)
    names: Names = Names()
    revenue: Revenue = Revenue()
    returns: tuple[str, ...] = ()
    prefers_account: bool = True
    never_sent: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        wrong = dict(_wrong_names(self))
        for field_name, kind in _WORDS.items():
            try:
                object.__setattr__(self, field_name, kind(getattr(self, field_name)))
            except ValueError:
                wrong[field_name] = f"must be one of: {', '.join(kind)}"
        if self.sync_point is Milestone.CANCELLED:
            wrong["sync_point"] = "must be placed or fulfilled"
        if set(self.returns) - set(RETURN_EVENTS):
            wrong["returns"] = f"may name: {', '.join(RETURN_EVENTS)}"
        if wrong:
            raise Invalid(wrong)

    @property
    def consents(self) -> frozenset[str]:
        """The standard names of all attributes that no order may carry."""
        return CONSENTS | {standard_name(name) for name in self.never_sent}

    @property
    def is_simple(self) -> bool:
        """Whether later changes of an order cause nothing."""
        return self.name is FlowName.SIMPLE


_WORDS: dict[str, type[enum.StrEnum]] = {
    "name": FlowName,
    "sync_point": Milestone,
    "identity": Strategy,
}


def _wrong_names(flow: Flow) -> dict[str, str]:
    wrong: dict[str, str] = {}
    for name in ("order", "purchase"):
        if getattr(flow.names, name) not in EVENT_TYPES:
            wrong[f"names.{name}"] = f"must be one of: {', '.join(EVENT_TYPES)}"
    if flow.names.order == flow.names.purchase:
        wrong["names.purchase"] = "must differ from names.order"
    if not flow.names.conversion.strip():
        wrong["names.conversion"] = "must not be empty"
    seen: set[str] = set()
    for name, sent_as in flow.names.attributes.items():
        both = {standard_name(name), standard_name(sent_as or name)}
        if both & flow.consents:
            wrong[f"names.attributes.{name}"] = (
                "a consent is never sent with an order; it has a flow of its own"
            )
        elif both & SET_BY_THE_FLOW:
            wrong[f"names.attributes.{name}"] = "is a field of the deal itself"
        elif sent_as is not None and sent_as in seen:
            wrong[f"names.attributes.{name}"] = "has the same name as another one"
        seen.add(sent_as or "")
    return wrong
