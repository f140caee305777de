"""Calls of the API as values: made from the domain, kept in an outbox, shown as curl."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import msgspec

from ordertrail.domain.contact import ContactChange
from ordertrail.domain.deal import DealChange
from ordertrail.domain.event import NewEvent
from ordertrail.domain.product import NewProductEvent
from ordertrail.wire import body, contacts, deals, events, products

ACCEPT = "*/*; version=2"

_SAFE_IN_IDS = "@=+:"
"""What clients in the field leave as it is in ids of a path."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request: `path` begins with a slash and is percent-encoded, `body` is its JSON."""

    method: str
    path: str
    body: dict[str, Any] = field(default_factory=dict)

    def as_curl(self, url: str) -> str:
        """Return the call as a command for a shell, which reads the token from the environment."""
        parts = [
            f"curl -X {self.method} {shlex.quote(url.rstrip('/') + self.path)}",
            '-H "Authorization: Token $ORDERTRAIL_TOKEN"',
            f'-H "Accept: {ACCEPT}"',
        ]
        if self.body:
            shown = msgspec.json.format(body.encode(self.body), indent=2).decode()
            parts += ['-H "Content-Type: application/json"', f"-d {shlex.quote(shown)}"]
        return " \\\n  ".join(parts)


ABOUT = Call("GET", "/api/ordertrail/v1/about/")
"""Asks who answers; endpoints other than our own platform do not have it."""

BATCH_PATH = "/api/ordertrail/v1/batch/"


def upsert_contact(change: ContactChange) -> Call:
    """Return the call that creates the contact or changes what is said of it."""
    return Call("POST", "/api/public/users/update_or_create/", contacts.encode_change(change))


def upsert_deal(change: DealChange) -> Call:
    """Return the call that creates the deal or changes what is said of it."""
    return Call("POST", "/api/public/deals/update_or_create/", deals.encode_change(change))


def create_product_event(product_custom_id: str, event: NewProductEvent) -> Call:
    """Return the call that says what a contact did with the product."""
    path = f"/api/public/products-by-id/{_in_path(product_custom_id)}/product_event/"
    return Call("POST", path, products.encode_event_request(event))


def create_event(user_custom_id: str, event: NewEvent) -> Call:
    """Return the call that says what the contact did."""
    path = f"/api/public/users-by-id/{_in_path(user_custom_id)}/events/"
    return Call("POST", path, events.encode_event_request(event))


def create_product(custom_id: str, known: Mapping[str, Any]) -> Call:
    """Return the call that creates a product with what is known of it."""
    return Call(
        "POST", "/api/public/products/", {"name": custom_id, **known, "custom_id": custom_id}
    )


def merge_contacts(parent: int, others: Sequence[int]) -> Call:
    """Return the call that merges contacts into one; all are named by the API's own numbers."""
    body = {"parent": parent, "users_list": list(others)}
    return Call("POST", "/api/public/users/merge/", body)


def get_contact(custom_id: str) -> Call:
    """Return the call that reads a contact."""
    return Call("GET", f"/api/public/users-by-id/{_in_path(custom_id)}/")


def get_contact_numbered(number: int) -> Call:
    """Return the call that reads the contact with the API's own number."""
    return Call("GET", f"/api/public/users/{number:d}/")


def get_deal(custom_id: str) -> Call:
    """Return the call that reads a deal with its lines."""
    return Call("GET", f"/api/public/deals-by-id/{_in_path(custom_id)}/")


def list_events(user_custom_id: str) -> Call:
    """Return the call that lists the events of a contact, newest first."""
    return Call("GET", f"/api/public/users-by-id/{_in_path(user_custom_id)}/events/")


def list_product_events(user_custom_id: str) -> Call:
    """Return the call that lists the product events of a contact, newest first."""
    return Call("GET", f"/api/public/users-by-id/{_in_path(user_custom_id)}/product_events/")


def list_stages() -> Call:
    """Return the call that lists the stages of all pipelines."""
    return Call("GET", "/api/public/stages/")


def list_pipelines() -> Call:
    """Return the call that lists the pipelines."""
    return Call("GET", "/api/public/pipelines/")


def _in_path(custom_id: str) -> str:
    return quote(custom_id, safe=_SAFE_IN_IDS)
