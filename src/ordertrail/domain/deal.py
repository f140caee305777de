"""A deal: an order as the platform keeps it, and the rules by which it changes."""

import enum
import operator
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from decimal import Decimal
from typing import Any

from ordertrail.domain import attribute, money
from ordertrail.domain.absent import ABSENT, Absent
from ordertrail.domain.errors import Invalid, unknown
from ordertrail.domain.journal import differences
from ordertrail.domain.money import Money
from ordertrail.domain.pipeline import KnownStages
from ordertrail.domain.tag import Tag

NAME_LENGTH_MAX = 255
QUANTITY_MAX = 1_000_000_000
PRODUCTS_MAX = 5_000

DETAILS = frozenset(
    "expected_close_date loss_reason loss_reason_description assigned_to participants company_id"
    " company_custom_id".split()
)
"""Standard fields of a deal that no rule depends on."""

READ_ONLY = frozenset(
    "id created_at updated_at created created_by activities_status activities_status_updated_at"
    " restricted_to agent scope".split()
)


class Status(enum.IntEnum):
    """The statuses of the API."""

    ABANDONED = 0
    IN_PROGRESS = 1
    WON = 2
    LOST = 3
    ARCHIVED = 4


@dataclass(frozen=True, slots=True)
class OrderProduct:
    """A line as it was when the order was made: it does not follow later changes of the product.

    `price_micros` is the price of one unit in millionths of the currency's major unit.
    """

    product_id: int
    product_custom_id: str
    quantity: int
    price_micros: int
    currency: str


@dataclass(frozen=True, slots=True)
class Deal:
    """One order of one contact."""

    id: int
    custom_id: str | None
    name: str
    contact_id: int | None
    pipeline_id: int
    stage_id: int
    status: Status
    value: Money
    created_at: datetime
    updated_at: datetime
    won_at: datetime | None = None
    lost_at: datetime | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    attributes: Mapping[str, Any] = field(default_factory=dict)
    lines: tuple[OrderProduct, ...] = ()
    linked_ids: tuple[int, ...] = ()
    """Products that the deal is about besides those of its lines, by id, in growing order."""
    tags: tuple[Tag, ...] = ()

    @property
    def product_ids(self) -> tuple[int, ...]:
        """All products that the deal is about, each once, those of its lines first."""
        return tuple(dict.fromkeys((*(line.product_id for line in self.lines), *self.linked_ids)))


_STATE = operator.attrgetter(*(each.name for each in fields(Deal) if each.name != "updated_at"))


@dataclass(frozen=True, slots=True)
class DealName:
    """A deal as a request names it; of both names the custom id counts."""

    id: int | None = None
    custom_id: str | None = None


@dataclass(frozen=True, slots=True)
class SentLine:
    """A line as a request names it: by the product's id or by the shop's id of it."""

    quantity: int
    price_micros: int
    product_id: int | None = None
    product_custom_id: str | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class DealChange:
    """What a request says about a deal; a field that was not sent is ABSENT.

    `tags` are names that it is to bear as well, `untagged` those that it is to lose.
    """

    custom_id: str | None = None
    user_id: int | None | Absent = ABSENT
    user_custom_id: str | None | Absent = ABSENT
    name: str | Absent = ABSENT
    pipeline: int | Absent = ABSENT
    stage: int | Absent = ABSENT
    status: Status | Absent = ABSENT
    value: Decimal | Absent = ABSENT
    currency: str | Absent = ABSENT
    won_at: datetime | None | Absent = ABSENT
    lost_at: datetime | None | Absent = ABSENT
    lines: tuple[SentLine, ...] | Absent = ABSENT
    product_ids: tuple[int, ...] | Absent = ABSENT
    products_custom_id: tuple[str, ...] | Absent = ABSENT
    details: Mapping[str, Any] = field(default_factory=dict)
    attributes: Mapping[str, Any] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    untagged: tuple[str, ...] = ()

    def product_keys(self) -> list[str]:
        """Return the shop's ids of all products that the change names."""
        keys = list(self.products_custom_id or ())
        keys += [line.product_custom_id for line in self.lines or () if line.product_custom_id]
        return keys


@dataclass(frozen=True, slots=True)
class Facts:
    """What the rules need to know besides the deal and the change."""

    stages: KnownStages
    default_currency: str
    contact_id: int | None | Absent
    products: Mapping[str, int]
    """The ids of the products that the change names, by the shop's id."""
    product_names: Mapping[int, str]
    """The shop's ids of the products that the change names by id."""
    at: datetime


def draft(deal_id: int, change: DealChange, facts: Facts) -> Deal:
    """Return the deal that a first request begins with, before its change is applied."""
    stage = facts.stages.first(change.pipeline or None)
    return Deal(
        id=deal_id,
        custom_id=change.custom_id,
        name=change.name or change.custom_id or "Deal",
        contact_id=None,
        pipeline_id=stage.pipeline_id,
        stage_id=stage.id,
        status=Status.IN_PROGRESS,
        value=Money(0, facts.default_currency),
        created_at=facts.at,
        updated_at=facts.at,
    )


def apply(deal: Deal, change: DealChange, facts: Facts) -> Deal:
    """Return the deal after the change; only what was sent is touched.

    A change of nothing returns the very deal that was given.

    Raises Invalid naming the field for an unknown stage, currency, product or an amount that the
    currency cannot hold.
    """
    status = deal.status if change.status is ABSENT else change.status
    became = None if status is deal.status else status
    value = _value(deal.value, change)
    lines = deal.lines if change.lines is ABSENT else _lines(change.lines, value.currency, facts)
    pipeline_id, stage_id = _place(deal, change, facts.stages)
    changed = Deal(
        id=deal.id,
        custom_id=change.custom_id or deal.custom_id,
        name=deal.name if change.name is ABSENT else change.name,
        contact_id=deal.contact_id if facts.contact_id is ABSENT else facts.contact_id,
        pipeline_id=pipeline_id,
        stage_id=stage_id,
        status=status,
        value=value,
        created_at=deal.created_at,
        updated_at=facts.at,
        won_at=_moment(deal.won_at, change.won_at, Status.WON, became, facts.at),
        lost_at=_moment(deal.lost_at, change.lost_at, Status.LOST, became, facts.at),
        details={**deal.details, **change.details},
        attributes=attribute.changed(deal.attributes, change.attributes),
        lines=lines,
        linked_ids=_links(deal, change, lines, facts),
        tags=deal.tags,
    )
    return changed if differs(deal, changed) else deal


def retags(deal: Deal, change: DealChange) -> bool:
    """Tell whether the change puts a tag on the deal, or takes one off."""
    borne = {tag.name for tag in deal.tags}
    return not borne.issuperset(change.tags) or not borne.isdisjoint(change.untagged)


def differs(old: Deal, new: Deal) -> bool:
    """Tell whether anything is different besides the time of the last change."""
    return _STATE(new) != _STATE(old) or bool(differences(old.attributes, new.attributes))


def _value(value: Money, change: DealChange) -> Money:
    currency = value.currency if change.currency is ABSENT else change.currency
    if change.value is ABSENT and currency == value.currency:
        return value
    amount = value.amount if change.value is ABSENT else change.value
    return Money(money.minor(amount, currency), currency)


def _place(deal: Deal, change: DealChange, stages: KnownStages) -> tuple[int, int]:
    pipeline_id = None if change.pipeline is ABSENT else change.pipeline
    if change.stage is not ABSENT:
        stage = stages.named(change.stage, pipeline_id)
        return stage.pipeline_id, stage.id
    if pipeline_id in (None, deal.pipeline_id):
        return deal.pipeline_id, deal.stage_id
    stage = stages.first(pipeline_id)
    return stage.pipeline_id, stage.id


def _moment(
    known: datetime | None,
    sent: datetime | None | Absent,
    status: Status,
    became: Status | None,
    at: datetime,
) -> datetime | None:
    """When the status was reached: as sent, else now; in another status there is none.

    `became` is the status of the deal, if it is not what it was.
    """
    if sent is not ABSENT:
        return sent
    if became is status:
        return known or at
    return known if became in (None, Status.ARCHIVED) else None


def _lines(sent: tuple[SentLine, ...], currency: str, facts: Facts) -> tuple[OrderProduct, ...]:
    lines = []
    for place, line in enumerate(sent):
        if line.product_custom_id is not None:
            product_custom_id = line.product_custom_id
            product_id = facts.products[product_custom_id]
        else:
            product_id = line.product_id or 0
            product_custom_id = _known_product(product_id, facts, f"order_products[{place}]")
        lines.append(
            OrderProduct(
                product_id,
                product_custom_id,
                line.quantity,
                line.price_micros,
                line.currency or currency,
            )
        )
    return tuple(lines)


def _links(
    deal: Deal, change: DealChange, lines: tuple[OrderProduct, ...], facts: Facts
) -> tuple[int, ...]:
    """The products that are linked without a line: those sent, or as before."""
    if change.product_ids is ABSENT and change.products_custom_id is ABSENT:
        if lines is deal.lines:
            return deal.linked_ids
        links = set(deal.product_ids)
    else:
        links = set(change.product_ids or ())
        for product_id in links:
            _known_product(product_id, facts, "products")
        links.update(facts.products[key] for key in change.products_custom_id or ())
    links.difference_update(line.product_id for line in lines)
    if len(links) > PRODUCTS_MAX:
        raise Invalid({"products": f"a deal is about at most {PRODUCTS_MAX} products"})
    return tuple(sorted(links))


def _known_product(product_id: int, facts: Facts, field_name: str) -> str:
    try:
        return facts.product_names[product_id]
    except KeyError:
        raise Invalid({field_name: str(unknown("product", product_id))}) from None
