"""Products and product events: creating events, and reading products back."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from ordertrail.actions import attributes
from ordertrail.actions.outcomes import of_each
from ordertrail.domain import product as rules
from ordertrail.domain.attribute import ContentType
from ordertrail.domain.errors import Conflict, NotFound, Refused
from ordertrail.domain.event import happened_at
from ordertrail.domain.journal import Author, Entry, Subject
from ordertrail.domain.product import NewProductEvent, Product, ProductEvent
from ordertrail.kit.committer import Batch
from ordertrail.kit.database import Reader, Tx
from ordertrail.store import contacts, events, ids, journal, products
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


@dataclass(frozen=True, slots=True)
class CreatedEvent:
    """The event's number, and whether it was recorded now."""

    id: int
    is_new: bool


def create_events(tx: Tx, batch: Batch[CreateEvent]) -> Sequence[CreatedEvent | Refused]:
    """Record product events; a product that nobody knows is created, a contact is not."""
    writing = _Writing(tx, batch)
    outcomes = of_each(batch.commands, writing.decide)
    writing.write(tx)
    return outcomes


def find(reader: Reader, workspace_id: int, custom_id: str) -> Product:
    """Return the product with this custom id, or raise NotFound."""
    product = products.by_custom_ids(reader, workspace_id, [custom_id]).get(custom_id)
    if product is None:
        raise NotFound("no product with this custom_id")
    return product


def custom_ids(reader: Reader, workspace_id: int, ids: Collection[int]) -> dict[int, str]:
    """Return the shop's ids of the products with these ids."""
    return products.custom_ids(reader, workspace_id, ids)


def event_counts(reader: Reader, workspace_id: int, product_id: int) -> dict[str, int]:
    """Return how many events of each type a product has."""
    return events.counts_of_product(reader, workspace_id, product_id)


class _Writing:
    """One batch on its way: what it knows, and what it will write."""

    def __init__(self, tx: Tx, batch: Batch[CreateEvent]) -> None:
        self._batch = batch
        workspace_id = batch.workspace_id
        sent = [command.event for command in batch.commands]
        keys = {command.product_custom_id for command in batch.commands}
        operation_keys = {c.operation_key for c in batch.commands if c.operation_key}
        self._contacts = contacts.ids(
            tx, workspace_id, {e.user_custom_id for e in sent if e.user_custom_id is not None}
        )
        self._contact_ids = contacts.known(
            tx, workspace_id, {e.user_id for e in sent if e.user_id is not None}
        )
        self._done = events.known_product_keys(tx, workspace_id, operation_keys)
        self._products = products.by_custom_ids(tx, workspace_id, keys)
        fresh = sum(c.operation_key not in self._done for c in batch.commands)
        taken = ids.take(tx, workspace_id, product=len(keys) - len(self._products), journal=fresh)
        self._new_products, self._numbers = taken["product"], taken["journal"]
        self._events: list[tuple[ProductEvent, Arrival]] = []
        self._changed: dict[int, Product] = {}
        self._entries: list[Entry] = []

    def decide(self, command: CreateEvent) -> CreatedEvent:
        """Take one command into the batch, or raise Refused."""
        event, at = command.event, self._batch.at
        moment = happened_at(event.at, at)
        contact_id = self._contact_id(event)
        if command.operation_key in self._done:
            return self._repeated(command, contact_id)
        product = self._describe(command)
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
            told = (contact_id, product.id, event.event_type)
            self._done[command.operation_key] = number, told
        return CreatedEvent(number, is_new=True)

    def write(self, tx: Tx) -> None:
        """Write everything that was decided."""
        workspace_id = self._batch.workspace_id
        new = {entry.subject_id for entry in self._entries if entry.is_new}
        changed = self._changed.values()
        products.add(tx, workspace_id, [each for each in changed if each.id in new])
        products.change(tx, workspace_id, [each for each in changed if each.id not in new])
        described = [product.attributes for product in self._changed.values()]
        attributes.learn(tx, workspace_id, ContentType.PRODUCT, described)
        events.add_product_events(tx, workspace_id, self._events)
        journal.append(tx, workspace_id, self._entries)

    def _repeated(self, command: CreateEvent, contact_id: int) -> CreatedEvent:
        number, told = self._done[command.operation_key or ""]
        product = self._products.get(command.product_custom_id)
        if told != (contact_id, product.id if product else 0, command.event.event_type):
            raise Conflict("this Idempotency-Key was used for another event")
        return CreatedEvent(number, is_new=False)

    def _contact_id(self, event: NewProductEvent) -> int:
        if event.user_custom_id is not None:
            contact_id = self._contacts.get(event.user_custom_id)
        else:
            contact_id = event.user_id if event.user_id in self._contact_ids else None
        if contact_id is None:
            raise NotFound("no such contact; create it by users/update_or_create/")
        return contact_id

    def _describe(self, command: CreateEvent) -> Product:
        event, at = command.event, self._batch.at
        before = self._products.get(command.product_custom_id)
        product = before or Product(next(self._new_products), command.product_custom_id, at, at)
        described, changes = rules.describe(
            product, event.details, event.attributes, event.at or at, at
        )
        if before is None or described is not product:
            self._changed[described.id] = self._products[described.custom_id] = described
        if before is None or changes:
            self._entries.append(
                Entry(
                    Subject.PRODUCT,
                    described.id,
                    None,
                    before is None,
                    changes,
                    command.author,
                    at,
                )
            )
        return described
