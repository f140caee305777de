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


class Joining:
    """The companies that contacts of one batch say to be of, by the shop's ids of them.

    One that nobody knows is created with its id for a name, so that it may be described later.
    """

    def __init__(self, tx: Tx, batch: Batch[Any], custom_ids: Iterable[str | None]) -> None:
        asked = dict.fromkeys(each for each in custom_ids if each is not None)
        stubs = [CompanyChange(custom_id, name=custom_id) for custom_id in asked]
        self._at = batch.at
        self._writing = Writing(tx, batch, stubs, creating=True) if stubs else None

    def is_member(self, contact: Contact, custom_id: str | None) -> bool:
        """Tell whether the contact is of the company, or of none if none is named."""
        if custom_id is None or self._writing is None:
            return True
        company = self._writing.known.with_custom_id(custom_id)
        return company is not None and company.id in {each.id for each in contact.companies}

    def join(self, contact: Contact, custom_id: str | None, author: Author) -> Contact:
        """Return the contact as a member of the company too; raises Conflict if it is full."""
        if custom_id is None or self._writing is None or self.is_member(contact, custom_id):
            return contact
        company = self._writing.known.with_custom_id(custom_id)
        if company is None:
            stub = CompanyChange(custom_id, name=custom_id)
            company = self._writing.create(stub, author).company
        after = rules.with_member(company, contact.id, self._at)
        told = {"employees": (None, contact.id)}
        self._writing.put(company, after, told, author, contact_id=contact.id)
        membership = Membership(company.id, company.name, self._at)
        joined = sorted((*contact.companies, membership), key=lambda each: each.id)
        return replace(contact, companies=tuple(joined))

    def write(self, tx: Tx) -> None:
        """Write the companies, and who is a member; the contacts have to be there."""
        if self._writing is not None:
            self._writing.write(tx)
