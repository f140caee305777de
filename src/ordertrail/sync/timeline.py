"""The timeline of a contact: whether an event stands there that may have been created before."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from ordertrail.client import answers, calls
from ordertrail.client.calls import Call
from ordertrail.sync.happened import Happened
from ordertrail.sync.operations import Kind, Leased

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
        said = operation.call.body
        data = said.get("data") or {}
        if operation.kind is Kind.PRODUCT_EVENT:
            self._read = Happened.product_event
            self._wanted = Happened.of(said["event_type"], data.get("custom_data"))
        else:
            self._read = Happened.event
            self._wanted = Happened.of(said["name"], data)
        self._at = _second(said.get("timestamp"))

    def is_found(self, page: Sequence[object]) -> bool:
        """Whether the event is on this page."""
        return any(isinstance(item, Mapping) and self._is_it(item) for item in page)

    def _is_it(self, item: Mapping[str, Any]) -> bool:
        if self._read(item) != self._wanted:
            return False
        return self._at is None or _second(item.get("timestamp")) == self._at


def _second(told: object) -> datetime | None:
    """Return the second that a timestamp means, as precise as every endpoint keeps it."""
    at = answers.moment(told)
    return None if at is None else at.replace(microsecond=0)
