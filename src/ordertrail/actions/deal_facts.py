"""What a batch of changes of deals needs to know: each thing asked for once, for all of them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ordertrail.actions.attribute_settling import Settling
from ordertrail.actions.tagging import Tagging
from ordertrail.domain.absent import ABSENT, Absent
from ordertrail.domain.attribute import ContentType
from ordertrail.domain.contact import ContactName
from ordertrail.domain.deal import Deal, DealChange, DealName
from ordertrail.domain.errors import Invalid, unknown
from ordertrail.domain.journal import Subject
from ordertrail.domain.pipeline import KnownStages
from ordertrail.kit.database import Tx
from ordertrail.store import ahead, companies, contacts, deals, ids, pipelines, products, workspaces

PARTICIPANTS = "participants"
_COMPANY = {"company_id": None, "company_custom_id": None}


class Known:
    """The deals that a batch names, as they are at each point of it, and all around them.

    `names` are those of the deals that have to be there, None for a change that tells its own.
    `product_ids` are those of the products that the changes name by the shop's ids; of them
    `new_products` are not there yet.
    """

    def __init__(
        self,
        tx: Tx,
        workspace_id: int,
        changes: Sequence[DealChange],
        names: Sequence[DealName | None],
    ) -> None:
        deal_keys = {c.custom_id for c in changes if c.custom_id is not None}
        deal_keys |= {n.custom_id for n in names if n is not None and n.custom_id is not None}
        product_keys = dict.fromkeys(key for change in changes for key in change.product_keys())
        contact_keys = {c.user_custom_id for c in changes if c.user_custom_id}
        ahead.of_deals(tx, workspace_id, deal_keys, product_keys, contact_keys)
        self._read_deals(tx, workspace_id, changes, names)
        self._read_products(tx, workspace_id, changes)
        self._read_contacts(tx, workspace_id, changes)
        self._read_companies(tx, workspace_id, changes)
        self.tagging = Tagging(tx, workspace_id, Subject.DEAL, {n for c in changes for n in c.tags})
        self.stages = KnownStages({each.id: each for each in pipelines.stages(tx, workspace_id)})
        workspace = workspaces.one(tx, workspace_id)
        self.currency = workspace.currency
        sent = [change.attributes for change in changes]
        self.settling = Settling(tx, workspace_id, ContentType.DEAL, sent, workspace)

    def named(self, name: DealName) -> Deal | None:
        """Return the deal of this name as it is now."""
        deal_id = name.id if name.custom_id is None else self._ids.get(name.custom_id)
        return None if deal_id is None else self._deals.get(deal_id)

    def keep(self, before: Deal | None, deal: Deal) -> None:
        """Take the deal in, in place of what it was before."""
        self._deals[deal.id] = deal
        if before is not None and before.custom_id not in (None, deal.custom_id):
            del self._ids[before.custom_id or ""]
        if deal.custom_id is not None:
            self._ids[deal.custom_id] = deal.id

    def new_id(self) -> int:
        """Return the id of the next new deal."""
        return next(self._new_ids)

    def settled(self, change: DealChange) -> tuple[DealChange, tuple[str, ...]]:
        """Return the change with its values as they are kept, and warnings.

        Raises Invalid for a participant or a company that is not known.
        """
        attributes, warnings = self.settling.settle(change.attributes)
        if attributes is not change.attributes:
            change = replace(change, attributes=attributes)
        if change.details:
            change = replace(change, details=self._settled_details(change.details))
        return change, warnings

    def contact_id(self, change: DealChange) -> int | None | Absent:
        """Return the id of the contact that the change names, or raise NotFound."""
        if change.user_custom_id is not ABSENT and change.user_custom_id is not None:
            contact_id = self._contact_ids.get(change.user_custom_id)
            if contact_id is None:
                raise unknown("contact", ContactName(custom_id=change.user_custom_id), "user_")
            return contact_id
        if change.user_id is not ABSENT and change.user_id is not None:
            contact_id = self._known_contacts.get(change.user_id)
            if contact_id is None:
                raise unknown("contact", change.user_id, "user_")
            return contact_id
        return ABSENT

    def _settled_details(self, sent: Mapping[str, Any]) -> Mapping[str, Any]:
        details = dict(sent)
        if details.get(PARTICIPANTS):
            details[PARTICIPANTS] = self._participants(details[PARTICIPANTS])
        if details.keys() & _COMPANY.keys():
            details |= self._company(details)
        return details

    def _company(self, details: Mapping[str, Any]) -> dict[str, Any]:
        """Both ids of the company that is named by one of them; null for no company."""
        key, number = details.get("company_custom_id"), details.get("company_id")
        if key is not None:
            number = self._company_ids.get(key)
            if number is None:
                raise Invalid({"company_custom_id": "no company with this custom_id"})
        elif number is None:
            return dict(_COMPANY)
        elif number not in self._company_keys:
            raise Invalid({"company_id": str(unknown("company", number))})
        else:
            key = self._company_keys[number]
        return {"company_id": number, "company_custom_id": key}

    def _participants(self, sent: Collection[int]) -> list[int]:
        missing = next((each for each in sent if each not in self._known_contacts), None)
        if missing is not None:
            raise Invalid({PARTICIPANTS: str(unknown("contact", missing))})
        return list(dict.fromkeys(self._known_contacts[each] for each in sent))

    def _read_deals(
        self,
        tx: Tx,
        workspace_id: int,
        changes: Sequence[DealChange],
        names: Sequence[DealName | None],
    ) -> None:
        """Read every deal that is named, and reserve ids for all that may be new."""
        named = [name for name in names if name is not None]
        sent = {change.custom_id for change in changes if change.custom_id is not None}
        keys = sent | {name.custom_id for name in named if name.custom_id is not None}
        numbers = {name.id for name in named if name.id is not None}
        found = deals.by_custom_ids(tx, workspace_id, keys)
        self._deals = {deal.id: deal for deal in found.values()}
        self._deals |= deals.by_ids(tx, workspace_id, numbers - self._deals.keys())
        self._ids = {deal.custom_id: deal.id for deal in self._deals.values() if deal.custom_id}
        both = list(zip(names, changes, strict=True))
        # A deal that gets another custom id leaves its own to a new one.
        renames = any(name is not None and change.custom_id is not None for name, change in both)
        known = {} if renames else found
        count = sum(name is None and change.custom_id not in known for name, change in both)
        self._new_ids = ids.take(tx, workspace_id, deal=count)["deal"]

    def _read_products(self, tx: Tx, workspace_id: int, changes: Sequence[DealChange]) -> None:
        keys = dict.fromkeys(key for change in changes for key in change.product_keys())
        found = products.ids(tx, workspace_id, keys)
        missing = [key for key in keys if key not in found]
        numbers = ids.take(tx, workspace_id, product=len(missing))["product"]
        self.new_products: Mapping[str, int] = dict(zip(missing, numbers, strict=True))
        self.product_ids = found | self.new_products
        sent = {i for c in changes for i in c.product_ids or ()}
        sent |= {n.product_id for c in changes for n in c.lines or () if n.product_id is not None}
        linked = {product_id for deal in self._deals.values() for product_id in deal.product_ids}
        other = (sent | linked) - set(self.product_ids.values())
        names = products.custom_ids(tx, workspace_id, other)
        self.product_names = names | {number: key for key, number in self.product_ids.items()}

    def _read_contacts(self, tx: Tx, workspace_id: int, changes: Sequence[DealChange]) -> None:
        keys = {c.user_custom_id for c in changes if c.user_custom_id}
        numbers = {c.user_id for c in changes if c.user_id}
        numbers |= {i for c in changes for i in c.details.get(PARTICIPANTS) or ()}
        self._contact_ids = contacts.ids(tx, workspace_id, keys)
        self._known_contacts = contacts.known(tx, workspace_id, numbers)

    def _read_companies(self, tx: Tx, workspace_id: int, changes: Sequence[DealChange]) -> None:
        told = [change.details for change in changes if change.details]
        keys = {d["company_custom_id"] for d in told if d.get("company_custom_id") is not None}
        numbers = {d["company_id"] for d in told if d.get("company_id") is not None}
        self._company_ids = companies.ids(tx, workspace_id, keys)
        self._company_keys = companies.custom_ids(tx, workspace_id, numbers)
