"""Companies as one batch changes them, and what of them is to be written."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ordertrail.actions.attribute_settling import Settling
from ordertrail.actions.outcomes import Written
from ordertrail.actions.tagging import Tagging, taken_off
from ordertrail.domain import company as rules
from ordertrail.domain.attribute import ContentType
from ordertrail.domain.company import Company, CompanyChange, CompanyName
from ordertrail.domain.errors import unknown
from ordertrail.domain.journal import Author, Entry, Subject, gone
from ordertrail.kit.committer import Batch
from ordertrail.kit.database import Tx
from ordertrail.store import companies, ids, journal


class Known:
    """The companies that a batch touches, as they are at each point of it."""

    def __init__(
        self,
        tx: Tx,
        workspace_id: int,
        changes: Sequence[CompanyChange],
        names: Sequence[CompanyName],
    ) -> None:
        keys = {c.custom_id for c in changes} | {n.custom_id for n in names}
        numbers = {n.id for n in names if n.id is not None}
        by_key = companies.by_custom_ids(tx, workspace_id, {key for key in keys if key is not None})
        self.by_id = companies.by_ids(tx, workspace_id, numbers)
        self.by_id.update({each.id: each for each in by_key.values()})
        self._by_custom_id = {key: each.id for key, each in by_key.items()}

    def with_custom_id(self, custom_id: str | None) -> Company | None:
        """Return the company with this custom id."""
        found = self._by_custom_id.get(custom_id or "")
        return None if found is None else self.by_id[found]

    def named(self, name: CompanyName) -> Company:
        """Return the company of this name, or raise NotFound."""
        if name.custom_id is not None:
            found = self.with_custom_id(name.custom_id)
        else:
            found = self.by_id.get(name.id or 0)
        if found is None:
            raise unknown("company", name)
        return found

    def keep(self, company: Company) -> None:
        """Take the company in, in place of what it was before."""
        self.forget(company.id)
        self.by_id[company.id] = company
        if company.custom_id is not None:
            self._by_custom_id[company.custom_id] = company.id

    def forget(self, company_id: int) -> None:
        """Take the company out."""
        before = self.by_id.pop(company_id, None)
        if before is not None and before.custom_id is not None:
            self._by_custom_id.pop(before.custom_id, None)


class Writing:
    """One batch of changes of companies on its way; with `creating` they may be of new ones."""

    def __init__(
        self,
        tx: Tx,
        batch: Batch[Any],
        changes: Sequence[CompanyChange] = (),
        names: Sequence[CompanyName] = (),
        *,
        creating: bool = False,
    ) -> None:
        workspace_id = batch.workspace_id
        self.known = Known(tx, workspace_id, changes, names)
        self._batch = batch
        sent = [change.attributes for change in changes]
        self._settling = Settling(tx, workspace_id, ContentType.COMPANY, sent)
        named = {name for change in changes for name in change.tags}
        self._tagging = Tagging(tx, workspace_id, Subject.COMPANY, named)
        new_max = sum(self.known.with_custom_id(change.custom_id) is None for change in changes)
        taken = ids.take(tx, workspace_id, company=new_max if creating else 0)
        self._numbers: Iterator[int] = taken["company"]
        self._before: dict[int, Company | None] = {}
        self._entries: list[Entry] = []

    def settled(self, change: CompanyChange) -> tuple[CompanyChange, tuple[str, ...]]:
        """Return the change with its attributes as they are kept, and warnings."""
        attributes, warnings = self._settling.settle(change.attributes)
        return replace(change, attributes=attributes), warnings

    def create(
        self, change: CompanyChange, author: Author, warnings: tuple[str, ...] = ()
    ) -> Written[Company]:
        """Create the company that a settled change describes, or raise Invalid."""
        rules.check_new(change)
        at = self._batch.at
        company = Company(next(self._numbers), change.name or "", at, at, change.custom_id)
        told = {"custom_id": change.custom_id, "name": change.name}
        made = {name: (None, value) for name, value in told.items() if value is not None}
        return self._take(company, change, author, warnings, made, is_new=True)

    def change(
        self,
        company: Company,
        change: CompanyChange,
        author: Author,
        warnings: tuple[str, ...] = (),
    ) -> Written[Company]:
        """Change the company by a settled change."""
        return self._take(company, change, author, warnings, {})

    def put(
        self,
        before: Company,
        after: Company,
        changes: Mapping[str, tuple[Any, Any]],
        author: Author,
        *,
        contact_id: int | None = None,
        is_new: bool = False,
    ) -> None:
        """Let the company be written as it is after; without changes nothing is."""
        if not changes and not is_new:
            return
        self._before.setdefault(after.id, None if is_new else before)
        self.known.keep(after)
        entry = Entry(
            Subject.COMPANY, after.id, contact_id, is_new, changes, author, self._batch.at
        )
        self._entries.append(entry)

    def remove(self, company: Company, author: Author) -> None:
        """Let the company be deleted."""
        self.put(company, company, gone(company.id), author)
        self.known.forget(company.id)

    def untag(self, company: Company, tag: str, author: Author) -> Written[Company]:
        """Let the company no longer bear a tag."""
        changed, changes = taken_off(company, [tag], self._batch.at)
        self.put(company, changed, changes, author)
        return Written(changed)

    def write(self, tx: Tx) -> None:
        """Write everything that was decided."""
        workspace_id, at = self._batch.workspace_id, self._batch.at
        pairs = [(before, self.known.by_id.get(n)) for n, before in self._before.items()]
        removed = [before.id for before, after in pairs if before is not None and after is None]
        companies.add(tx, workspace_id, [new for old, new in pairs if old is None and new])
        companies.change(tx, workspace_id, [new for old, new in pairs if old and new])
        kept = [(before, after) for before, after in pairs if after is not None]
        self._tagging.write(tx, kept, at)
        were = {(old.id, member) for old, _ in kept if old for member in old.member_ids}
        are = {(new.id, member) for _, new in kept for member in new.member_ids}
        companies.add_members(tx, workspace_id, are - were, at)
        companies.remove_members(tx, workspace_id, were - are)
        companies.delete(tx, workspace_id, removed)
        journal.append(tx, workspace_id, self._entries)
        self._settling.write(tx)

    def _take(
        self,
        company: Company,
        change: CompanyChange,
        author: Author,
        warnings: tuple[str, ...],
        made: dict[str, tuple[Any, Any]],
        *,
        is_new: bool = False,
    ) -> Written[Company]:
        changed, changes = rules.apply(company, change, self._batch.at)
        self._settling.accept(change.attributes)
        changed, tagged, new_tags = self._tagging.put_on(changed, change.tags, self._batch.at)
        self.put(company, changed, made | changes | tagged, author, is_new=is_new)
        return Written(changed, is_new, warnings, new_tags)
