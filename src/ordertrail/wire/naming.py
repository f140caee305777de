"""How requests name a contact: by the shop's id, by our own, or by the key of its browser."""

from collections.abc import Mapping
from typing import Any, TypedDict

from ordertrail.domain.contact import ContactName
from ordertrail.domain.errors import Invalid
from ordertrail.wire import body


class ContactNamed(TypedDict, total=False):
    """Whom a request is about: one of the three; the first of them that is sent counts."""

    user_custom_id: str | int | None
    user_id: int | str | None
    user_key: str | None


def read(sent: Mapping[str, Any]) -> ContactName:
    """Return whom the body of a request names, or raise Invalid for nobody."""
    return contact_name(body.fields(sent, READERS))


def contact_name(known: Mapping[str, Any]) -> ContactName:
    """Return whom the fields that were read name, or raise Invalid for nobody."""
    name = ContactName(known.get("user_id"), known.get("user_custom_id"), known.get("user_key"))
    if name == ContactName():
        raise Invalid({"user_custom_id": "send user_custom_id, user_id or user_key"})
    return name


def _user_key(_field: str, value: object) -> str | None:
    """Shops send what the cookie holds, which may be nothing: that names nobody."""
    is_key = isinstance(value, str) and value.strip() and len(value) <= body.ID_LENGTH_MAX
    return str(value) if is_key else None


READERS: dict[str, body.Read] = {
    "user_id": body.whole,
    "user_custom_id": body.identifier,
    "user_key": _user_key,
}
