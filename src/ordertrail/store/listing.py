"""Lists of one table, newest first, one page at a time, from any place on.

A page is found by the key of its neighbour: it is as fast at the end of a list as at its
beginning, and rows that are written meanwhile are neither skipped nor told twice. How many rows a
list has is counted for its first page, and handed on in the cursor.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from ordertrail.kit.database import Reader, Value
from ordertrail.kit.paging import PAGE_SIZE_MAX, Page, Place, page_at
from ordertrail.store import sql

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Condition:
    """What rows must be like: SQL over the table's alias, and the parameters it names."""

    where: str = "true"
    parameters: dict[str, Value] = field(default_factory=dict)

    def and_also(self, other: "Condition") -> "Condition":
        """Return the condition that both hold; their parameters have different names."""
        where = f"({self.where}) AND ({other.where})"
        return Condition(where, {**self.parameters, **other.parameters})


EVERYTHING = Condition()


@dataclass(frozen=True, slots=True)
class Table:
    """A table as a list shows it: `alias` is what conditions and columns call its rows.

    The alias has to be there under the names `workspace_id` and `key`. `index` is the one to find
    its rows by, where the database would go through all of them.
    """

    name: str
    alias: str
    columns: str
    key: str = "id"
    always: str = "true"
    index: str = ""

    @property
    def source(self) -> str:
        """The table as a statement names it."""
        by = f" @by({self.index})" if self.index else ""
        return f"{self.name} {self.alias}{by}"


def page(
    reader: Reader,
    workspace_id: int,
    table: Table,
    condition: Condition,
    place: Place,
    item: Callable[[list[Any]], T],
    key: Callable[[T], int],
) -> Page[T]:
    """Return the page at a place of the rows that the condition allows."""
    found = reader.rows(
        _query(table, condition, place),
        workspace_id=workspace_id,
        limit=PAGE_SIZE_MAX + 1,
        **({} if place.edge is None else {"edge": place.edge}),
        **condition.parameters,
    )
    count = place.count
    if count is None and place.edge is None and len(found) <= PAGE_SIZE_MAX:
        count = len(found)
    elif count is None:
        count = count_of(reader, workspace_id, table, condition)
    return page_at(place, [item(row) for row in found], count, key, PAGE_SIZE_MAX)


def count_of(reader: Reader, workspace_id: int, table: Table, condition: Condition) -> int:
    """Return how many rows the condition allows."""
    where = _where(table, condition)
    query = f"SELECT count(*) FROM {table.source} WHERE {where}"
    [[count]] = reader.fetch(query, workspace_id=workspace_id, **condition.parameters)
    return int(count)


def _query(table: Table, condition: Condition, place: Place) -> str:
    where, alias, key = _where(table, condition), table.alias, f"{table.alias}.{table.key}"
    order = "ASC" if place.is_back else "DESC"
    if place.edge is not None:
        where = f"{where} AND {key} {'>' if place.is_back else '<'} :edge"
    picked = f"(SELECT * FROM {table.source} WHERE {where} ORDER BY {key} {order} LIMIT :limit)"
    return sql.rows(table.columns, f"{picked} {alias}")


def _where(table: Table, condition: Condition) -> str:
    bound = f"{table.alias}.workspace_id = :workspace_id"
    return " AND ".join([bound, f"({table.always})", f"({condition.where})"])
