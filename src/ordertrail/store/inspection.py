"""What there is to say of a database's tables: indexes that lack or lie idle, partitions, sizes."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib import resources

from ordertrail.kit import clock
from ordertrail.kit.database import Dialect, Reader
from ordertrail.kit.wording import either
from ordertrail.store import partitions

ROWS_COUNTED_MAX = 10_000
LOCKS_AT_ONCE = 20
"""How many readers are thought to plan a query at the same moment."""

_INDEXES_MADE = re.compile(r"^CREATE (?:UNIQUE )?INDEX (\w+) ", re.MULTILINE)
_TABLES_MADE = re.compile(r"^CREATE TABLE (\w+) \(", re.MULTILINE)
_THERE = either(
    "SELECT name FROM sqlite_schema WHERE type = 'index'",
    "SELECT CAST(c.relname AS text) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
    " WHERE i.indisvalid AND c.relnamespace = CAST(current_schema() AS regnamespace)",
)
_IDLE = """
SELECT CAST(coalesce(p.relname, c.relname) AS text)
FROM pg_stat_user_indexes s JOIN pg_index i USING (indexrelid)
JOIN pg_class c ON c.oid = s.indexrelid
LEFT JOIN pg_inherits h ON h.inhrelid = s.indexrelid LEFT JOIN pg_class p ON p.oid = h.inhparent
WHERE s.schemaname = current_schema() AND NOT i.indisunique AND NOT EXISTS (
    SELECT 1 FROM pg_constraint f WHERE f.contype = 'f' AND f.conrelid = i.indrelid
    AND (CAST(i.indkey AS smallint[]))[0 : cardinality(f.conkey) - 1] @> f.conkey
    AND cardinality(f.conkey) > 1)
GROUP BY 1 HAVING sum(s.idx_scan) = 0 ORDER BY 1
"""
_COUNTED_SINCE = (
    "SELECT CAST(extract(epoch FROM stats_reset) * 1000000 AS bigint)"
    " FROM pg_stat_database WHERE datname = current_database()"
)
_IN_NET = "SELECT count(*) FROM (SELECT 1 FROM {}_net LIMIT :rows_max) n"
_LOCKS = (
    "SELECT CAST(current_setting('max_locks_per_transaction') AS bigint)"
    " * (CAST(current_setting('max_connections') AS bigint)"
    " + CAST(current_setting('max_prepared_transactions') AS bigint))"
)
_LOCKED = (
    "SELECT count(*) FROM pg_inherits h JOIN pg_class c ON c.oid = h.inhrelid"
    " LEFT JOIN pg_index i ON i.indexrelid = c.oid WHERE h.inhparent = to_regclass('journal')"
    " OR i.indrelid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = to_regclass('journal'))"
)
_SIZES = either(
    "SELECT coalesce(s.tbl_name, d.name), sum(d.pgsize) FROM dbstat d"
    " LEFT JOIN sqlite_schema s ON s.name = d.name WHERE d.aggregate = 1"
    " GROUP BY 1 ORDER BY 2 DESC",
    "SELECT CAST(coalesce(p.relname, c.relname) AS text),"
    " CAST(sum(pg_total_relation_size(c.oid)) AS bigint)"
    " FROM pg_class c LEFT JOIN pg_inherits h ON h.inhrelid = c.oid"
    " LEFT JOIN pg_class p ON p.oid = h.inhparent"
    " WHERE c.relkind = 'r' AND c.relnamespace = CAST(current_schema() AS regnamespace)"
    " GROUP BY 1 ORDER BY 2 DESC",
)


@dataclass(frozen=True, slots=True)
class Indexes:
    """Indexes of this release's schema that are not there, and such as no query used.

    Those that keep something unique or serve a foreign key are not idle. Uses are counted since
    `since`, or ever when it is None; SQLite counts none.
    """

    missing: Sequence[str]
    unused: Sequence[str] = ()
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Parts:
    """Partitions that are not there yet, and how many rows are in the net of each table.

    No more than ROWS_COUNTED_MAX are counted. `lacks_locks` when the journal has more partitions
    than the lock table of the server is large for.
    """

    missing: Sequence[str]
    in_net: dict[str, int]
    lacks_locks: bool


def wanted_indexes(dialect: Dialect) -> list[str]:
    """Return the names of the indexes of this release's schema, those of primary keys included."""
    folder = resources.files("ordertrail.store") / "schema" / dialect.value
    if dialect is Dialect.SQLITE:
        return _INDEXES_MADE.findall((folder / "tables.sql").read_text())
    text = "".join(file.read_text() for file in folder.iterdir() if file.name.endswith(".sql"))
    return _INDEXES_MADE.findall(text) + [f"{name}_pkey" for name in _TABLES_MADE.findall(text)]


def indexes(reader: Reader, dialect: Dialect) -> Indexes:
    """Return which indexes lack, and on PostgreSQL which ones no query used."""
    there = {name for (name,) in reader.fetch(_THERE)}
    missing = sorted(set(wanted_indexes(dialect)) - there)
    if dialect is Dialect.SQLITE:
        return Indexes(missing)
    [(since,)] = reader.fetch(_COUNTED_SINCE)
    unused = [name for (name,) in reader.fetch(_IDLE)]
    return Indexes(missing, unused, clock.optional_moment(since))


def parts(reader: Reader, now: datetime) -> Parts:
    """Return what is amiss with the partitions of PostgreSQL."""
    missing = [each.name for each in partitions.missing(partitions.every(reader), now)]
    in_net = {
        table: _count(reader, _IN_NET.format(table), rows_max=ROWS_COUNTED_MAX)
        for table in partitions.PLANS
    }
    lacks_locks = _count(reader, _LOCKED) * LOCKS_AT_ONCE > _count(reader, _LOCKS)
    return Parts(missing, in_net, lacks_locks)


def sizes(reader: Reader, but: Collection[str] = ("sqlite_schema",)) -> dict[str, int]:
    """Return how many bytes each table takes with its indexes, the largest first."""
    return {name: int(size) for name, size in reader.fetch(_SIZES) if name not in but}


def _count(reader: Reader, query: str, **asked: int) -> int:
    [(found,)] = reader.fetch(query, **asked)
    return int(found)
