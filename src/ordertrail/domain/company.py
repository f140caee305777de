"""A company: an organisation that contacts are members of."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from ordertrail.domain import attribute
from ordertrail.domain.errors import Conflict, Invalid
from ordertrail.domain.journal import differences
from ordertrail.domain.tag import Tag

MEMBERS_MAX = 5_000
"""How many members a company may have: all of them are told with it."""

FULL = f"a company has at most {MEMBERS_MAX:,} members"

PHONES_MAX = 20
DESCRIPTION_LENGTH_MAX = 10_000
LENGTHS_MAX = {
    "custom_id": 255,
    "name": 255,
    "email": 254,
    "address": 255,
    "city": 64,
    "region": 64,
    "country": 64,
    "postal_code": 32,
    "size": 64,
    "category": 255,
    "description": DESCRIPTION_LENGTH_MAX,
}
"""The longest text of each field."""

DETAILS = frozenset(
    "email address city region country postal_code phone_numbers size category description".split()
)
"""Standard fields of a company that no rule depends on."""

READ_ONLY = frozenset("id employees created_at updated_at created".split())
"""Standard fields that are told, not set; sent ones are ignored."""


@dataclass(frozen=True, slots=True)
class Company:
    """What is known of one company; `member_ids` are its contacts, in growing order."""

    id: int
    name: str
    created_at: datetime
    updated_at: datetime
    custom_id: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    attributes: Mapping[str, Any] = field(default_factory=dict)
    tags: tuple[Tag, ...] = ()
    member_ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class CompanyName:
    """A company as a request names it; of both names the custom id counts."""

    id: int | None = None
    custom_id: str | None = None


@dataclass(frozen=True, slots=True)
class CompanyChange:
    """What a request says about a company; None, or not there, is what it does not say.

    `tags` are names that it is to bear as well, `dropped` the attributes that it is to lose.
    """

    custom_id: str | None = None
    name: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    attributes: Mapping[str, Any] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()


def apply(
    company: Company, change: CompanyChange, at: datetime
) -> tuple[Company, dict[str, tuple[Any, Any]]]:
    """Return the company after the change, and what differs; nothing different is no change.

    Tags are not looked at. Raises Invalid when the company would have too many attributes.
    """
    sent = {"custom_id": change.custom_id, "name": change.name}
    identity = differences(
        {"custom_id": company.custom_id, "name": company.name},
        {name: value for name, value in sent.items() if value is not None},
    )
    details = differences(company.details, change.details)
    attributes = differences(company.attributes, change.attributes)
    lost = {n: (company.attributes[n], None) for n in change.dropped if n in company.attributes}
    changes = identity | details | attributes | lost
    if not changes:
        return company, changes
    changed = replace(
        company,
        custom_id=change.custom_id or company.custom_id,
        name=change.name or company.name,
        details={**company.details, **change.details},
        attributes=attribute.changed(company.attributes, change.attributes, change.dropped),
        updated_at=at,
    )
    return changed, changes


def is_full(company: Company) -> bool:
    """Tell whether the company has as many members as it may have."""
    return len(company.member_ids) >= MEMBERS_MAX


def with_member(company: Company, contact_id: int, at: datetime) -> Company:
    """Return the company with this member; raises Conflict when it has too many already."""
    if contact_id in company.member_ids:
        return company
    if is_full(company):
        raise Conflict(FULL)
    members = tuple(sorted((*company.member_ids, contact_id)))
    return replace(company, member_ids=members, updated_at=at)


def without_member(company: Company, contact_id: int, at: datetime) -> Company:
    """Return the company without this member."""
    if contact_id not in company.member_ids:
        return company
    members = tuple(each for each in company.member_ids if each != contact_id)
    return replace(company, member_ids=members, updated_at=at)


def is_stub(company: Company) -> bool:
    """Tell whether nothing is known of a company but its id: a member named it first."""
    return company.name == company.custom_id and not company.details and not company.attributes


def check_new(change: CompanyChange) -> None:
    """Raise Invalid unless the change says enough for a company that is not there yet."""
    if change.name is None:
        raise Invalid({"name": "is required: what the company is called"})
