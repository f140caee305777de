"""Tags and lists as rows: what there is of them, and how they come and go."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar

from ordertrail.domain.tag import ContactList, Tag
from ordertrail.kit import clock
from ordertrail.kit.database import Reader, Tx
from ordertrail.kit.paging import Page, Place
from ordertrail.store import listing, sql
from ordertrail.store.listing import Condition, Table

T = TypeVar("T", bound=Tag | ContactList)


@dataclass(frozen=True, slots=True)
class Group(Generic[T]):
    """A kind of named group: its table, and the table of what is in each.

    `id_column` names the group in the latter.
    """

    table: str
    made: Callable[[int, str], T]
    members: str
    id_column: str
    _statements: dict[str, str] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        table, members, bound = self.table, self.members, "workspace_id = :workspace_id"
        self._statements.update(
            by_id=sql.rows(
                "t.id, t.name",
                f"@list(ids int) j CROSS JOIN {table} t WHERE t.{bound} AND t.id = j.value",
            ),
            by_name=sql.rows(
                "t.id, t.name",
                f"@list(names text) j CROSS JOIN {table} t WHERE t.{bound} AND t.name = j.value",
            ),
            add=sql.insert(table, "id name created_at"),
            rename=f"UPDATE {table} SET name = :name WHERE {bound} AND id = :group_id",
            delete=f"DELETE FROM {table} WHERE {bound} AND id @in(ids int)",
            empty=f"DELETE FROM {members} WHERE {bound} AND {self.id_column} @in(ids int)",
        )

    def by_ids(self, reader: Reader, workspace_id: int, ids: Collection[int]) -> dict[int, T]:
        """Return the groups with these ids."""
        query = self._statements["by_id"]
        found = reader.rows(query, workspace_id=workspace_id, ids=list(ids)) if ids else []
        return {number: self.made(number, name) for number, name in found}

    def by_names(self, reader: Reader, workspace_id: int, names: Collection[str]) -> dict[str, T]:
        """Return the groups with these names."""
        query = self._statements["by_name"]
        found = reader.rows(query, workspace_id=workspace_id, names=list(names)) if names else []
        return {name: self.made(number, name) for number, name in found}

    def page(self, reader: Reader, workspace_id: int, place: Place) -> Page[T]:
        """Return a page of the groups, newest first."""
        table = Table(self.table, "t", "t.id, t.name")
        return listing.page(
            reader,
            workspace_id,
            table,
            listing.EVERYTHING,
            place,
            lambda row: self.made(*row),
            lambda each: each.id,
        )

    def add(self, tx: Tx, workspace_id: int, groups: Sequence[T], at: datetime) -> None:
        """Insert new groups."""
        if groups:
            rows = [[each.id, each.name, clock.to_micros(at)] for each in groups]
            tx.run(self._statements["add"], workspace_id=workspace_id, rows=rows)

    def rename(self, tx: Tx, workspace_id: int, group: T) -> None:
        """Write the name of a group that is there."""
        statement = self._statements["rename"]
        tx.run(statement, workspace_id=workspace_id, group_id=group.id, name=group.name)

    def delete(self, tx: Tx, workspace_id: int, ids: Collection[int]) -> None:
        """Take everything out of groups, and delete them."""
        if ids:
            for name in ("empty", "delete"):
                tx.run(self._statements[name], workspace_id=workspace_id, ids=list(ids))


TAGS = Group("tags", Tag, "taggings", "tag_id")
LISTS = Group("lists", ContactList, "list_members", "list_id")

_BEARERS = Table("taggings", "g", "g.subject_id", key="subject_id")
_MEMBERS = Table("list_members", "m", "m.contact_id", key="contact_id")


def bearers(
    reader: Reader, workspace_id: int, tag_id: int, subject: str, place: Place
) -> Page[int]:
    """Return a page of the ids of things of one kind that bear a tag, newest first."""
    where = "g.tag_id = :tag_id AND g.subject = :subject"
    condition = Condition(where, {"tag_id": tag_id, "subject": subject})
    return listing.page(reader, workspace_id, _BEARERS, condition, place, _id, int)


def listed(reader: Reader, workspace_id: int, list_id: int, place: Place) -> Page[int]:
    """Return a page of the ids of contacts on a list, newest first."""
    condition = Condition("m.list_id = :list_id", {"list_id": list_id})
    return listing.page(reader, workspace_id, _MEMBERS, condition, place, _id, int)


def _id(row: list[Any]) -> int:
    return int(row[0])
