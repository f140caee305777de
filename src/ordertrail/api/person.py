"""The contact that the path of a call names."""

from ordertrail.actions import contacts
from ordertrail.api.call import Call
from ordertrail.api.route import PUBLIC
from ordertrail.domain.contact import Contact, ContactName
from ordertrail.kit.database import Reader

BOTH = (f"{PUBLIC}/users/{{id}}", f"{PUBLIC}/users-by-id/{{custom_id}}")
"""How a path names a contact: by our own id, and by the shop's."""


def named(call: Call) -> ContactName:
    """Return how the path names the contact."""
    if "custom_id" in call.named:
        return ContactName(custom_id=call.path_text("custom_id"))
    return ContactName(call.path_number("id"))


def found(reader: Reader, call: Call) -> Contact:
    """Return the contact that the path names, or raise NotFound."""
    return contacts.named(reader, call.workspace_id, named(call))
