"""Tags on contacts, and contacts on lists."""

from collections.abc import Sequence
from dataclasses import dataclass

from ordertrail.actions.contact_writing import Writing
from ordertrail.actions.outcomes import Written, of_each
from ordertrail.actions.tagging import taken_off
from ordertrail.actions.touched_contacts import Known
from ordertrail.domain.contact import Contact, ContactChange, ContactName
from ordertrail.domain.errors import Invalid, Refused
from ordertrail.domain.journal import Author
from ordertrail.kit.committer import Batch
from ordertrail.kit.database import Tx
from ordertrail.store import lists


@dataclass(frozen=True, slots=True)
class TagContact:
    """Let the contact bear these tags, or no longer bear them."""

    contact: ContactName
    names: tuple[str, ...]
    author: Author
    is_borne: bool = True


@dataclass(frozen=True, slots=True)
class ListContact:
    """Put the contact on this list, or take it off."""

    contact: ContactName
    list_id: int
    author: Author
    is_on: bool = True


def tag(tx: Tx, batch: Batch[TagContact]) -> Sequence[Written[Contact] | Refused]:
    """Put tags on contacts and take them off; a name that nobody used becomes a tag."""
    names = [command.contact for command in batch.commands]
    known = Known(tx, batch.workspace_id, (), names=names)
    given = [name for each in batch.commands if each.is_borne for name in each.names]
    writing = Writing(tx, batch, known, (), given)

    def decide(command: TagContact) -> Written[Contact]:
        contact = known.named(command.contact)
        if command.is_borne:
            return writing.take(contact, ContactChange(tags=command.names), command.author)
        changed, changes = taken_off(contact, command.names, batch.at)
        writing.put(contact, changed, changes, command.author)
        return Written(changed)

    outcomes = of_each(batch.commands, decide)
    writing.write(tx)
    return outcomes


def place(tx: Tx, batch: Batch[ListContact]) -> Sequence[Written[Contact] | Refused]:
    """Put contacts on lists and take them off; there must be such a list."""
    names = [command.contact for command in batch.commands]
    known = Known(tx, batch.workspace_id, (), names=names)
    writing = Writing(tx, batch, known, ())
    found = lists.by_ids(tx, batch.workspace_id, {each.list_id for each in batch.commands})

    def decide(command: ListContact) -> Written[Contact]:
        contact = known.named(command.contact)
        wanted = found.get(command.list_id)
        if wanted is None:
            raise Invalid({"list": f"there is no list with the id {command.list_id}"})
        on = [each for each in contact.lists if each.id != wanted.id]
        changed, changes = writing.belongings.with_lists(
            contact, [*on, wanted] if command.is_on else on
        )
        writing.put(contact, changed, changes, command.author)
        return Written(changed)

    outcomes = of_each(batch.commands, decide)
    writing.write(tx)
    return outcomes
