"""Where the description of the API lists what a field may be, it lists what is taken."""

from collections.abc import Callable
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest

from ordertrail.domain.attribute import ValueType
from ordertrail.domain.deal import Status
from ordertrail.domain.errors import Invalid
from ordertrail.domain.product import EVENT_TYPES
from ordertrail.wire import attributes, contacts, deals, products

READERS: dict[str, tuple[Any, Callable[[Any], object]]] = {
    "gender": (contacts.ContactSent, lambda said: contacts.decode_change({"gender": said})),
    "status": (contacts.ContactSent, lambda said: contacts.decode_change({"status": said})),
    "content_type": (attributes.AttributeSent, lambda said: define(content_type=said)),
    "value_type": (attributes.AttributeSent, lambda said: define(value_type=said)),
    "event_type": (
        products.ProductEventSent,
        lambda said: products.decode_event({"event_type": said, "user_custom_id": "A"}),
    ),
}


def define(**said: object) -> object:
    wanted = {"name": "Colour", "content_type": "deal", "value_type": "string", "choices": ["S"]}
    return attributes.decode(wanted | said)


def listed(shape: Any, field: str) -> tuple[Any, ...]:
    hint = get_type_hints(shape)[field]
    closed = [each for each in (hint, *get_args(hint)) if get_origin(each) is Literal]
    return get_args(closed[0])


@pytest.mark.parametrize("field", READERS)
def test_everything_listed_is_taken_and_nothing_else(field: str) -> None:
    shape, read = READERS[field]
    for said in listed(shape, field):
        assert read(said)
    for other in ("something else", 0, 4):
        with pytest.raises(Invalid) as refused:
            read(other)
        assert refused.value.fields.keys() == {field}


def test_nothing_that_is_taken_is_left_out() -> None:
    assert listed(products.ProductEventSent, "event_type") == EVENT_TYPES
    assert set(listed(attributes.AttributeSent, "value_type")) == set(ValueType)
    assert listed(deals.DealSent, "status") == tuple(Status)
