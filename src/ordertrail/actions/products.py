"""Products and what contacts do with them: describing, recording, and reading products back."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ordertrail.actions import filtering
from ordertrail.actions.attribute_settling import Settling
from ordertrail.actions.known_contacts import KnownContacts
from ordertrail.actions.outcomes import Written, of_each
from ordertrail.domain import product as rules
from ordertrail.domain.attribute import ContentType
from ordertrail.domain.errors import Refused, unknown
from ordertrail.domain.event import Recorded, happened_at
from ordertrail.domain.filter import Filter
from ordertrail.domain.journal import Author, Entry, Subject
from ordertrail.domain.product import NewProductEvent, Product, ProductEvent, ProductName
from ordertrail.kit.committer import Batch
from ordertrail.kit.database import Reader, Tx
from ordertrail.kit.paging import Place
from ordertrail.store import events, ids, journal, product_filters, products
from ordertrail.store.events import Arrival


@dataclass(frozen=True, slots=True)
class CreateEvent:
    """Record that a contact did something with the product of this custom id.

    The same `operation_key` again records nothing and answers the first event, for ever.
    """

    product_custom_id: str
    event: NewProductEvent
    author: Author
    operation_key: str | None = None
    product_id: int | None = None
    """Names the product instead of its custom id; there has to be one then."""


@dataclass(frozen=True, slots=True)
class CreatedEvent:
    """The event's number, whether it was recorded now, and what was not taken as it was sent."""

    id: int
    is_new: bool
    warnings: tuple[str, ...] = ()


def create_events(tx: Tx, batch: Batch[CreateEvent]) -> Sequence[CreatedEvent | Refused]:
    """Record product events; a product that nobody knows is created, a contact is not."""
    writing = _Writing(tx, batch)
    outcomes = of_each(batch.commands, writing.decide)
    writing.write(tx)
    return outcomes


@dataclass(frozen=True, slots=True)
class Upsert:
    """Create the product of this custom id, or change what is said of it."""

    custom_id: str
    details: Mapping[str, Any]
    attributes: Mapping[str, Any]
    author: Author


def upsert(tx: Tx, batch: Batch[Upsert]) -> Sequence[Written[Product] | Refused]:
    """Create or describe products; one that several commands name is described in their order."""
    workspace_id, at = batch.workspace_id, batch.at
    keys = {command.custom_id for command in batch.commands}
    known = products.by_custom_ids(tx, workspace_id, keys)
    taken = ids.take(tx, workspace_id, product=len(keys) - len(known))["product"]
    settling = Settling(
        tx, workspace_id, ContentType.PRODUCT, [command.attributes for command in batch.commands]
    )
    saying = Describing(dict(known), taken, settling)
    outcomes = of_each(batch.commands, lambda command: saying.upsert(command, at))
    saying.write(tx, workspace_id)
    return outcomes


def named(reader: Reader, workspace_id: int, name: ProductName) -> Product:
    """Return the product of this name, or raise NotFound."""
    product = products.by_names(reader, workspace_id, [name]).get(name)
    if product is None:
        raise unknown("product", name)
    return product


def page(
    reader: Reader, workspace_id: int, sought: Sequence[Filter], place: Place
) -> filtering.Found[Product]:
    """Return a page of the products that all filters hold for, newest first."""
    found = product_filters.page(reader, workspace_id, sought, place)
    return filtering.found(reader, workspace_id, ContentType.PRODUCT, sought, FIELDS, found)


def custom_ids(reader: Reader, workspace_id: int, ids: Collection[int]) -> dict[int, str]:
    """Return the shop's ids of the products with these ids."""
    return products.custom_ids(reader, workspace_id, ids)


def event_counts(reader: Reader, workspace_id: int, product_id: int) -> dict[str, int]:
    """Return how many events of each type a product has."""
    return events.counts_of_product(reader, workspace_id, product_id)


FIELDS = frozenset(product_filters.COLUMNS)
"""The standard fields that lists may be filtered by."""

DATES = product_filters.DATES
"""Those of them that are times."""


class Describing:
    """Products on their way: as they were known, and as they are described now."""

    def __init__(
        self, known: dict[str, Product], new_ids: Iterator[int], settling: Settling
    ) -> None:
        """Begin with products by their custom ids, and ids for those to come."""
        self.known = known
        self._settling = settling
        self._new_ids = new_ids
        self._changed: dict[int, Product] = {}
        self._entries: list[Entry] = []

    def upsert(self, command: Upsert, at: datetime) -> Written[Product]:
        """Take one command."""
        is_new = command.custom_id not in self.known
        told = command.details, command.attributes
        product, warnings = self.say(command.custom_id, *told, at, command.author, at)
        return Written(product, is_new, warnings)

    def say(
        self,
        custom_id: str,
        details: Mapping[str, Any],
        attributes: Mapping[str, Any],
        said_at: datetime,
        author: Author,
        at: datetime,
    ) -> tuple[Product, tuple[str, ...]]:
        """Describe the product as it was told at `said_at`, and return it with warnings.

        One that nobody knows is created.
        """
        attributes, warnings = self._settling.settle(attributes)
        before = self.known.get(custom_id)
        product = before or Product(next(self._new_ids), custom_id, at, at)
        described, changes = rules.describe(product, details, attributes, said_at, at)
        if before is None or described is not product:
            self._changed[described.id] = self.known[custom_id] = described
            self._settling.accept(attributes)
        if before is None or changes:
            subject = Subject.PRODUCT, described.id, None
            self._entries.append(Entry(*subject, before is None, changes, author, at))
        return described, warnings

    def write(self, tx: Tx, workspace_id: int) -> None:
        """Write every product that is new or described anew."""
        new = {entry.subject_id for entry in self._entries if entry.is_new}
        changed = self._changed.values()
        products.add(tx, workspace_id, [each for each in changed if each.id in new])
        products.change(tx, workspace_id, [each for each in changed if each.id not in new])
        self._settling.write(tx)
        journal.append(tx, workspace_id, self._entries)


class _Writing:
    """One batch on its way: what it knows, and what it will write."""

    def __init__(self, tx: Tx, batch: Batch[CreateEvent]) -> None:
        self._batch = batch
        workspace_id = batch.workspace_id
        sent = [command.event for command in batch.commands]
        self._keys = products.custom_ids(
            tx, workspace_id, {c.product_id for c in batch.commands if c.product_id is not None}
        )
        keys = {c.product_custom_id for c in batch.commands if c.product_id is None}
        keys.update(self._keys.values())
        operation_keys = {c.operation_key for c in batch.commands if c.operation_key}
        self._contacts = KnownContacts(tx, workspace_id, [each.contact for each in sent])
        self._done = events.known_product_keys(tx, workspace_id, operation_keys)
        known = products.by_custom_ids(tx, workspace_id, keys)
        fresh = sum(c.operation_key not in self._done for c in batch.commands)
        taken = ids.take(tx, workspace_id, product=len(keys) - len(known), journal=fresh)
        settling = Settling(tx, workspace_id, ContentType.PRODUCT, [e.attributes for e in sent])
        self._products = Describing(known, taken["product"], settling)
        self._numbers = taken["journal"]
        self._events: list[tuple[ProductEvent, Arrival]] = []

    def decide(self, command: CreateEvent) -> CreatedEvent:
        """Take one command into the batch, or raise Refused."""
        event, at = command.event, self._batch.at
        custom_id = self._custom_id(command)
        moment = happened_at(event.at, at)
        contact_id = self._contacts.id_of(event.contact)
        done = self._done.get(command.operation_key or "")
        if done is not None:
            product = self._products.known.get(custom_id)
            about = contact_id, product.id if product else 0, event.event_type
            done.check(about, event.at, event.custom_data)
            return CreatedEvent(done.id, is_new=False)
        product, warnings = self._describe(command, custom_id)
        number = next(self._numbers)
        self._events.append(
            (
                ProductEvent(
                    number, product.id, contact_id, event.event_type, moment, event.custom_data
                ),
                Arrival(command.operation_key, command.author.origin, at),
            )
        )
        if command.operation_key is not None:
            about = contact_id, product.id, event.event_type
            self._done[command.operation_key] = Recorded(
                number, about, moment, at, event.custom_data
            )
        return CreatedEvent(number, is_new=True, warnings=warnings)

    def write(self, tx: Tx) -> None:
        """Write everything that was decided."""
        self._products.write(tx, self._batch.workspace_id)
        events.add_product_events(tx, self._batch.workspace_id, self._events)

    def _custom_id(self, command: CreateEvent) -> str:
        if command.product_id is None:
            return command.product_custom_id
        custom_id = self._keys.get(command.product_id)
        if custom_id is None:
            raise unknown("product", command.product_id)
        return custom_id

    def _describe(self, command: CreateEvent, custom_id: str) -> tuple[Product, tuple[str, ...]]:
        event, at = command.event, self._batch.at
        told = custom_id, event.details, event.attributes
        return self._products.say(*told, event.at or at, command.author, at)
