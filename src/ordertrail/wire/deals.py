"""Deals, which are orders, on the wire."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal, TypedDict

from ordertrail.domain import money
from ordertrail.domain.absent import ABSENT
from ordertrail.domain.deal import (
    DETAILS,
    NAME_LENGTH_MAX,
    PRODUCTS_MAX,
    QUANTITY_MAX,
    READ_ONLY,
    Deal,
    DealChange,
    OrderProduct,
    SentLine,
    Status,
)
from ordertrail.domain.errors import Invalid
from ordertrail.wire import body, tags
from ordertrail.wire.shapes import Time
from ordertrail.wire.tags import TagShown

LINES_MAX = PRODUCTS_MAX
_NO_DETAILS = dict.fromkeys(sorted(DETAILS))


class LineShown(TypedDict):
    """A line of an order as it was when the order was made; `value` is the price of one unit."""

    product_id: int
    product_custom_id: str
    quantity: int
    value: float
    currency: str


class DealShown(TypedDict):
    """A deal as the API shows it; attributes stand beside these fields."""

    id: int
    custom_id: str | None
    name: str
    user_id: int | None
    pipeline: int
    stage: int
    status: int
    value: str
    currency: str
    won_at: str | None
    lost_at: str | None
    products: list[int]
    products_custom_id: list[str]
    order_products: list[LineShown]
    tags: list[TagShown]
    expected_close_date: str | None
    loss_reason: int | None
    loss_reason_description: str | None
    assigned_to: int | None
    participants: list[int] | None
    company_id: int | None
    company_custom_id: str | None
    created_at: str
    updated_at: str


class DealUpserted(DealShown):
    """A deal, and whether the request created it."""

    created: bool


class LineSent(TypedDict, total=False):
    """A line of an order: its product by one of two ids, and the price of one unit."""

    product_id: int | str
    product_custom_id: str | int
    quantity: int | str
    value: float | str
    currency: str


class DealSent(TypedDict, total=False):
    """What may be said of a deal; any other name is an attribute.

    `status` is 0 abandoned, 1 in progress, 2 won, 3 lost or 4 archived; `value` is in the major
    unit of the currency.
    """

    custom_id: str | int | None
    name: str | None
    user_id: int | str | None
    user_custom_id: str | int | None
    pipeline: int | str | None
    stage: int | str | None
    status: Literal[0, 1, 2, 3, 4] | str | None
    value: float | str | None
    currency: str | None
    won_at: Time | None
    lost_at: Time | None
    products: list[int | str] | None
    products_custom_id: list[str | int] | None
    order_products: list[LineSent] | None
    expected_close_date: str | None
    loss_reason: int | str | None
    loss_reason_description: str | None
    assigned_to: int | str | None
    participants: list[int | str] | None
    company_id: int | str | None
    company_custom_id: str | int | None
    tags: list[str] | None


def warnings(sent: dict[str, Any]) -> list[str]:
    """Return warnings about what a request says of a deal and is not taken so."""
    return body.unnoticed(sent, _NAMES, READ_ONLY)


def decode_change(sent: dict[str, Any]) -> DealChange:
    """Read what a request says about a deal; unknown keys are custom attributes."""
    sent = body.under_known_names(sent, _NAMES)
    known = body.fields(sent, _READERS)
    details = {name: known.pop(name, None) for name in sent if name in DETAILS}
    if "order_products" in known:
        known["lines"] = known.pop("order_products")
    if "products" in known:
        known["product_ids"] = known.pop("products")
    attributes = {name: value for name, value in sent.items() if name not in _NAMES}
    return DealChange(**known, details=details, attributes=attributes)


def decode_exported(told: Mapping[str, Any]) -> tuple[int, datetime] | None:
    """Read which deal an exported row is of: its id, and when it was created; None without both."""
    known = body.fields(told, _EXPORTED_READERS)
    return (known["id"], known["created_at"]) if len(known) == len(_EXPORTED_READERS) else None


def encode_change(change: DealChange) -> dict[str, Any]:
    """Return the request body that says the change; what is absent is not in it."""
    said: dict[str, Any] = {"custom_id": change.custom_id}
    for name in ("user_id", "user_custom_id", "name", "pipeline", "stage", "currency"):
        said[name] = getattr(change, name)
    said["status"] = change.status if change.status is ABSENT else int(change.status)
    said["value"] = change.value
    said["won_at"] = change.won_at if not change.won_at else body.iso(change.won_at)
    said["lost_at"] = change.lost_at if not change.lost_at else body.iso(change.lost_at)
    said["products"] = change.product_ids
    said["products_custom_id"] = change.products_custom_id
    if change.tags:
        said["tags"] = list(change.tags)
    if change.lines is not ABSENT:
        said["order_products"] = [_encode_sent_line(line) for line in change.lines]
    kept = {name: value for name, value in said.items() if value is not ABSENT}
    return {**kept, **change.details, **change.attributes}


def encode(deal: Deal, custom_ids: Mapping[int, str]) -> dict[str, Any]:
    """Return a deal as the API shows it; `custom_ids` are those of its linked products."""
    return {
        **deal.attributes,
        **_NO_DETAILS,
        **deal.details,
        "id": deal.id,
        "custom_id": deal.custom_id,
        "name": deal.name,
        "user_id": deal.contact_id,
        "pipeline": deal.pipeline_id,
        "stage": deal.stage_id,
        "status": int(deal.status),
        "value": _amount_text(deal),
        "currency": deal.value.currency,
        "won_at": body.optional_iso(deal.won_at),
        "lost_at": body.optional_iso(deal.lost_at),
        "products": list(deal.product_ids),
        "products_custom_id": [custom_ids[product_id] for product_id in deal.product_ids],
        "order_products": [_encode_line(line) for line in deal.lines],
        "tags": tags.encode(deal.tags),
        "created_at": body.iso(deal.created_at),
        "updated_at": body.iso(deal.updated_at),
    }


def _amount_text(deal: Deal) -> str:
    """Money goes out as text with two decimals, or three or four where the currency has them."""
    decimals = money.exponent(deal.value.currency)
    shown = max(2, decimals)
    digits = str(abs(deal.value.minor) * 10 ** (shown - decimals)).rjust(shown + 1, "0")
    sign = "-" if deal.value.minor < 0 else ""
    return f"{sign}{digits[:-shown]}.{digits[-shown:]}"


def _encode_line(line: OrderProduct) -> dict[str, Any]:
    return {
        "product_id": line.product_id,
        "product_custom_id": line.product_custom_id,
        "quantity": line.quantity,
        "value": money.unit_price(line.price_micros),
        "currency": line.currency,
    }


def _encode_sent_line(line: SentLine) -> dict[str, Any]:
    said = {
        "product_id": line.product_id,
        "product_custom_id": line.product_custom_id,
        "value": money.unit_price(line.price_micros),
        "currency": line.currency,
        "quantity": line.quantity,
    }
    return {name: value for name, value in said.items() if value is not None}


def _line(field: str, value: Any) -> SentLine:
    if not isinstance(value, dict):
        raise Invalid({field: "must be an object"})
    try:
        known = body.fields(value, _LINE_READERS)
    except Invalid as error:
        raise Invalid({f"{field}.{name}": why for name, why in error.fields.items()}) from None
    if "product_id" not in known and "product_custom_id" not in known:
        raise Invalid({field: "needs product_custom_id, or product_id"})
    quantity = known.get("quantity", 1)
    if not 0 < quantity <= QUANTITY_MAX:
        raise Invalid({f"{field}.quantity": f"must be from 1 to {QUANTITY_MAX}"})
    return SentLine(
        quantity=quantity,
        price_micros=known.get("value", 0),
        product_id=known.get("product_id"),
        product_custom_id=known.get("product_custom_id"),
        currency=known.get("currency"),
    )


def _price(field: str, value: object) -> int:
    return money.micros(value if isinstance(value, Decimal) else body.number(field, value), field)


def _participants(field: str, value: Any) -> list[int]:
    """A list, as it is kept: a tuple would differ from it, and be a change each time."""
    return list(body.many(body.whole, LINES_MAX)(field, value))


def _status(field: str, value: object) -> Status:
    status = body.whole(field, value)
    if status > Status.ARCHIVED:
        raise Invalid({field: "must be 0 abandoned, 1 in progress, 2 won, 3 lost or 4 archived"})
    return Status(status)


_READERS: dict[str, body.Read] = {
    "custom_id": body.identifier,
    "user_id": body.whole,
    "user_custom_id": body.identifier,
    "name": body.text(NAME_LENGTH_MAX),
    "pipeline": body.whole,
    "stage": body.whole,
    "status": _status,
    "value": body.number,
    "currency": body.currency,
    "won_at": body.optional_moment,
    "lost_at": body.optional_moment,
    "order_products": body.many(_line, LINES_MAX),
    "products": body.many(body.whole, LINES_MAX),
    "products_custom_id": body.many(body.identifier, LINES_MAX),
    "tags": lambda _field, value: tags.decode_all(value),
    "expected_close_date": body.day,
    "loss_reason": body.whole,
    "loss_reason_description": body.text(NAME_LENGTH_MAX),
    "assigned_to": body.whole,
    "participants": _participants,
    "company_id": body.whole,
    "company_custom_id": body.identifier,
}
_NAMES = frozenset(READ_ONLY | _READERS.keys())
_EXPORTED_READERS: dict[str, body.Read] = {"id": body.whole, "created_at": body.moment}
_LINE_READERS: dict[str, body.Read] = {
    "product_id": body.whole,
    "product_custom_id": body.identifier,
    "quantity": body.whole,
    "value": _price,
    "currency": body.currency,
}
