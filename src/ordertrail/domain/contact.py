"""A contact: the person behind orders and events."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from ordertrail.domain.absent import ABSENT, Absent
from ordertrail.domain.attribute import merged
from ordertrail.domain.errors import Invalid
from ordertrail.domain.journal import differences
from ordertrail.domain.tag import ContactList, Tag

LENGTHS_MAX = {
    "custom_id": 255,
    "email": 254,
    "first_name": 40,
    "last_name": 40,
    "phone_number": 64,
    "country": 64,
    "region": 64,
    "city": 64,
    "timezone": 64,
}
"""The longest text of each field; what the guide's hosted service keeps, and 255 for ids."""

LENGTH_MAX = 2048
"""The longest text of every other standard field."""

PROFILE = frozenset(
    "first_name last_name phone_number gender status country region city timezone score"
    " unsubscribed notifications first_seen last_seen last_contacted gravatar_url facebook_url"
    " linkedin_url twitter_url google_url assigned_to".split()
)
"""Standard fields of a contact that no rule depends on."""

READ_ONLY = frozenset(
    "id user_key name created_at updated_at page_views last_ip os_type browser browser_language"
    " resolution web_push_subscription most_active_time tags lists companies created".split()
)
"""Standard fields that are told, not set; sent ones are ignored."""


@dataclass(frozen=True, slots=True)
class Membership:
    """A company that a contact is a member of."""

    company_id: int
    name: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Contact:
    """What is known of one person; `profile` holds the standard fields that were ever sent.

    `lists` are those that the contact is on.
    """

    id: int
    user_key: str
    created_at: datetime
    updated_at: datetime
    custom_id: str | None = None
    email: str | None = None
    profile: Mapping[str, Any] = field(default_factory=dict)
    attributes: Mapping[str, Any] = field(default_factory=dict)
    tags: tuple[Tag, ...] = ()
    lists: tuple[ContactList, ...] = ()
    companies: tuple[Membership, ...] = ()

    @property
    def name(self) -> str:
        """First and last name, the e-mail, or the id: something to call the person by."""
        names = (self.profile.get("first_name"), self.profile.get("last_name"))
        return " ".join(filter(None, names)) or self.email or f"Contact {self.id}"


@dataclass(frozen=True, slots=True)
class ContactName:
    """A contact as a request names it; of several names the custom id counts, then the id."""

    id: int | None = None
    custom_id: str | None = None
    user_key: str | None = None


@dataclass(frozen=True, slots=True)
class ContactChange:
    """What a request says about a contact; a field that was not sent is ABSENT or not there."""

    custom_id: str | None = None
    email: str | None | Absent = ABSENT
    profile: Mapping[str, Any] = field(default_factory=dict)
    attributes: Mapping[str, Any] = field(default_factory=dict)


def check(change: ContactChange) -> None:
    """Raise Invalid, naming every field of the change that is too long or not as it must be."""
    wrong = {
        name: f"must have at most {LENGTHS_MAX.get(name, LENGTH_MAX)} characters"
        for name, value in (
            ("custom_id", change.custom_id),
            ("email", change.email),
            *change.profile.items(),
        )
        if isinstance(value, str) and len(value) > LENGTHS_MAX.get(name, LENGTH_MAX)
    }
    if change.custom_id is None and not change.email:
        wrong["custom_id"] = "send custom_id, or at least email: one must tell who this is"
    if isinstance(change.email, str) and change.email and "@" not in change.email:
        wrong["email"] = "must be an e-mail address"
    if wrong:
        raise Invalid(wrong)


def apply(
    contact: Contact, change: ContactChange, at: datetime
) -> tuple[Contact, dict[str, tuple[Any, Any]]]:
    """Return the contact after the change, and what differs; nothing different is no change.

    Raises Invalid when the contact would have too many attributes.
    """
    sent: dict[str, Any] = {}
    if change.custom_id is not None:
        sent["custom_id"] = change.custom_id
    if change.email is not ABSENT:
        sent["email"] = change.email
    identity = differences({"custom_id": contact.custom_id, "email": contact.email}, sent)
    profile = differences(contact.profile, change.profile)
    attributes = differences(contact.attributes, change.attributes)
    changes = identity | profile | attributes
    if not changes:
        return contact, changes
    changed = replace(
        contact,
        custom_id=sent.get("custom_id", contact.custom_id),
        email=sent.get("email", contact.email),
        profile={**contact.profile, **change.profile},
        attributes=merged(contact.attributes, change.attributes),
        updated_at=at,
    )
    return changed, changes
