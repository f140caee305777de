"""Deals: upsert, and reading them back."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ordertrail.actions.attributes import Settling
from ordertrail.actions.outcomes import of_each
from ordertrail.domain import deal as rules
from ordertrail.domain import deal_story
from ordertrail.domain.absent import ABSENT, Absent
from ordertrail.domain.attribute import ContentType
from ordertrail.domain.deal import Deal, DealChange, Facts
from ordertrail.domain.errors import Invalid, NotFound, Refused
from ordertrail.domain.journal import Author, Entry, Subject
from ordertrail.domain.pipeline import KnownStages
from ordertrail.domain.product import Product
from ordertrail.kit.committer import Batch
from ordertrail.kit.database import Reader, Tx
from ordertrail.store import (
    contacts,
    deal_look,
    deals,
    ids,
    journal,
    pipelines,
    products,
    workspaces,
)


@dataclass(frozen=True, slots=True)
class Upsert:
    """Create or change the deal with the change's custom id."""

    change: DealChange
    author: Author


@dataclass(frozen=True, slots=True)
class Upserted:
    """The deal as it is now, whether it is new, and the shop's ids of its linked products.

    `warnings` are about what was not taken as it was sent.
    """

    deal: Deal
    is_new: bool
    custom_ids: Mapping[int, str]
    warnings: tuple[str, ...] = ()


@dataclass(slots=True)
class _Known:
    """What a batch needs to know, and what it finds out on the way."""

    deals: dict[str, Deal]
    contact_ids: Mapping[str, int]
    known_contacts: Mapping[int, int]
    product_ids: dict[str, int]
    product_names: dict[int, str]
    stages: KnownStages
    currency: str
    new_deals: Iterator[int]
    settling: Settling


@dataclass(slots=True)
class _Written:
    """What a batch has to write."""

    before: dict[int, Deal]
    after: dict[int, Deal]
    entries: list[Entry]
    namers: dict[int, Author]
    """Who first named each product, by id."""


def upsert(tx: Tx, batch: Batch[Upsert]) -> Sequence[Upserted | Refused]:
    """Create or change deals; only what was sent is touched, a change of nothing writes nothing.

    A product that nobody knows becomes a stub; a contact that nobody knows refuses the deal.
    """
    changes = [command.change for command in batch.commands]
    product_ids, new_products = _products(tx, batch.workspace_id, changes)
    known = _know(tx, batch.workspace_id, changes, product_ids)
    written = _Written({}, {}, [], {})
    outcomes = of_each(batch.commands, lambda command: _decide(command, batch, known, written))
    _write(tx, batch, written, new_products)
    known.settling.write(tx)
    return outcomes


def find(reader: Reader, workspace_id: int, custom_id: str) -> Upserted:
    """Return the deal with this custom id, or raise NotFound."""
    found = deal_look.by_custom_id(reader, workspace_id, custom_id)
    if found is None:
        raise NotFound("no deal with this custom_id")
    deal, custom_ids = found
    return Upserted(deal, False, custom_ids)


def get(reader: Reader, workspace_id: int, deal_id: int) -> Upserted:
    """Return the deal with this id, or raise NotFound."""
    found = deal_look.by_id(reader, workspace_id, deal_id)
    if found is None:
        raise NotFound(f"no deal with the id {deal_id}")
    deal, custom_ids = found
    return Upserted(deal, False, custom_ids)


def _products(
    tx: Tx, workspace_id: int, changes: Sequence[DealChange]
) -> tuple[dict[str, int], dict[str, int]]:
    """The ids of all products that the changes name, and of them those that are new."""
    keys = dict.fromkeys(key for change in changes for key in change.product_keys())
    known = products.ids(tx, workspace_id, keys)
    missing = [key for key in keys if key not in known]
    numbers = ids.take(tx, workspace_id, product=len(missing))["product"]
    new = dict(zip(missing, numbers, strict=True))
    return known | new, new


def _know(
    tx: Tx, workspace_id: int, changes: Sequence[DealChange], product_ids: dict[str, int]
) -> _Known:
    keys = {change.custom_id for change in changes if change.custom_id is not None}
    found = deals.by_custom_ids(tx, workspace_id, keys)
    sent_ids = {i for c in changes for i in c.product_ids or ()}
    sent_ids |= {n.product_id for c in changes for n in c.lines or () if n.product_id is not None}
    linked = {product_id for deal in found.values() for product_id in deal.product_ids}
    other = (sent_ids | linked) - set(product_ids.values())
    names = products.custom_ids(tx, workspace_id, other)
    names |= {product_id: key for key, product_id in product_ids.items()}
    stages = KnownStages({stage.id: stage for stage in pipelines.stages(tx, workspace_id)})
    return _Known(
        deals=found,
        contact_ids=contacts.ids(
            tx, workspace_id, {c.user_custom_id for c in changes if c.user_custom_id}
        ),
        known_contacts=contacts.known(tx, workspace_id, {c.user_id for c in changes if c.user_id}),
        product_ids=product_ids,
        product_names=names,
        stages=stages,
        currency=workspaces.one(tx, workspace_id).currency,
        new_deals=ids.take(
            tx, workspace_id, deal=sum(change.custom_id not in found for change in changes)
        )["deal"],
        settling=Settling(tx, workspace_id, ContentType.DEAL, [c.attributes for c in changes]),
    )


def _decide(command: Upsert, batch: Batch[Upsert], known: _Known, written: _Written) -> Upserted:
    change, custom_id = command.change, command.change.custom_id
    if custom_id is None:
        raise Invalid({"custom_id": "is required: the shop's id of the order"})
    attributes, warnings = known.settling.settle(change.attributes)
    if attributes is not change.attributes:
        change = replace(change, attributes=attributes)
    facts = Facts(
        stages=known.stages,
        default_currency=known.currency,
        contact_id=_contact_id(change, known),
        products=known.product_ids,
        product_names=known.product_names,
        at=batch.at,
    )
    before = known.deals.get(custom_id)
    deal = rules.apply(before or rules.draft(next(known.new_deals), change, facts), change, facts)
    if deal is not before:
        if before is not None and deal.id not in written.after:
            written.before[deal.id] = before
        known.deals[custom_id] = written.after[deal.id] = deal
        known.settling.accept(attributes)
        for product_id in deal.product_ids:
            written.namers.setdefault(product_id, command.author)
        written.entries.append(
            Entry(
                Subject.DEAL,
                deal.id,
                deal.contact_id,
                before is None,
                deal_story.changes(before, deal),
                command.author,
                batch.at,
            )
        )
    return Upserted(deal, before is None, known.product_names, warnings)


def _contact_id(change: DealChange, known: _Known) -> int | None | Absent:
    if change.user_custom_id is not ABSENT and change.user_custom_id is not None:
        contact_id = known.contact_ids.get(change.user_custom_id)
        if contact_id is None:
            raise NotFound(
                "no contact with this user_custom_id; create it by users/update_or_create/"
            )
        return contact_id
    if change.user_id is not ABSENT and change.user_id is not None:
        contact_id = known.known_contacts.get(change.user_id)
        if contact_id is None:
            raise NotFound(f"no contact with the id {change.user_id} (user_id)")
        return contact_id
    return ABSENT


def _write(
    tx: Tx, batch: Batch[Upsert], written: _Written, new_products: Mapping[str, int]
) -> None:
    changed = list(written.after.values())
    if not changed:
        return
    stubs = [
        Product(product_id, key, batch.at, batch.at)
        for key, product_id in new_products.items()
        if product_id in written.namers
    ]
    products.add(tx, batch.workspace_id, stubs)
    made = [
        Entry(Subject.PRODUCT, each.id, None, True, {}, written.namers[each.id], batch.at)
        for each in stubs
    ]
    _write_deals(tx, batch.workspace_id, changed, written.before)
    journal.append(tx, batch.workspace_id, made + written.entries)


def _write_deals(
    tx: Tx, workspace_id: int, changed: Sequence[Deal], before: Mapping[int, Deal]
) -> None:
    """Write each table once, and of a deal that was there only what is different."""
    new = [deal for deal in changed if deal.id not in before]
    old = [(before[deal.id], deal) for deal in changed if deal.id in before]
    moved = [deal for was, deal in old if deal.contact_id != was.contact_id]
    stayed = [deal for was, deal in old if deal.contact_id == was.contact_id]
    relined = [deal for was, deal in old if deal.lines != was.lines]
    relinked = [deal for was, deal in old if deal.linked_ids != was.linked_ids]
    deals.add(tx, workspace_id, new)
    deals.change(tx, workspace_id, stayed, contact=False)
    deals.change(tx, workspace_id, moved, contact=True)
    deals.save_lines(tx, workspace_id, new + relined, [deal.id for deal in relined])
    deals.save_links(tx, workspace_id, new + relinked, [deal.id for deal in relinked])
