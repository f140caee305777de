"""A contact: the person behind orders and events."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, TypeVar

from ordertrail.domain.absent import ABSENT, Absent
from ordertrail.domain.attribute import check_count, merged
from ordertrail.domain.errors import Conflict, Invalid
from ordertrail.domain.identity import folded_email
from ordertrail.domain.journal import differences, took_in
from ordertrail.domain.tag import ContactList, Tag

LENGTHS_MAX = {
    "custom_id": 255,
    "user_key": 255,
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

MERGED_ATTRIBUTES_MAX = 5_000
"""How many attributes contacts may have together that become one."""

PROFILE = frozenset(
    "first_name last_name phone_number gender status country region city timezone score"
    " unsubscribed notifications first_seen last_seen last_contacted gravatar_url facebook_url"
    " linkedin_url twitter_url google_url assigned_to".split()
)
"""Standard fields of a contact that no rule depends on."""

WORDS = {"gender": ("unknown", "male", "female"), "status": ("visitor", "user")}
"""What the numbers from 1 on stand for, by field."""

READ_ONLY = frozenset(
    "id name created_at updated_at page_views last_ip os_type browser browser_language"
    " resolution web_push_subscription most_active_time lists companies created".split()
)
"""Standard fields that are told, not set; sent ones are ignored."""


@dataclass(frozen=True, slots=True)
class Membership:
    """A company that a contact is a member of."""

    company_id: int
    name: str
    since: datetime

    @property
    def id(self) -> int:
        """The company's id."""
        return self.company_id


T = TypeVar("T", Tag, ContactList, Membership)


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
    """What a request says about a contact; a field that was not sent is ABSENT or not there.

    `tags` are names that it is to bear as well, `dropped` the attributes that it is to lose, and
    `company_custom_id` is the shop's id of a company that it is to be a member of.
    """

    custom_id: str | None = None
    email: str | None | Absent = ABSENT
    profile: Mapping[str, Any] = field(default_factory=dict)
    attributes: Mapping[str, Any] = field(default_factory=dict)
    user_key: str | None = None
    tags: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    company_custom_id: str | None = None


def check(change: ContactChange, *, is_known: bool = False) -> None:
    """Raise Invalid, naming every field of the change that is too long or not as it must be.

    Unless the contact `is_known` already, the change has to tell who it is.
    """
    wrong = faults(change)
    if not is_known and change.custom_id is None and not change.email:
        wrong["custom_id"] = "send custom_id, or at least email: one must tell who this is"
    if wrong:
        raise Invalid(wrong)


def faults(change: ContactChange) -> dict[str, str]:
    """Return what is too long of a change, or not as it must be, by field."""
    wrong = {
        name: f"must have at most {LENGTHS_MAX.get(name, LENGTH_MAX)} characters"
        for name, value in (
            ("custom_id", change.custom_id),
            ("email", change.email),
            *change.profile.items(),
        )
        if isinstance(value, str) and len(value) > LENGTHS_MAX.get(name, LENGTH_MAX)
    }
    if isinstance(change.email, str) and change.email and "@" not in change.email:
        wrong["email"] = "must be an e-mail address"
    return wrong


def without_alias(
    contact: Contact, change: ContactChange, *, is_alias: bool = False
) -> ContactChange:
    """Return what a change that found this contact by its identity says of it.

    What it was found by may be that of a contact that was merged into it: then the contact keeps
    its own custom id and e-mail, and other names of one person do not take turns. One whose e-mail
    was taken away gets none by which it was found, nor one that `is_alias`: a merged contact's.
    """
    if change.custom_id is None:
        is_own = _is_email(change.email, contact.email)
    else:
        is_own = contact.custom_id in (None, change.custom_id)
    if is_own:
        return change
    keeps_email = change.custom_id is None or contact.email or is_alias
    return replace(change, custom_id=None, email=ABSENT if keeps_email else change.email)


def _is_email(one: str | None | Absent, other: str | None) -> bool:
    return isinstance(one, str) and folded_email(one) == folded_email(other or "")


def apply(
    contact: Contact, change: ContactChange, at: datetime
) -> tuple[Contact, dict[str, tuple[Any, Any]]]:
    """Return the contact after the change, and what differs; nothing different is no change.

    Tags are not looked at. Raises Invalid when the contact would have too many attributes.
    """
    changed, changes = _applied(contact, change, at)
    check_count(contact.attributes, changed.attributes)
    return changed, changes


def _applied(
    contact: Contact, change: ContactChange, at: datetime
) -> tuple[Contact, dict[str, tuple[Any, Any]]]:
    sent: dict[str, Any] = {}
    if change.custom_id is not None:
        sent["custom_id"] = change.custom_id
    if change.user_key is not None:
        sent["user_key"] = change.user_key
    if change.email is not ABSENT:
        sent["email"] = change.email
    had = {"custom_id": contact.custom_id, "email": contact.email, "user_key": contact.user_key}
    identity = differences(had, sent)
    profile = differences(contact.profile, change.profile)
    attributes = differences(contact.attributes, change.attributes)
    lost = {n: (contact.attributes[n], None) for n in change.dropped if n in contact.attributes}
    changes = identity | profile | attributes | lost
    if not changes:
        return contact, changes
    changed = replace(
        contact,
        custom_id=sent.get("custom_id", contact.custom_id),
        email=sent.get("email", contact.email),
        user_key=sent.get("user_key", contact.user_key),
        profile={**contact.profile, **change.profile},
        attributes=merged(contact.attributes, change.attributes, change.dropped),
        updated_at=at,
    )
    return changed, changes


def merge(
    parent: Contact, others: Sequence[Contact], at: datetime
) -> tuple[Contact, dict[str, tuple[Any, Any]]]:
    """Return the parent with what it lacked and others have, and what of it differs.

    Its own values win, then those of the lowest id. Attributes, tags, lists and companies are all
    kept, also when that is more than one contact may be given; raises Conflict when it is far more.
    """
    older_first = sorted(others, key=lambda each: each.id)
    everybody = [parent, *older_first]
    profile = _first_known([each.profile for each in everybody])
    attributes = _first_known([each.attributes for each in everybody])
    if len(attributes) > max(MERGED_ATTRIBUTES_MAX, len(parent.attributes)):
        raise Conflict(f"the contact would have more than {MERGED_ATTRIBUTES_MAX:,} attributes")
    change = ContactChange(
        custom_id=next((each.custom_id for each in everybody if each.custom_id), None),
        email=next((each.email for each in everybody if each.email), ABSENT),
        profile=profile,
        attributes=attributes,
    )
    changed, changes = _applied(parent, change, at)
    changed = replace(
        changed,
        tags=_union([each.tags for each in everybody]),
        lists=_union([each.lists for each in everybody]),
        companies=_union([each.companies for each in everybody]),
        updated_at=at,
    )
    return changed, changes | took_in([each.id for each in older_first])


def _first_known(mappings: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Of each name the first value that is one; the first mapping's names come first."""
    found: dict[str, Any] = dict(mappings[0])
    for mapping in mappings[1:]:
        for name, value in mapping.items():
            if found.get(name) is None:
                found[name] = value
    return found


def _union(groups: Sequence[tuple[T, ...]]) -> tuple[T, ...]:
    """All of them by id, each once: the first that has the id."""
    found: dict[int, T] = {}
    for each in (each for group in groups for each in group):
        found.setdefault(each.id, each)
    return tuple(found[number] for number in sorted(found))
