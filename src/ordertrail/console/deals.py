"""Deals: the list, and one deal with its lines and changes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar
from urllib.parse import urlencode

from ordertrail.actions import browse
from ordertrail.actions.browse import DealFilter, DealRow, DealView, Names
from ordertrail.console import say, story
from ordertrail.console.desk import Visit
from ordertrail.console.say import Field
from ordertrail.console.story import Told
from ordertrail.domain import money
from ordertrail.domain.deal import Deal, Status
from ordertrail.domain.errors import Invalid
from ordertrail.domain.journal import Subject
from ordertrail.domain.pipeline import Stage
from ordertrail.kit.database import Reader

ADDRESS = "/console/deals"
_PARTS = {"delivery_cost": "Delivery", "fees": "Fees", "discount_amount": "Discount"}
_COMPANY = {"company_id", "company_custom_id"}
_SHOWN_ELSEWHERE = {"refunds", "gross_value", *_COMPANY, *_PARTS}


@dataclass(frozen=True, slots=True)
class DealsPage:
    """A page of the list; `next` is the address of the following one."""

    template: ClassVar[str] = "deals.html"
    section: ClassVar[str] = "deals"

    q: str
    stage: int | None
    status: int | None
    stages: Sequence[Stage]
    count: int
    deals: Sequence[DealRow]
    is_first: bool
    first: str
    next: str | None

    @property
    def title(self) -> str:
        """The page's name."""
        return "Deals"

    @property
    def is_filtered(self) -> bool:
        """Tell whether the list shows less than all deals."""
        return bool(self.q) or self.stage is not None or self.status is not None


@dataclass(frozen=True, slots=True)
class LineRow:
    """One line as it was when the order was made."""

    product_id: int
    product: str
    product_custom_id: str
    quantity: int
    unit_price: Decimal
    total: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class Sum:
    """One row below the lines: what else makes up the value."""

    label: str
    value: Decimal


@dataclass(frozen=True, slots=True)
class RefundRow:
    """Money that was given back."""

    id: str
    at: datetime | None
    value: Decimal


@dataclass(frozen=True, slots=True)
class Linked:
    """A product that the deal is about without a line."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class DealPage:
    """One deal."""

    template: ClassVar[str] = "deal.html"
    section: ClassVar[str] = "deals"

    id: int
    custom_id: str | None
    name: str
    contact_id: int | None
    contact: str | None
    company: str | None
    tags: Sequence[str]
    stage_id: int
    stage: str
    status: Status
    value: Decimal
    currency: str
    placed_at: datetime
    created_at: datetime
    updated_at: datetime
    won_at: datetime | None
    lost_at: datetime | None
    lines: Sequence[LineRow]
    sums: Sequence[Sum]
    linked: Sequence[Linked]
    refunds: Sequence[RefundRow]
    attributes: Sequence[Field]
    changes: Sequence[Told]

    @property
    def title(self) -> str:
        """The page's name."""
        return self.name


def deals(reader: Reader, visit: Visit) -> DealsPage:
    """Read a page of the list."""
    wanted = _wanted(visit)
    cursor = visit.query.get("cursor")
    page = browse.deals(reader, visit.workspace.id, wanted, cursor)
    asked = {
        "q": wanted.text,
        "stage": "" if wanted.stage_id is None else str(wanted.stage_id),
        "status": "" if wanted.status is None else str(int(wanted.status)),
    }
    return DealsPage(
        q=wanted.text,
        stage=wanted.stage_id,
        status=wanted.status,
        stages=browse.stages(reader, visit.workspace.id),
        count=page.count,
        deals=page.items,
        is_first=not cursor,
        first=address(ADDRESS, asked),
        next=address(ADDRESS, asked, page.next_cursor) if page.next_cursor else None,
    )


def deal(reader: Reader, visit: Visit) -> DealPage:
    """Read the page of one deal; raises NotFound."""
    view = browse.deal(reader, visit.workspace.id, visit.number)
    found, names = view.deal, view.names
    lines, refunds = _lines(view), _refunds(found.attributes.get("refunds"))
    thing = Subject.DEAL, found.id
    return DealPage(
        id=found.id,
        custom_id=found.custom_id,
        name=found.name,
        contact_id=found.contact_id,
        contact=_called(names, Subject.CONTACT, found.contact_id),
        company=_called(names, Subject.COMPANY, found.details.get("company_id")),
        tags=[each.name for each in found.tags],
        stage_id=found.stage_id,
        stage=names.of(Subject.STAGE, found.stage_id),
        status=found.status,
        value=found.value.amount,
        currency=found.value.currency,
        placed_at=say.moment(found.attributes.get("order_placed_at")) or found.created_at,
        created_at=found.created_at,
        updated_at=found.updated_at,
        won_at=found.won_at,
        lost_at=found.lost_at,
        lines=lines,
        sums=_sums(found, lines, refunds),
        linked=[Linked(each, names.of(Subject.PRODUCT, each)) for each in found.linked_ids],
        refunds=refunds,
        attributes=say.fields(_left(view, refunds), names),
        changes=[story.told(each, names, thing) for each in view.changes],
    )


def address(path: str, query: Mapping[str, str], cursor: str | None = None) -> str:
    """Return the address of a list with what was asked of it, the same for the same question."""
    asked = {name: value for name, value in query.items() if value}
    if cursor:
        asked["cursor"] = cursor
    return f"{path}?{urlencode(asked)}" if asked else path


def _wanted(visit: Visit) -> DealFilter:
    status = visit.whole("status")
    if status is not None and status not in list(Status):
        raise Invalid({"status": "must be one of 0 to 4"})
    return DealFilter(
        stage_id=visit.whole("stage"),
        status=None if status is None else Status(status),
        text=visit.text("q"),
    )


def _lines(view: DealView) -> list[LineRow]:
    rows = []
    for line in view.deal.lines:
        unit_price = money.unit_price(line.price_micros, money.exponent(line.currency))
        total = money.minor(unit_price * line.quantity, line.currency)
        rows.append(
            LineRow(
                line.product_id,
                view.names.of(Subject.PRODUCT, line.product_id),
                line.product_custom_id,
                line.quantity,
                unit_price,
                money.amount(total, line.currency),
                line.currency,
            )
        )
    return rows


def _called(names: Names, subject: Subject, number: int | None) -> str | None:
    """What the deal names, unless that is no more."""
    if number is None or (subject, number) in names.gone:
        return None
    return names.of(subject, number)


def _left(view: DealView, refunds: Sequence[RefundRow]) -> dict[str, Any]:
    """What the deal says that has no place of its own on the page; of its people who is there."""
    values = {**view.deal.details, **view.deal.attributes}
    people = values.pop("participants", None) or ()
    there = [each for each in people if (Subject.CONTACT, each) not in view.names.gone]
    values |= {"participants": there} if there else {}
    return {
        name: value
        for name, value in values.items()
        if name not in _SHOWN_ELSEWHERE or not _is_shown(name, value, refunds)
    }


def _sums(found: Deal, lines: Sequence[LineRow], refunds: Sequence[RefundRow]) -> list[Sum]:
    """What stands between the lines and the value, as far as the shop told it."""
    told = [(text, say.number(found.attributes.get(name))) for name, text in _PARTS.items()]
    sums = [Sum(text, -value if text == "Discount" else value) for text, value in told if value]
    if sums:
        sums.insert(0, Sum("Lines", sum((line.total for line in lines), Decimal(0))))
    gross = say.number(found.attributes.get("gross_value"))
    if gross is not None and gross != found.value.amount:
        sums.append(Sum("Gross", gross))
    if refunds:
        sums.append(Sum("Refunded", -sum((each.value for each in refunds), Decimal(0))))
    return sums


def _refunds(sent: Any) -> list[RefundRow]:
    if not isinstance(sent, list) or not all(isinstance(each, dict) for each in sent):
        return []
    amounts = [say.number(each.get("value")) for each in sent]
    return [
        RefundRow(str(each.get("id", "")), say.moment(each.get("at")), value)
        for each, value in zip(sent, amounts, strict=True)
        if value is not None
    ]


def _is_shown(name: str, value: Any, refunds: Sequence[RefundRow]) -> bool:
    if name in _COMPANY:
        return True
    if name == "refunds":
        return isinstance(value, list) and len(value) == len(refunds)
    return say.number(value) is not None and name != "gross_value"
