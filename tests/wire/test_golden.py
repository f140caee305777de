"""Bodies as they stand on the wire, read and written; a change here breaks clients in the field."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from ordertrail.domain.contact import Contact, ContactChange
from ordertrail.domain.deal import Deal, DealChange, OrderProduct, SentLine, Status
from ordertrail.domain.event import Event, NewEvent
from ordertrail.domain.money import Money
from ordertrail.domain.product import NewProductEvent
from ordertrail.wire import body, contacts, deals, events, products

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
WON_AT = datetime(2026, 1, 2, 3, 4, 5, 678_900, tzinfo=UTC)
WHO = "8b1a9953c4611296a827abf8c47804d7e6c49c6b97d5e1f3c0a2b4d6e8f0a1c3"

SAID_DEAL = DealChange(
    custom_id="ORD-78523",
    user_custom_id=WHO,
    name="Order #78523",
    stage=13,
    currency="USD",
    status=Status.IN_PROGRESS,
    value=Decimal("149.90"),
    won_at=None,
    lost_at=datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC),
    product_ids=(3,),
    products_custom_id=("SKU-HEADPHONES-BLK", "SKU-CASE-001"),
    lines=(
        SentLine(1, 129_900_000, product_custom_id="SKU-HEADPHONES-BLK", currency="USD"),
        SentLine(2, 333_333, product_id=3),
    ),
    details={"expected_close_date": "2026-03-01"},
    attributes={"delivery_cost": Decimal("9.99"), "discount_code": "SUMMER15"},
)
TOLD_DEAL = Deal(
    id=7,
    custom_id="ORD-78523",
    name="Order #78523",
    contact_id=4,
    pipeline_id=9,
    stage_id=13,
    status=Status.WON,
    value=Money(14990, "USD"),
    created_at=AT,
    updated_at=AT,
    won_at=WON_AT,
    details={"expected_close_date": "2026-03-01"},
    attributes={"discount_code": "SUMMER15"},
    lines=(OrderProduct(1, "SKU-HEADPHONES-BLK", 1, 129_900_000, "USD"),),
    linked_ids=(3,),
)


def golden(name: str) -> Any:
    path = Path(__file__).parent.parent / "golden" / name
    return msgspec.json.decode(path.read_bytes(), type=dict[str, Any])


def raw(name: str, part: str) -> bytes:
    """The bytes of one body, numbers as they are written."""
    text = (Path(__file__).parent.parent / "golden" / name).read_bytes()
    return bytes(msgspec.json.decode(text, type=dict[str, msgspec.Raw])[part])


def compact(text: bytes) -> bytes:
    return msgspec.json.format(text, indent=-1)


def test_a_deal_is_read_as_the_guide_writes_it() -> None:
    sent = body.decode_object(raw("deal.json", "said_by_the_shop"))
    assert deals.decode_change(sent) == SAID_DEAL


def test_a_deal_is_said_as_the_guide_writes_it() -> None:
    said = body.decode(body.encode(deals.encode_change(SAID_DEAL)))
    assert said == body.decode(raw("deal.json", "said_by_the_shop"))


def test_a_deal_is_told_to_the_byte() -> None:
    told = deals.encode(TOLD_DEAL, {1: "SKU-HEADPHONES-BLK", 3: "SKU-CASE-001"})
    assert body.encode(told) == compact(raw("deal.json", "told_by_the_platform"))


def test_a_contact_is_read_and_said_as_the_guide_writes_it() -> None:
    change = ContactChange(
        WHO,
        "john@example.com",
        {"first_name": "John", "last_name": "Doe", "phone_number": "+1234567890"},
        {"favourite_colour": "blue"},
    )
    sent = body.decode_object(raw("contact.json", "said_by_the_shop"))
    assert contacts.decode_change(sent) == change
    assert body.encode(contacts.encode_change(change)) == compact(
        raw("contact.json", "said_by_the_shop")
    )


def test_a_contact_is_told_to_the_byte() -> None:
    contact = Contact(
        4,
        "ngze13ffndcv",
        AT,
        AT,
        WHO,
        "john@example.com",
        {"first_name": "John", "last_name": "Doe", "phone_number": "+1234567890"},
        {"favourite_colour": "blue"},
    )
    assert body.encode(contacts.encode(contact)) == compact(
        raw("contact.json", "told_by_the_platform")
    )


def test_a_product_event_is_read_and_said() -> None:
    event = NewProductEvent(
        "purchase",
        user_custom_id="8b1a9953",
        at=AT,
        custom_data={"order_id": "ORD-78523"},
        details={"name": "Headphones", "price": Decimal("129.90")},
        attributes={"colour": "black"},
    )
    text = raw("events.json", "product_event")
    assert products.decode_event(body.decode_object(text)) == event
    assert body.encode(products.encode_event_request(event)) == compact(text)


def test_what_old_clients_send_with_a_product_event_is_tolerated() -> None:
    sent = body.decode_object(raw("events.json", "product_event_of_old_clients"))
    assert products.decode_event(sent) == NewProductEvent(
        "add to cart", user_custom_id="17", at=AT, details={"name": "Headphones"}
    )


def test_an_event_is_read_said_and_told() -> None:
    text = raw("events.json", "event")
    data = {
        "order_id": "ORD-78523",
        "value": Decimal("149.90"),
        "currency": "USD",
        "items_count": 2,
    }
    event = NewEvent("purchase_completed", AT, data)
    assert events.decode_event(body.decode_object(text)) == event
    assert body.encode(events.encode_event_request(event)) == compact(text)
    assert events.encode(Event(5, event.name, 4, WON_AT, data)) == {
        "id": 5,
        "user_id": 4,
        "name": "purchase_completed",
        "timestamp": "2026-01-02T03:04:05.678900Z",
        "data": data,
    }
