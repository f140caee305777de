"""Contacts ("users") on the wire."""

from decimal import Decimal
from typing import Any, Literal, TypedDict

from ordertrail.domain import contact as rules
from ordertrail.domain.absent import ABSENT
from ordertrail.domain.attribute import standard_name
from ordertrail.domain.contact import (
    PROFILE,
    READ_ONLY,
    WORDS,
    Contact,
    ContactChange,
)
from ordertrail.domain.errors import Invalid
from ordertrail.wire import body, tags
from ordertrail.wire.shapes import Time
from ordertrail.wire.tags import TagShown

_COMPANY = "company_custom_id"
FIELDS = PROFILE | READ_ONLY | {"custom_id", "email", "phone", "tags", "user_key", _COMPANY}
"""Every standard field of a contact, by the names that requests may use."""

DATES = ("first_seen", "last_seen", "last_contacted", "created_at", "updated_at")
"""The fields that a list may be limited to a range of."""

_UNSAID: dict[str, Any] = {
    "gender": "unknown",
    "score": 0,
    "unsubscribed": False,
    "notifications": True,
    "page_views": 0,
    "web_push_subscription": False,
}
"""What clients in the field read of every contact, and what it is while nobody has said it."""

_SHOWN = ("first_name", "last_name", "phone_number", "country", "region", "city")


class ListShown(TypedDict):
    """A list of contacts."""

    id: int
    name: str


class MembershipShown(TypedDict):
    """A company that a contact is a member of."""

    id: int
    name: str
    member_since: str


class ContactShown(TypedDict):
    """A contact as the API shows it; attributes stand beside these fields."""

    id: int
    user_key: str
    custom_id: str | None
    email: str | None
    name: str | None
    first_name: str | None
    last_name: str | None
    phone_number: str | None
    phone: str | None
    country: str | None
    region: str | None
    city: str | None
    gender: str
    status: str
    score: int
    unsubscribed: bool
    notifications: bool
    page_views: int
    web_push_subscription: bool
    created_at: str
    updated_at: str
    tags: list[TagShown]
    lists: list[ListShown]
    companies: list[MembershipShown]


class ContactSent(TypedDict, total=False):
    """What may be said of a contact; any other name is an attribute.

    `tags` are put on it besides those that it bears; `gender` and `status` are a word or its
    number.
    """

    custom_id: str | int | None
    user_key: str | None
    email: str | None
    tags: list[str] | None
    first_name: str | None
    last_name: str | None
    phone_number: str | None
    phone: str | None
    gender: Literal[1, 2, 3, "unknown", "male", "female"] | None
    status: Literal[1, 2, "visitor", "user"] | None
    country: str | None
    region: str | None
    city: str | None
    timezone: str | None
    score: int | str | None
    unsubscribed: bool | str | None
    notifications: bool | str | None
    first_seen: Time | None
    last_seen: Time | None
    last_contacted: Time | None
    gravatar_url: str | None
    facebook_url: str | None
    linkedin_url: str | None
    twitter_url: str | None
    google_url: str | None
    assigned_to: int | str | None
    company_custom_id: str | int | None


class UpsertedShown(TypedDict):
    """Whether a thing was created, and its id."""

    created: bool
    id: int


def warnings(sent: dict[str, Any]) -> list[str]:
    """Return warnings about what a request says of a contact and is not taken so."""
    return body.unnoticed(sent, FIELDS, READ_ONLY)


def field_name(name: str) -> str:
    """Return the name under which a field is shown, by the one under which it was sent."""
    return name if name in FIELDS else standard_name(name)


def decode_change(sent: dict[str, Any]) -> ContactChange:
    """Read what a request says about a contact; the guide's `phone` is `phone_number`.

    Raises Invalid naming all that is wrong.
    """
    sent = body.under_known_names(sent, FIELDS)
    known, wrong = body.sorted_out(sent, _READERS)
    profile: dict[str, Any] = {}
    attributes: dict[str, Any] = {}
    for name, value in sent.items():
        field = "phone_number" if name == "phone" else name
        if field in PROFILE:
            profile[field] = known.get(name)
        elif field not in FIELDS:
            attributes[field] = value
    change = ContactChange(
        custom_id=known.get("custom_id"),
        email=known.get("email", ABSENT),
        profile=profile,
        attributes=attributes,
        user_key=known.get("user_key"),
        tags=known.get("tags", ()),
        company_custom_id=known.get(_COMPANY),
    )
    if wrong:
        raise Invalid({**rules.faults(change), **wrong})
    return change


def encode_change(change: ContactChange) -> dict[str, Any]:
    """Return the request body that says the change; what is absent is not in it."""
    identity: dict[str, Any] = {"custom_id": change.custom_id}
    if change.email is not ABSENT:
        identity["email"] = change.email or ""
    profile = {
        "phone" if name == "phone_number" else name: value for name, value in change.profile.items()
    }
    if change.user_key is not None:
        identity["user_key"] = change.user_key
    if change.company_custom_id is not None:
        identity[_COMPANY] = change.company_custom_id
    if change.tags:
        identity["tags"] = list(change.tags)
    return {**identity, **profile, **change.attributes}


def encode(contact: Contact) -> dict[str, Any]:
    """Return a contact as the API shows it, custom attributes flattened."""
    status = "user" if contact.email else "visitor"
    profile = {**dict.fromkeys(_SHOWN), **_UNSAID, "status": status, **contact.profile}
    names = (profile["first_name"], profile["last_name"])
    return {
        **contact.attributes,
        "id": contact.id,
        "user_key": contact.user_key,
        "custom_id": contact.custom_id,
        "email": contact.email,
        "name": " ".join(name for name in names if name) or None,
        **profile,
        "phone": profile["phone_number"],
        "created_at": body.iso(contact.created_at),
        "updated_at": body.iso(contact.updated_at),
        "tags": tags.encode(contact.tags),
        "lists": [{"id": each.id, "name": each.name} for each in contact.lists],
        "companies": [
            {"id": each.company_id, "name": each.name, "member_since": body.iso(each.since)}
            for each in contact.companies
        ],
    }


def _email(field: str, value: object) -> str | None:
    """An empty text takes the e-mail away; null is sent by shops that do not know it."""
    if not isinstance(value, str):
        raise Invalid({field: "must be an e-mail address"})
    return value or None


def _if_any(field: str, value: object) -> str | None:
    return None if value == "" else body.identifier(field, value)


def _profile(field: str, value: object) -> object:
    if field in WORDS:
        return _word(field, value)
    if field in _FLAGS:
        return body.flag(field, value)
    if field in _NUMBERS:
        return body.whole(field, value)
    if field in _MOMENTS:
        return body.iso(body.moment(field, value))
    if isinstance(value, bool | Decimal | dict | list):
        raise Invalid({field: "must be text"})
    return str(value)


def _word(field: str, value: object) -> str:
    """The API writes a number and reads a word; either is taken."""
    words = WORDS[field]
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= len(words):
        return words[value - 1]
    if value in words:
        return str(value)
    said = ", ".join(f"{number} {word}" for number, word in enumerate(words, 1))
    raise Invalid({field: f"must be one of: {said}"})


_FLAGS = frozenset({"unsubscribed", "notifications"})
_NUMBERS = frozenset({"score", "assigned_to"})
_MOMENTS = frozenset({"first_seen", "last_seen", "last_contacted"})
_READERS: dict[str, body.Read] = {
    **dict.fromkeys(PROFILE | {"phone"}, _profile),
    "custom_id": body.identifier,
    "email": _email,
    "user_key": _if_any,
    "tags": lambda _field, value: tags.decode_all(value),
    _COMPANY: _if_any,
}
