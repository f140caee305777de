"""The contacts that a batch touches, as they are at each point of it."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from ordertrail.domain.absent import ABSENT, Absent
from ordertrail.domain.contact import Contact, ContactChange, ContactName
from ordertrail.domain.errors import Invalid, unknown
from ordertrail.domain.identity import folded_email
from ordertrail.kit.database import Tx
from ordertrail.store import contacts


class Known:
    """The contacts that a batch touches, as they are at each point of it.

    One person may be named by custom id and by e-mail in one batch: both find the same contact.
    `emails`, in the form in which they are compared, are those whose contacts are looked for: the
    oldest of each, and so many of the `newest`.
    """

    def __init__(
        self,
        tx: Tx,
        workspace_id: int,
        changes: Sequence[ContactChange],
        *,
        emails: Collection[str] = (),
        names: Sequence[ContactName] = (),
        newest: int = 0,
    ) -> None:
        self.by_id: dict[int, Contact] = {}
        self._by_custom_id: dict[str, int] = {}
        self._by_email: dict[str, dict[int, int]] = {}
        self._aliases: set[tuple[str, int]] = set()
        custom_ids = {c.custom_id for c in changes if c.custom_id is not None}
        asked = custom_ids | {n.custom_id for n in names if n.custom_id is not None}
        by_custom_id = contacts.by_custom_ids(tx, workspace_id, asked)
        numbers = {n.id for n in names if n.id is not None}
        numbered = contacts.by_ids(tx, workspace_id, numbers)
        keys = {c.user_key for c in changes if c.user_key is not None}
        keyed = contacts.by_user_keys(tx, workspace_id, keys)
        for contact in (*by_custom_id.values(), *numbered.values(), *keyed.values()):
            self.keep(contact)
        self._by_custom_id |= {key: contact.id for key, contact in by_custom_id.items()}
        self._by_number = {number: contact.id for number, contact in numbered.items()}
        self._by_key = {key: contact.id for key, contact in keyed.items()}
        settled = self._read_emails(tx, workspace_id, emails, newest)
        self.new_max = len(asked) - len(by_custom_id) + len(emails) - settled

    def _read_emails(self, tx: Tx, workspace_id: int, emails: Collection[str], newest: int) -> int:
        """Look for contacts by e-mail; return how many e-mails one has whom nothing else names.

        Of those that something else names it is known at each point which e-mail they have.
        """
        touched = set(self.by_id)
        oldest = contacts.by_emails(tx, workspace_id, emails, but=touched)
        found = [oldest]
        if newest:
            found.append(
                contacts.by_emails(tx, workspace_id, emails, newest, newest=True, but=touched)
            )
        for email, sharing in (pair for each in found for pair in each.items()):
            for number, contact in sharing.items():
                self.by_id.setdefault(contact.id, contact)
                self._by_email.setdefault(email, {}).setdefault(contact.id, number)
        return sum(
            any(contact.id not in touched for contact in each.values()) for each in oldest.values()
        )

    def learn_aliases(
        self,
        tx: Tx,
        workspace_id: int,
        said: Iterable[tuple[ContactName, ContactChange]],
    ) -> None:
        """Look for the e-mails that are said under the custom id of a merged contact."""
        asked: set[tuple[str, int]] = set()
        for name, change in said:
            contact_id = self._id_of(name)
            custom_id = change.custom_id or name.custom_id
            if contact_id is None or not change.email:
                continue
            if custom_id not in (None, self.by_id[contact_id].custom_id):
                asked.add((_email_key(change), contact_id))
        self._aliases = contacts.aliases(tx, workspace_id, asked)

    def find(self, change: ContactChange) -> Contact | None:
        """Return the contact that the change is about; of several with its e-mail, the oldest."""
        if change.custom_id is not None:
            contact_id = self._by_custom_id.get(change.custom_id)
        else:
            contact_id = next(iter(self._sharing(change)), None)
        return None if contact_id is None else self.by_id[contact_id]

    def keyed(self, user_key: str) -> Contact | None:
        """Return the contact that this user key leads to."""
        contact_id = self._by_key.get(user_key)
        return None if contact_id is None else self.by_id[contact_id]

    def new_by_key_max(self, keys: Collection[str], others: Sequence[ContactChange]) -> int:
        """Return how many contacts may be created for these keys, among other changes.

        A contact that another change gives a new key leaves its own to a new contact.
        """
        given = {each.user_key for each in others if each.user_key is not None}
        if given - self._by_key.keys():
            return len(keys)
        return len(set(keys) - self._by_key.keys())

    def alike(self, change: ContactChange) -> list[Contact]:
        """Return those whom the change may be about, oldest first.

        One with its custom id; without one those with its e-mail; without that one with its key.
        """
        if change.custom_id is None and change.email:
            found = self._sharing(change)
        elif change.custom_id is not None:
            found = [self._by_custom_id.get(change.custom_id, 0)]
        else:
            found = [self._by_key.get(change.user_key or "", 0)]
        return [self.by_id[contact_id] for contact_id in found if contact_id]

    def is_alias(self, contact: Contact, email: str | None | Absent) -> bool:
        """Tell whether an e-mail that `learn_aliases` was told leads to the contact by a merge."""
        return bool(email) and (folded_email(str(email)), contact.id) in self._aliases

    def _sharing(self, change: ContactChange) -> list[int]:
        """The ids of the contacts with the change's e-mail that are known, oldest first."""
        sharing = self._by_email.get(_email_key(change), {})
        return sorted(sharing, key=sharing.__getitem__)

    def _id_of(self, name: ContactName) -> int | None:
        if name.custom_id is not None:
            return self._by_custom_id.get(name.custom_id)
        return self._by_number.get(name.id or 0)

    def named(self, name: ContactName) -> Contact:
        """Return the contact of this name, or raise NotFound."""
        found = self._id_of(name)
        if found is None:
            raise unknown("contact", name)
        return self.by_id[found]

    def numbered(self, numbers: Sequence[int]) -> dict[int, int]:
        """Return those of the ids that contacts have, each with the id that is meant today."""
        return {each: self._by_number[each] for each in numbers if each in self._by_number}

    def owner_of_custom_id(self, custom_id: str) -> int | None:
        """Return the id of the contact that this custom id leads to."""
        return self._by_custom_id.get(custom_id)

    def owner_of_key(self, user_key: str) -> int | None:
        """Return the id of the contact that this user key leads to."""
        return self._by_key.get(user_key)

    def keep(self, contact: Contact) -> None:
        """Take the contact in, in place of what it was before."""
        before = self.by_id.get(contact.id)
        if before is not None and before.email:
            self._by_email.get(folded_email(before.email), {}).pop(contact.id, None)
        if before is not None and before.custom_id not in (None, contact.custom_id):
            self._by_custom_id.pop(before.custom_id or "", None)
        self.by_id[contact.id] = contact
        if contact.custom_id is not None:
            self._by_custom_id[contact.custom_id] = contact.id
        if contact.email:
            sharing = self._by_email.setdefault(folded_email(contact.email), {})
            sharing[contact.id] = contact.id

    def keep_key(self, contact: Contact, before: Contact) -> None:
        """Note whose user key is whose, after one was changed."""
        if contact.user_key != before.user_key:
            self._by_key.pop(before.user_key, None)
            self._by_key[contact.user_key] = contact.id


def renamed(
    known: Known, contact: Contact, name: ContactName, change: ContactChange
) -> ContactChange:
    """Return the change of a contact of this name; raises Invalid for a custom id of another one.

    Under the custom id of a contact that was merged into it, the e-mail of such a one is no news.
    """
    said = change.custom_id or name.custom_id
    if said not in (None, contact.custom_id) and known.is_alias(contact, change.email):
        change = replace(change, email=ABSENT)
    if change.custom_id is None:
        return change
    owner = known.owner_of_custom_id(change.custom_id)
    if owner is None:
        return change
    if owner != contact.id:
        raise Invalid({"custom_id": "another contact has it; merge the two"})
    return replace(change, custom_id=None)


def emails_of(changes: Iterable[ContactChange]) -> set[str]:
    """Return the e-mails that the changes say, in the form in which they are compared."""
    return {_email_key(each) for each in changes if each.email}


def _email_key(change: ContactChange) -> str:
    return folded_email(change.email or "")
