"""Contacts that say of which company they are."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from ordertrail.actions.company_writing import Writing
from ordertrail.domain import company as rules
from ordertrail.domain.company import CompanyChange
from ordertrail.domain.contact import Contact, Membership
from ordertrail.domain.journal import Author
from ordertrail.kit.committer import Batch
from ordertrail.kit.database import Tx

Changes = dict[str, tuple[Any, Any]]


class Joining:
    """The companies that contacts of one batch say to be of, by the shop's ids of them.

    One that nobody knows is created with its id for a name, so that it may be described later.
    """

    def __init__(self, tx: Tx, batch: Batch[Any], custom_ids: Iterable[str | None]) -> None:
        asked = dict.fromkeys(each for each in custom_ids if each is not None)
        stubs = [CompanyChange(custom_id, name=custom_id) for custom_id in asked]
        self._at = batch.at
        self._writing = Writing(tx, batch, stubs, creating=True) if stubs else None

    def is_news(self, contact: Contact, custom_id: str | None) -> bool:
        """Tell whether the contact is to become a member, and there is room for it."""
        if custom_id is None or self._writing is None:
            return False
        company = self._writing.known.with_custom_id(custom_id)
        if company is None:
            return True
        is_member = company.id in {each.id for each in contact.companies}
        return not is_member and not rules.is_full(company)

    def join(
        self, contact: Contact, custom_id: str | None, author: Author
    ) -> tuple[Contact, Changes, tuple[str, ...]]:
        """Return the contact as a member of the company too, what is different, and warnings.

        A full company takes nobody: the contact stays as it is.
        """
        if custom_id is None or self._writing is None:
            return contact, {}, ()
        company = self._writing.known.with_custom_id(custom_id)
        if company is not None and company.id in {each.id for each in contact.companies}:
            return contact, {}, ()
        if company is not None and rules.is_full(company):
            return contact, {}, (f"company_custom_id: left out: {rules.FULL}",)
        if company is None:
            stub = CompanyChange(custom_id, name=custom_id)
            company = self._writing.create(stub, author).thing
        after = rules.with_member(company, contact.id, self._at)
        self._writing.put(company, after, {"employees": (None, contact.id)}, author)
        membership = Membership(company.id, company.name, self._at)
        joined = tuple(sorted((*contact.companies, membership), key=lambda each: each.id))
        told = [each.name for each in contact.companies], [each.name for each in joined]
        changed = replace(contact, companies=joined, updated_at=self._at)
        return changed, {"companies": told}, ()

    def write(self, tx: Tx) -> None:
        """Write the companies, and who is a member; the contacts have to be there."""
        if self._writing is not None:
            self._writing.write(tx)
