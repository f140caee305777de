"""What stands on a contact's timeline, on the wire."""

from collections.abc import Iterable, Mapping
from typing import Any

from ordertrail.domain.event import Event
from ordertrail.domain.journal import Entry
from ordertrail.domain.product import ProductEvent
from ordertrail.wire import body, events, products


def encode_all(
    happenings: Iterable[Event | ProductEvent | Entry],
    custom_ids: Mapping[int, str],
    *,
    with_type: bool,
) -> list[dict[str, Any]]:
    """Return each as the API shows it; `custom_ids` are those of the products named."""
    encoded = []
    for each in happenings:
        kind, said = _encode(each, custom_ids)
        encoded.append({"type": kind, **said} if with_type else said)
    return encoded


def _encode(
    each: Event | ProductEvent | Entry, custom_ids: Mapping[int, str]
) -> tuple[str, dict[str, Any]]:
    if isinstance(each, Event):
        return "event", events.encode(each)
    if isinstance(each, ProductEvent):
        return "product_event", products.encode_event(each, custom_ids[each.product_id])
    return f"{each.subject}_{each.verb}", {
        "id": each.id,
        "timestamp": body.iso(each.at),
        f"{each.subject}_id": each.subject_id,
        "author": each.author.name,
        "changes": {name: list(values) for name, values in each.changes.items()},
    }
