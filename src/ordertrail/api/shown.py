"""Things as the caller's version of the API shows them."""

from collections.abc import Callable
from typing import Any

from ordertrail.actions import attributes
from ordertrail.actions.deals import ReadDeal
from ordertrail.api.call import Call
from ordertrail.domain.attribute import ContentType
from ordertrail.domain.company import Company
from ordertrail.domain.contact import Contact
from ordertrail.kit.database import Reader
from ordertrail.kit.snapshot import Snapshot
from ordertrail.wire import companies as wire_companies
from ordertrail.wire import contacts as wire_contacts
from ordertrail.wire import deals as wire_deals
from ordertrail.wire import version1


def contacts(call: Call, snapshot: Snapshot) -> Callable[[Contact], dict[str, Any]]:
    """Return what shows a contact to the caller."""
    if call.version > 1:
        return wire_contacts.encode
    known = snapshot.once(_definitions, call.workspace_id, ContentType.CONTACT)
    return lambda each: version1.contact(wire_contacts.encode(each), each.attributes, known)


def companies(call: Call, snapshot: Snapshot) -> Callable[[Company], dict[str, Any]]:
    """Return what shows a company to the caller."""
    if call.version > 1:
        return wire_companies.encode
    known = snapshot.once(_definitions, call.workspace_id, ContentType.COMPANY)
    return lambda each: version1.company(wire_companies.encode(each), each.attributes, known)


def deals(call: Call, snapshot: Snapshot) -> Callable[[ReadDeal], dict[str, Any]]:
    """Return what shows a deal to the caller."""
    if call.version > 1:
        return _deal
    known = snapshot.once(_definitions, call.workspace_id, ContentType.DEAL)
    return lambda each: version1.deal(_deal(each), each.deal.attributes, known)


def event(call: Call, encoded: dict[str, Any]) -> dict[str, Any]:
    """Return an event or product event under the names of the caller's version."""
    return encoded if call.version > 1 else version1.event(encoded)


def _deal(each: ReadDeal) -> dict[str, Any]:
    return wire_deals.encode(each.deal, each.custom_ids)


def _definitions(reader: Reader, workspace_id: int, kind: ContentType) -> version1.Definitions:
    return version1.Definitions(kind, attributes.of_type(reader, workspace_id, kind))
