"""Products that are there: changing what is said of them, and deleting what nothing uses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ordertrail.actions.attribute_settling import Settling
from ordertrail.actions.outcomes import Written, of_each
from ordertrail.actions.products import Describing
from ordertrail.domain.attribute import ContentType
from ordertrail.domain.errors import Conflict, Invalid, Refused, unknown
from ordertrail.domain.journal import Author, Entry, Subject, gone
from ordertrail.domain.product import Product, ProductName
from ordertrail.kit.committer import Batch
from ordertrail.kit.counting import counted
from ordertrail.kit.database import Tx
from ordertrail.store import journal, products


@dataclass(frozen=True, slots=True)
class Change:
    """Change what is said of the product of this name; `custom_id` has to be its own, or None."""

    name: ProductName
    custom_id: str | None
    details: Mapping[str, Any]
    attributes: Mapping[str, Any]
    author: Author


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete the product of this name, which nothing may use."""

    name: ProductName
    author: Author


def change(tx: Tx, batch: Batch[Change]) -> Sequence[Written[Product] | Refused]:
    """Describe products anew; what was not sent stays."""
    found = products.by_names(tx, batch.workspace_id, [each.name for each in batch.commands])
    sent = [each.attributes for each in batch.commands]
    settling = Settling(tx, batch.workspace_id, ContentType.PRODUCT, sent)
    known = {product.custom_id: product for product in found.values()}
    describing = Describing(known, iter(()), settling)

    def decide(command: Change) -> Written[Product]:
        if command.name not in found:
            raise unknown("product", command.name)
        custom_id = found[command.name].custom_id
        if command.custom_id not in (None, custom_id):
            raise Invalid({"custom_id": "is that of the product for good: orders name it so"})
        told = command.details, command.attributes, batch.at, command.author, batch.at
        product, warnings = describing.say(custom_id, *told)
        return Written(product, False, warnings)

    outcomes = of_each(batch.commands, decide)
    describing.write(tx, batch.workspace_id)
    return outcomes


def delete(tx: Tx, batch: Batch[Delete]) -> Sequence[Product | Refused]:
    """Delete products; one that an order or an event names is refused: history stays."""
    found = products.by_names(tx, batch.workspace_id, [each.name for each in batch.commands])
    uses = products.uses(tx, batch.workspace_id, {each.id for each in found.values()})
    deleted: list[int] = []
    entries: list[Entry] = []

    def decide(command: Delete) -> Product:
        product = found.get(command.name)
        if product is None or product.id in deleted:
            raise unknown("product", command.name)
        used = uses[product.id]
        if used.deals or used.events:
            raise Conflict(
                f"the product is on {counted(used.deals, 'order')} and in"
                f" {counted(used.events, 'event')}, which stay"
            )
        deleted.append(product.id)
        had = {"custom_id": product.custom_id, **product.details, **product.attributes}
        told = gone(product.id, had)
        subject = Subject.PRODUCT, product.id, None
        entries.append(Entry(*subject, False, told, command.author, batch.at))
        return product

    outcomes = of_each(batch.commands, decide)
    products.delete(tx, batch.workspace_id, deleted)
    journal.append(tx, batch.workspace_id, entries)
    return outcomes
