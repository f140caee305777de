"""What contacts bear and are on: tags and lists."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ordertrail.actions.tagging import Tagging
from ordertrail.domain.contact import Contact, ContactChange
from ordertrail.domain.journal import Subject
from ordertrail.domain.tag import ContactList
from ordertrail.kit.committer import Batch
from ordertrail.kit.database import Tx
from ordertrail.store import lists

BELONGINGS = {"tags", "lists"}
"""The names under which the journal tells of them."""

Changes = dict[str, tuple[Any, Any]]


class Belongings:
    """Those of the contacts of one batch."""

    def __init__(
        self,
        tx: Tx,
        batch: Batch[Any],
        changes: Sequence[ContactChange],
        tag_names: Sequence[str] = (),
    ) -> None:
        self._batch = batch
        named = {name for change in changes for name in change.tags}.union(tag_names)
        self.tagging = Tagging(tx, batch.workspace_id, Subject.CONTACT, named)

    def with_lists(self, contact: Contact, on: Sequence[ContactList]) -> tuple[Contact, Changes]:
        """Return the contact on these lists and no others, and what is different by now."""
        on = sorted(on, key=lambda each: each.id)
        if tuple(on) == contact.lists:
            return contact, {}
        told = [each.name for each in contact.lists], [each.name for each in on]
        return replace(contact, lists=tuple(on), updated_at=self._batch.at), {"lists": told}

    def write(self, tx: Tx, pairs: Sequence[tuple[Contact, Contact]]) -> None:
        """Write what is different between contacts as they were and as they are."""
        workspace_id = self._batch.workspace_id
        self.tagging.write(tx, pairs, self._batch.at)
        was_on = {(each.id, old.id) for old, _ in pairs for each in old.lists}
        is_on = {(each.id, new.id) for _, new in pairs for each in new.lists}
        lists.add_members(tx, workspace_id, is_on - was_on)
        lists.remove_members(tx, workspace_id, was_on - is_on)
