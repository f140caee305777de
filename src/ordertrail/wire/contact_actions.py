"""What is done with contacts beside changing their fields, on the wire."""

from typing import Any, Required, TypedDict

from ordertrail.domain.absent import ABSENT
from ordertrail.domain.contact import READ_ONLY, ContactChange
from ordertrail.domain.errors import Invalid
from ordertrail.wire import body, contacts, one_field

MERGED_MAX = 1_000
MANY_MAX = 1_000
_FIXED = frozenset({"custom_id", "user_key", "tags"}) | READ_ONLY
"""Standard fields that many contacts cannot be given alike, or one cannot be without."""


class MergeSent(TypedDict, total=False):
    """Contacts that become one with the parent; the list goes by either name."""

    parent: Required[int | str]
    users_list: list[int]
    user_list: list[int]


class MergedShown(TypedDict):
    """That the contacts are one now."""

    success: bool


class ListNamed(TypedDict):
    """The id of a list."""

    list: int | str


class ListIdShown(TypedDict):
    """The id of the list."""

    id: int


class ManySent(TypedDict):
    """Contacts, a standard field of them, and what it becomes."""

    ids: list[int]
    attribute: str
    value: Any


class ManyCustomSent(ManySent):
    """Contacts, an attribute of them, and what it becomes."""


class StatusShown(TypedDict):
    """That it was done."""

    status: str


def decode_merge(sent: dict[str, Any]) -> tuple[int, tuple[int, ...]]:
    """Read the id of the parent, and those of the contacts that become it."""
    readers: dict[str, body.Read] = {
        "parent": body.whole,
        "users_list": body.many(body.whole, MERGED_MAX),
        "user_list": body.many(body.whole, MERGED_MAX),
    }
    known = body.fields(sent, readers)
    known.setdefault("users_list", known.get("user_list"))
    body.require(
        known,
        {
            "parent": "the id of the contact that stays",
            "users_list": "the ids of those that become one with it",
        },
    )
    return known["parent"], known["users_list"]


def decode_removal(sent: dict[str, Any]) -> ContactChange:
    """Return the change that a field is cleared by."""
    name = one_field.decode_name(sent)
    change = contacts.decode_change({name: "" if contacts.field_name(name) == "email" else None})
    if not change.attributes and not change.profile and change.email is ABSENT:
        raise Invalid({"attribute": "no contact can be without it"})
    return ContactChange(
        email=change.email, profile=change.profile, dropped=tuple(change.attributes)
    )


def decode_many(sent: dict[str, Any], *, standard: bool) -> tuple[tuple[int, ...], ContactChange]:
    """Read the ids of contacts, and the change of one field that is standard, or that is not."""
    known = body.fields(sent, {"ids": body.many(body.whole, MANY_MAX)})
    body.require(known, {"ids": "the ids of contacts"})
    said = one_field.decode(sent)
    change = contacts.decode_change(said)
    name = next(iter(said))
    is_standard = not change.attributes
    if is_standard is not standard:
        other = "custom" if standard else "standard"
        raise Invalid({"attribute": f"use users/mass_update_{other}_attributes/ for this one"})
    if contacts.field_name(name) in _FIXED:
        raise Invalid({"attribute": "cannot be the same of several contacts"})
    return known["ids"], change


def decode_list(sent: dict[str, Any]) -> int:
    """Read the id of a list."""
    known = body.fields(sent, {"list": body.whole})
    body.require(known, {"list": "the id of a list"})
    return int(known["list"])
