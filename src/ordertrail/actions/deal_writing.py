"""What a batch of changes of deals has to write: each table once."""

from collections.abc import Mapping
from datetime import datetime

from ordertrail.domain import deal_story
from ordertrail.domain.deal import Deal
from ordertrail.domain.journal import Author, Entry, Subject
from ordertrail.domain.product import Product
from ordertrail.kit.database import Tx
from ordertrail.store import deals, journal, products


class Writing:
    """The deals that are new or changed, as they were before the batch and as they are after."""

    def __init__(self) -> None:
        self._before: dict[int, Deal] = {}
        self._after: dict[int, Deal] = {}
        self._entries: list[Entry] = []
        self._namers: dict[int, Author] = {}

    def keep(self, before: Deal | None, deal: Deal, author: Author, at: datetime) -> None:
        """Take in one accepted change."""
        if before is not None and deal.id not in self._after:
            self._before[deal.id] = before
        self._after[deal.id] = deal
        for product_id in deal.product_ids:
            self._namers.setdefault(product_id, author)
        is_new, told = before is None, deal_story.changes(before, deal)
        self._entries.append(
            Entry(Subject.DEAL, deal.id, deal.contact_id, is_new, told, author, at)
        )

    def write(
        self, tx: Tx, workspace_id: int, new_products: Mapping[str, int], at: datetime
    ) -> None:
        """Write the deals, the journal, and those of the new products that they name."""
        if not self._after:
            return
        stubs = [
            Product(product_id, key, at, at)
            for key, product_id in new_products.items()
            if product_id in self._namers
        ]
        products.add(tx, workspace_id, stubs)
        made = [
            Entry(Subject.PRODUCT, each.id, None, True, {}, self._namers[each.id], at)
            for each in stubs
        ]
        self._write_deals(tx, workspace_id)
        journal.append(tx, workspace_id, made + self._entries)

    @property
    def pairs(self) -> list[tuple[Deal | None, Deal]]:
        """Each deal as it was, None when it is new, and as it is."""
        return [(self._before.get(number), deal) for number, deal in self._after.items()]

    def _write_deals(self, tx: Tx, workspace_id: int) -> None:
        """Write of a deal that was there only what is different."""
        new = [deal for deal in self._after.values() if deal.id not in self._before]
        old = [(was, self._after[deal_id]) for deal_id, was in self._before.items()]
        renamed = [deal.id for was, deal in old if deal.custom_id != was.custom_id]
        moved = [deal for was, deal in old if _identity(deal) != _identity(was)]
        stayed = [deal for was, deal in old if _identity(deal) == _identity(was)]
        relined = [deal for was, deal in old if deal.lines != was.lines]
        relinked = [deal for was, deal in old if deal.linked_ids != was.linked_ids]
        deals.give_up_custom_ids(tx, workspace_id, renamed)
        deals.change(tx, workspace_id, moved, identity=True)
        deals.add(tx, workspace_id, new)
        deals.change(tx, workspace_id, stayed, identity=False)
        deals.save_lines(tx, workspace_id, new + relined, [deal.id for deal in relined])
        deals.save_links(tx, workspace_id, new + relinked, [deal.id for deal in relinked])


def _identity(deal: Deal) -> tuple[str | None, int | None]:
    return deal.custom_id, deal.contact_id
