"""Finding contacts: one by what it is known by, or a page of those that are alike."""

from collections.abc import Sequence

from ordertrail.actions import filtering
from ordertrail.domain.attribute import ContentType
from ordertrail.domain.contact import Contact, ContactName
from ordertrail.domain.errors import unknown
from ordertrail.domain.filter import Filter
from ordertrail.domain.identity import folded_email
from ordertrail.kit.database import Reader
from ordertrail.kit.paging import Place
from ordertrail.store import contact_filters, contacts

FOUND_MAX = 1_000
"""How many contacts with one e-mail are told at once."""


def page(
    reader: Reader,
    workspace_id: int,
    filters: Sequence[Filter],
    place: Place,
    *,
    with_email: bool | None = None,
) -> filtering.Found[Contact]:
    """Return a page of the contacts that all filters allow, newest first."""
    condition = contact_filters.condition(filters, with_email=with_email)
    listed = contact_filters.page(reader, workspace_id, condition, place)
    standard = contact_filters.COLUMNS
    return filtering.found(reader, workspace_id, ContentType.CONTACT, filters, standard, listed)


def first(reader: Reader, workspace_id: int, filters: Sequence[Filter]) -> Contact:
    """Return the oldest contact that all filters allow, or raise NotFound."""
    found = contact_filters.oldest(reader, workspace_id, contact_filters.condition(filters))
    return oldest([] if found is None else [found])


def by_email(
    reader: Reader, workspace_id: int, email: str, count_max: int = FOUND_MAX
) -> list[Contact]:
    """Return the oldest contacts with this e-mail by id, upper case being lower case."""
    folded = folded_email(email)
    found = contacts.by_emails(reader, workspace_id, [folded] if folded else [], count_max)
    people = {each.id: each for each in found.get(folded, {}).values()}
    return [people[number] for number in sorted(people)]


def oldest(found: Sequence[Contact]) -> Contact:
    """Return the one that was there first, or raise NotFound when there is none."""
    if not found:
        raise unknown("contact", ContactName())
    return min(found, key=lambda contact: contact.id)


def by_user_key(reader: Reader, workspace_id: int, user_key: str) -> Contact:
    """Return the contact with this user key, or raise NotFound."""
    return oldest(list(contacts.by_user_keys(reader, workspace_id, [user_key]).values()))
