"""Contacts as commands name them: which of them there are, looked up once for a whole batch."""

from collections.abc import Iterable

from ordertrail.domain.contact import ContactName
from ordertrail.domain.errors import unknown
from ordertrail.kit.database import Reader
from ordertrail.store import contacts


class KnownContacts:
    """The ids of the contacts that a batch names; one that was merged leads to its parent."""

    def __init__(self, reader: Reader, workspace_id: int, names: Iterable[ContactName]) -> None:
        asked = set(names)
        custom_ids = {name.custom_id for name in asked if name.custom_id is not None}
        numbers = {name.id for name in asked if name.id is not None}
        keys = {name.user_key for name in asked if name.user_key is not None}
        self._by_custom_id = contacts.ids(reader, workspace_id, custom_ids)
        self._by_id = contacts.known(reader, workspace_id, numbers)
        self._by_key = contacts.ids_by_user_keys(reader, workspace_id, keys)

    def id_of(self, name: ContactName) -> int:
        """Return the id of the contact, or raise NotFound."""
        if name.custom_id is not None:
            found = self._by_custom_id.get(name.custom_id)
        elif name.id is not None:
            found = self._by_id.get(name.id)
        else:
            found = self._by_key.get(name.user_key or "")
        if found is None:
            raise unknown("contact", name)
        return found
