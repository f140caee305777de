"""Deals: creating, changing and deleting them, and reading them back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from ordertrail.actions import filtering, named_by_deals
from ordertrail.actions.deal_facts import Known
from ordertrail.actions.deal_writing import Writing
from ordertrail.actions.outcomes import Written, of_each
from ordertrail.actions.tagging import taken_off
from ordertrail.domain import deal as rules
from ordertrail.domain import deal_story
from ordertrail.domain.attribute import ContentType
from ordertrail.domain.deal import Deal, DealChange, DealName, Facts
from ordertrail.domain.errors import Invalid, Refused, unknown
from ordertrail.domain.filter import Filter
from ordertrail.domain.journal import Author, Entry, Subject
from ordertrail.kit.committer import Batch
from ordertrail.kit.database import Reader, Tx
from ordertrail.kit.paging import Place
from ordertrail.store import deal_filters, deal_look, deals, journal, products


@dataclass(frozen=True, slots=True)
class Upsert:
    """Create or change the deal with the change's custom id."""

    change: DealChange
    author: Author


@dataclass(frozen=True, slots=True)
class Create:
    """Create a deal; one that has its custom id already has to be as the change says."""

    change: DealChange
    author: Author


@dataclass(frozen=True, slots=True)
class Change:
    """Change the deal of this name, which there has to be."""

    name: DealName
    change: DealChange
    author: Author


@dataclass(frozen=True, slots=True)
class ChangeNameless:
    """Change the deal with this id, which there has to be: one without a custom id.

    `created_at` is its own: an id alone may be that of another server.
    """

    id: int
    created_at: datetime
    change: DealChange
    author: Author

    @property
    def name(self) -> DealName:
        """The deal that is meant, if it is the one."""
        return DealName(self.id)


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete the deal of this name, which there has to be."""

    name: DealName
    author: Author


@dataclass(frozen=True, slots=True)
class ReadDeal:
    """A deal naming whom it names today, and the shop's ids of its products by their own."""

    deal: Deal
    custom_ids: Mapping[int, str] = field(compare=False)

    @property
    def id(self) -> int:
        """The deal's id."""
        return self.deal.id

    @property
    def updated_at(self) -> datetime:
        """When the deal was changed last."""
        return self.deal.updated_at


FIELDS = frozenset(deal_filters.COLUMNS)
"""The standard fields that lists may be filtered by."""

DATES = deal_filters.DATES
"""Those of them that are times."""

Command = Upsert | Create | Change | ChangeNameless


def upsert(tx: Tx, batch: Batch[Command]) -> Sequence[Written[ReadDeal] | Refused]:
    """Create or change deals; only what was sent is touched, a change of nothing writes nothing.

    A product that nobody knows becomes a stub; a contact that nobody knows refuses the deal.
    The outcomes name the participants and the company that are there at the end.
    """
    changes = [command.change for command in batch.commands]
    names = [None if isinstance(each, Upsert | Create) else each.name for each in batch.commands]
    known = Known(tx, batch.workspace_id, changes, names)
    writing = Writing()
    outcomes = of_each(batch.commands, lambda command: _decide(command, batch, known, writing))
    writing.write(tx, batch.workspace_id, known.new_products, batch.at)
    known.settling.write(tx)
    known.tagging.write(tx, writing.pairs, batch.at)
    return _outcomes_today(tx, batch.workspace_id, outcomes)


def delete(tx: Tx, batch: Batch[Delete]) -> Sequence[Deal | Refused]:
    """Delete deals with their lines, links and tags; the journal keeps what they were."""
    names = [command.name for command in batch.commands]
    found = deals.by_names(tx, batch.workspace_id, names)
    gone: dict[int, Deal] = {}
    entries: list[Entry] = []

    def decide(command: Delete) -> Deal:
        deal = found.get(command.name)
        if deal is None or deal.id in gone:
            raise unknown("deal", command.name)
        gone[deal.id] = deal
        told = deal_story.deletion(deal)
        author = command.author
        entries.append(Entry(Subject.DEAL, deal.id, deal.contact_id, False, told, author, batch.at))
        return deal

    outcomes = of_each(batch.commands, decide)
    deals.delete(tx, batch.workspace_id, list(gone))
    journal.append(tx, batch.workspace_id, entries)
    return outcomes


def named(reader: Reader, workspace_id: int, name: DealName) -> ReadDeal:
    """Return the deal of this name, or raise NotFound."""
    if name.custom_id is not None:
        found = deal_look.by_custom_id(reader, workspace_id, name.custom_id)
    else:
        found = deal_look.by_id(reader, workspace_id, name.id or 0)
    if found is None:
        raise unknown("deal", name)
    deal, custom_ids = found
    return _as_today(reader, workspace_id, [ReadDeal(deal, custom_ids)])[0]


def page(
    reader: Reader, workspace_id: int, sought: Sequence[Filter], place: Place
) -> filtering.Found[ReadDeal]:
    """Return a page of the deals that all filters hold for, newest first."""
    found = deal_filters.page(reader, workspace_id, sought, place)
    listed = found.showing(as_read(reader, workspace_id, found.items))
    return filtering.found(reader, workspace_id, ContentType.DEAL, sought, FIELDS, listed)


def as_read(reader: Reader, workspace_id: int, found: Sequence[Deal]) -> list[ReadDeal]:
    """Return deals with the shop's ids of their products, naming whom they name today."""
    product_ids = {product_id for deal in found for product_id in deal.product_ids}
    custom_ids = products.custom_ids(reader, workspace_id, product_ids)
    return _as_today(reader, workspace_id, [ReadDeal(deal, custom_ids) for deal in found])


def _as_today(reader: Reader, workspace_id: int, found: Sequence[ReadDeal]) -> list[ReadDeal]:
    """Deals naming the participants and the company that are there today."""
    today = named_by_deals.today(reader, workspace_id, [each.deal for each in found])
    return [replace(each, deal=deal) for each, deal in zip(found, today, strict=True)]


def _outcomes_today(
    tx: Tx, workspace_id: int, outcomes: Sequence[Written[ReadDeal] | Refused]
) -> list[Written[ReadDeal] | Refused]:
    done = [each.thing for each in outcomes if isinstance(each, Written)]
    today = iter(_as_today(tx, workspace_id, done))
    return [
        replace(each, thing=next(today)) if isinstance(each, Written) else each for each in outcomes
    ]


def _decide(
    command: Command, batch: Batch[Command], known: Known, writing: Writing
) -> Written[ReadDeal]:
    before = _before(command, known)
    change, warnings = known.settled(command.change)
    facts = Facts(
        stages=known.stages,
        default_currency=known.currency,
        contact_id=known.contact_id(change),
        products=known.product_ids,
        product_names=known.product_names,
        at=batch.at,
    )
    deal = rules.apply(before or rules.draft(known.new_id(), change, facts), change, facts)
    new_tags: tuple[str, ...] = ()
    is_retagged = rules.retags(deal, change)
    if deal is not before or is_retagged:
        if before is not None and isinstance(command, Create):
            raise Invalid({"custom_id": "is that of a deal that there is, which is different"})
        if is_retagged:
            deal, _ = taken_off(deal, change.untagged, batch.at)
            deal, _, new_tags = known.tagging.put_on(deal, change.tags, batch.at)
        known.keep(before, deal)
        known.settling.accept(change.attributes)
        writing.keep(before, deal, command.author, batch.at)
    return Written(ReadDeal(deal, known.product_names), before is None, warnings, new_tags)


def _before(command: Command, known: Known) -> Deal | None:
    """The deal as it is before the command, or None for one to be created."""
    custom_id = command.change.custom_id
    if isinstance(command, ChangeNameless):
        return _nameless(command, known)
    if isinstance(command, Change):
        deal = known.named(command.name)
        if deal is None:
            raise unknown("deal", command.name)
        if custom_id not in (None, deal.custom_id) and known.named(DealName(custom_id=custom_id)):
            raise Invalid({"custom_id": "is that of another deal"})
        return deal
    if custom_id is not None:
        return known.named(DealName(custom_id=custom_id))
    if isinstance(command, Upsert):
        raise Invalid({"custom_id": "is required: the shop's id of the order"})
    if not command.change.name:
        raise Invalid({"name": "is required of a deal without a custom_id"})
    return None


def _nameless(command: ChangeNameless, known: Known) -> Deal:
    deal = known.named(command.name)
    if deal is None or deal.custom_id is not None or deal.created_at != command.created_at:
        there = "no order without one has this id and created_at here"
        raise Invalid({"custom_id": f"is required: the shop's id of the order; {there}"})
    return deal
