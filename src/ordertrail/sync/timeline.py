"""The timeline of a contact: whether an event stands there that may have been created before."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from ordertrail.client import calls
from ordertrail.client.calls import Call
from ordertrail.domain.errors import Unavailable
from ordertrail.sync.operations import Kind, Leased

IDENTIFYING = ("order_id", "product_custom_id", "refund_id")
"""What of an event's data tells which order it belongs to."""

PAGES_MAX = 50
"""A timeline is read so far; what may stand behind that cannot be told."""


def listing(operation: Leased) -> Call:
    """Return the call that lists what the event would stand among."""
    if operation.kind is Kind.CONVERSION:
        return calls.list_events(named(operation))
    return calls.list_product_events(operation.call.body["user_custom_id"])


def named(operation: Leased) -> str:
    """Return the id in an event's path: of the contact, or of the product of a product event."""
    return unquote(operation.path.split("/")[4])


class Search:
    """Looks for one event, a page at a time.

    It never ends before the last page. No endpoint promises by what it sorts a timeline, and one
    that is sorted by when events were created looks as if it was sorted by their times for as long
    as those happen to agree: after a back-fill, for many pages.
    """

    def __init__(self, operation: Leased) -> None:
        body = operation.call.body
        self._is_product_event = operation.kind is Kind.PRODUCT_EVENT
        self._name = body["event_type"] if self._is_product_event else body["name"]
        data = body.get("data") or {}
        self._data = _identity(data.get("custom_data") if self._is_product_event else data)
        self._at = _moment(body.get("timestamp"))

    def is_found(self, items: Sequence[Mapping[str, Any]]) -> bool:
        """Whether the event is on this page."""
        return any(self._is_it(item) for item in items)

    def _is_it(self, item: Mapping[str, Any]) -> bool:
        at = _moment(item.get("timestamp"))
        name = item.get("event_type") if self._is_product_event else item.get("name")
        if name != self._name or (self._at is not None and at != self._at):
            return False
        data = item.get("custom_data" if self._is_product_event else "data")
        return _identity(data) == self._data


def page(said: object) -> tuple[list[Mapping[str, Any]], str | None]:
    """Return the items of a page and the path of the next one; raises Unavailable for no page."""
    found = said.get("results") if isinstance(said, Mapping) else said
    if not isinstance(found, list):
        raise Unavailable("the timeline is not a list")
    further = said.get("next") if isinstance(said, Mapping) else None
    items = [item for item in found if isinstance(item, Mapping)]
    return items, further if isinstance(further, str) and further else None


def _identity(data: object) -> tuple[str | None, ...]:
    """Return what identifies the event, as text: an endpoint may keep numbers as texts."""
    said = data if isinstance(data, Mapping) else {}
    values = [said.get(name) for name in IDENTIFYING]
    return tuple(None if value is None else str(value) for value in values)


def _moment(told: object) -> datetime | None:
    """Return the second that a timestamp means: a text, or seconds since 1970."""
    try:
        if isinstance(told, str):
            at = datetime.fromisoformat(told)
            at = at if at.tzinfo else at.replace(tzinfo=UTC)
        elif isinstance(told, int | float) and not isinstance(told, bool):
            at = datetime.fromtimestamp(told, UTC)
        else:
            return None
    except (ValueError, OverflowError, OSError):
        return None
    return at.astimezone(UTC).replace(microsecond=0)
