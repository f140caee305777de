"""The contact that the path of a call names."""

from ordertrail.actions import contacts
from ordertrail.api.call import Call
from ordertrail.api.route import PUBLIC
from ordertrail.domain.contact import Contact, ContactName
from ordertrail.kit.database import Reader

BOTH = (f"{PUBLIC}/users/{{id}}", f"{PUBLIC}/users-by-id/{{custom_id}}")
"""How a path names a contact: by our own id, and by the shop's."""


def found(reader: Reader, call: Call) -> Contact:
    """Return the contact that the path names, or raise NotFound."""
    return contacts.named(reader, call.workspace_id, call.name(ContactName))
