"""Whether an event stands on a timeline, whatever an endpoint makes of it."""

from datetime import UTC, datetime
from typing import Any

import pytest

from ordertrail.client.calls import create_event, create_product_event
from ordertrail.domain.event import NewEvent
from ordertrail.domain.journal import Origin
from ordertrail.domain.product import NewProductEvent
from ordertrail.kit import json
from ordertrail.sync import timeline
from ordertrail.sync.operations import Kind, Leased
from ordertrail.sync.timeline import Search

AT = datetime(2026, 3, 1, 10, 0, 7, tzinfo=UTC)
DATA = {"order_id": "O1", "value": 12}
CUSTOM = {"order_id": "O1", "product_custom_id": "S 1", "quantity": 2, "refund_id": "R1"}


def conversion(at: datetime | None = AT) -> Leased:
    call = create_event("j@x.com", NewEvent("purchase_completed", at, DATA))
    return leased(Kind.CONVERSION, call.path, call.body)


def product_event() -> Leased:
    event = NewProductEvent("return", user_custom_id="j@x.com", at=AT, custom_data=CUSTOM)
    call = create_product_event("S 1", event)
    return leased(Kind.PRODUCT_EVENT, call.path, call.body)


def leased(kind: Kind, path: str, body: dict[str, Any]) -> Leased:
    return Leased(
        1, "k", "j@x.com", "shop", "O1", 1, kind, "POST", path, json.dumps(body), Origin.LIVE
    )


def shown(**other: Any) -> dict[str, Any]:
    said = {"name": "purchase_completed", "timestamp": "2026-03-01T10:00:07.000000Z"}
    return {**said, "data": {"order_id": "O1", "value": "12"}, **other}


@pytest.mark.parametrize(
    ("item", "is_it"),
    [
        (shown(), True),
        (shown(timestamp="2026-03-01T11:00:07.9+01:00"), True),
        (shown(timestamp="2026-03-01T10:00:07"), True),
        (shown(timestamp=int(AT.timestamp())), True),
        (shown(data={"order_id": "O1", "more": 1}), True),
        (shown(timestamp="2026-03-01T10:00:08Z"), False),
        (shown(timestamp="soon"), False),
        (shown(timestamp=10**30), False),
        (shown(name="other"), False),
        (shown(data={"order_id": "O2"}), False),
        (shown(data={"order_id": "O1", "refund_id": "R1"}), False),
        (shown(data=None), False),
        ({}, False),
    ],
)
def test_an_event_is_known_by_its_name_its_second_and_its_order(
    item: dict[str, Any], is_it: bool
) -> None:
    assert Search(conversion()).is_found([shown(name="x"), item]) is is_it


def test_a_product_event_is_known_by_its_product_and_refund_too() -> None:
    item = {"event_type": "return", "timestamp": "2026-03-01T10:00:07Z", "custom_data": CUSTOM}
    search = Search(product_event())
    assert search.is_found([item])
    for name in ("order_id", "product_custom_id", "refund_id"):
        other = {**item, "custom_data": {**CUSTOM, name: "other"}}
        assert not search.is_found([other])


def test_an_event_without_a_time_is_known_by_the_rest() -> None:
    assert Search(conversion(at=None)).is_found([shown(timestamp="2020-01-01T00:00:00Z")])


def test_a_timeline_is_asked_for_by_the_contact() -> None:
    assert timeline.listing(conversion()).path == "/api/public/users-by-id/j@x.com/events/"
    listing = timeline.listing(product_event())
    assert listing.path == "/api/public/users-by-id/j@x.com/product_events/"
    assert timeline.named(product_event()) == "S 1"


def test_what_is_no_event_on_a_page_is_passed_over() -> None:
    search = Search(conversion())
    assert not search.is_found([5, None, [], {}])
    assert search.is_found([5, {}, shown()])
