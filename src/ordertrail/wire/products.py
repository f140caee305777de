"""Products and product events on the wire."""

from typing import Any, Required, TypedDict

from ordertrail.domain.errors import Invalid
from ordertrail.domain.product import (
    DETAILS,
    READ_ONLY,
    TEXT_LENGTH_MAX,
    EventType,
    NewProductEvent,
    Product,
    ProductEvent,
    ProductName,
    event_type,
)
from ordertrail.wire import body, naming, prices, tags
from ordertrail.wire.naming import ContactNamed
from ordertrail.wire.shapes import Time
from ordertrail.wire.tags import TagShown


class ProductShown(TypedDict):
    """A product as the API shows it; attributes stand beside these fields."""

    id: int
    custom_id: str
    name: str | None
    price: float | None
    product_url: str | None
    image_url: str | None
    category_name: str | None
    description: str | None
    tags: list[TagShown]
    created_at: str
    updated_at: str


class ProductWithCounts(ProductShown):
    """A product, and how many events of each type it has."""

    event_counts: dict[str, int]


class ProductSent(TypedDict, total=False):
    """What may be said of a product; any other name is an attribute."""

    custom_id: str | int
    name: str | int | None
    price: float | str | None
    product_url: str | int | None
    image_url: str | int | None
    category_name: str | int | None
    description: str | int | None


class ProductEventSent(ContactNamed, total=False):
    """What a contact did with a product; `data` describes the product."""

    event_type: Required[EventType]
    timestamp: Time | None
    data: dict[str, Any] | None


class NamedProductEventSent(ProductEventSent, total=False):
    """What a contact did with a product, and which it was.

    `custom_id` and `product_id` are the shop's id of the product, `id` is ours.
    """

    custom_id: str | int | None
    product_id: str | int | None
    id: int | str | None


class IdShown(TypedDict):
    """The id of what was recorded."""

    id: int


def decode_event(sent: dict[str, Any]) -> NewProductEvent:
    """Read a product event; extra keys that clients in the field send are ignored.

    So is what it says wrongly of its product: the event counts all the same.
    """
    known = body.fields(sent, _READERS)
    data = body.under_known_names(known.get("data", {}), _DATA_NAMES)
    custom_data = data.pop("custom_data", None) or {}
    if not isinstance(custom_data, dict):
        raise Invalid({"data.custom_data": "must be an object"})
    if "event_type" not in known:
        event_type(None)
    contact = naming.contact_name(known)
    return NewProductEvent(
        event_type=known["event_type"],
        user_id=contact.id,
        user_custom_id=contact.custom_id,
        user_key=contact.user_key,
        at=known.get("timestamp"),
        custom_data=custom_data,
        details=_details(data)[0],
        attributes={name: value for name, value in data.items() if name not in _DATA_NAMES},
    )


def warnings_of_event(sent: dict[str, Any]) -> list[str]:
    """Return warnings about what a product event says wrongly of its product."""
    _, wrong = _details(body.under_known_names(sent.get("data") or {}, _DATA_NAMES))
    return [f"{name}: left out: {reason}" for name, reason in wrong.items()]


def warnings(sent: dict[str, Any]) -> list[str]:
    """Return warnings about what a request says of a product and is not taken so."""
    return body.unnoticed(sent, DETAILS | READ_ONLY, READ_ONLY - {"custom_id"})


def decode_new(sent: dict[str, Any]) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """Read what a request says of a product that it names by its custom id."""
    custom_id, details, attributes = decode_change(sent)
    if custom_id is None:
        raise Invalid({"custom_id": "is required: the shop's id of the product"})
    return custom_id, details, attributes


def named(sent: dict[str, Any]) -> ProductName:
    """Return the product that the body of an event names.

    `id` is ours when it is a number, and the shop's otherwise.
    """
    for field in ("custom_id", "product_id"):
        if sent.get(field) is not None:
            return ProductName(custom_id=body.identifier(field, sent[field]))
    if sent.get("id") is None:
        raise Invalid({"custom_id": "is required: the shop's id of the product; or id, ours"})
    try:
        return ProductName(body.whole("id", sent["id"]))
    except Invalid:
        return ProductName(custom_id=body.identifier("id", sent["id"]))


def decode_change(sent: dict[str, Any]) -> tuple[str | None, dict[str, Any], dict[str, Any]]:
    """Read what a request says of a product: its custom id if told, details, attributes."""
    said = body.under_known_names(sent, DETAILS | READ_ONLY)
    named, nameless = body.sorted_out(said, {"custom_id": body.identifier})
    details, wrong = _details(said)
    if nameless or wrong:
        raise Invalid(nameless | wrong)
    attributes = {n: value for n, value in said.items() if n not in DETAILS | READ_ONLY}
    return named.get("custom_id"), details, attributes


def encode_event_request(event: NewProductEvent) -> dict[str, Any]:
    """Return the request body that says the event."""
    said: dict[str, Any] = {}
    if event.user_id is not None:
        said["user_id"] = event.user_id
    if event.user_custom_id is not None:
        said["user_custom_id"] = event.user_custom_id
    if event.user_key is not None:
        said["user_key"] = event.user_key
    said["event_type"] = event.event_type
    if event.at is not None:
        said["timestamp"] = int(event.at.timestamp())
    data = {**event.details, **event.attributes}
    if event.custom_data:
        data["custom_data"] = dict(event.custom_data)
    return {**said, "data": data} if data else said


def encode(product: Product) -> dict[str, Any]:
    """Return a product as the API shows it, custom attributes flattened."""
    return {
        **product.attributes,
        **dict.fromkeys(sorted(DETAILS)),
        **product.details,
        "id": product.id,
        "custom_id": product.custom_id,
        "tags": tags.encode(product.tags),
        "created_at": body.iso(product.created_at),
        "updated_at": body.iso(product.updated_at),
    }


def encode_event(event: ProductEvent, custom_id: str) -> dict[str, Any]:
    """Return a product event as the API shows it; `custom_id` is the product's."""
    return {
        "id": event.id,
        "user_id": event.contact_id,
        "timestamp": body.iso(event.at),
        "event_type": event.event_type,
        "product_id": event.product_id,
        "product_custom_id": custom_id,
        "custom_data": event.custom_data,
    }


def _details(said: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """The standard fields, null for those to be cleared; and what is wrong with others."""
    known, wrong = body.sorted_out(said, _DETAIL_READERS)
    details = {name: known.get(name) for name in said if name in DETAILS and name not in wrong}
    return details, wrong


def _text(field: str, value: object) -> str:
    """Read text; a number, such as one that is a product's name, is its digits."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or len(value) > TEXT_LENGTH_MAX:
        raise Invalid({field: f"must be text of at most {TEXT_LENGTH_MAX} characters"})
    return value


def _event_type(_field: str, value: object) -> str:
    return event_type(value)


_DATA_NAMES = DETAILS | READ_ONLY | {"custom_data"}
_DETAIL_READERS: dict[str, body.Read] = dict.fromkeys(DETAILS, _text) | {"price": prices.price}
_READERS: dict[str, body.Read] = {
    **naming.READERS,
    "event_type": _event_type,
    "timestamp": body.moment,
    "data": body.mapping,
}
