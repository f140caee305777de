"""All migrations in order give the tables of today; a database that does not fit is refused."""

import re
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import pytest

from ordertrail.kit.database import DatabaseRefused, Dialect, Reader
from ordertrail.kit.sqlite import Sqlite
from ordertrail.store import migrations

SCHEMA = (
    "SELECT json_group_array(json_array(type, name, tbl_name, sql)) FROM"
    " (SELECT * FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'"
    " ORDER BY type, name)"
)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Sqlite]:
    file = Sqlite(tmp_path / "t.db")
    yield file
    file.close()


def schema(database: Sqlite) -> list[list[str]]:
    """Every table and index with its words, spacing aside."""
    found = database.read(lambda reader: reader.rows(SCHEMA))
    words = re.compile(r"[(),]|[^\s(),]+")
    return [[kind, name, table, " ".join(words.findall(sql))] for kind, name, table, sql in found]


def test_all_migrations_in_order_give_the_tables_of_today(database: Sqlite, tmp_path: Path) -> None:
    migrations.apply(database)
    today = (resources.files("ordertrail.store") / "schema" / "sqlite" / "tables.sql").read_text(
        "utf-8"
    )
    fresh = Sqlite(tmp_path / "fresh.db")
    fresh.write(lambda tx: tx.run(today))
    migrated = [row for row in schema(database) if row[2] != "migrations"]
    assert migrated == schema(fresh)
    assert len(migrated) > 20
    fresh.close()


def test_migrations_are_numbered_without_gaps() -> None:
    every = migrations.every(Dialect.SQLITE)
    assert [migration.version for migration in every] == list(range(1, len(every) + 1))
    assert all(migration.name.replace("_", "").isalnum() for migration in every)


def test_migrations_run_once(database: Sqlite) -> None:
    assert migrations.apply(database) == migrations.every(Dialect.SQLITE)
    before = schema(database)
    assert migrations.apply(database) == []
    assert schema(database) == before


def test_what_is_pending_is_told_before_and_after(database: Sqlite) -> None:
    database.write(lambda tx: None)
    assert migrations.pending(database) == migrations.every(Dialect.SQLITE)
    migrations.apply(database)
    assert migrations.pending(database) == []


def remembered(reader: Reader) -> list[list[object]]:
    return reader.rows("SELECT json_group_array(json_array(version, checksum)) FROM migrations")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (
            "INSERT INTO migrations SELECT 9999, name, checksum, 0 FROM migrations LIMIT 1",
            "9999.*newer",
        ),
        ("UPDATE migrations SET checksum = 'other' WHERE version = 1", "1 of the database differs"),
    ],
)
def test_a_database_of_another_release_is_refused_and_left_alone(
    database: Sqlite, change: str, why: str
) -> None:
    migrations.apply(database)
    database.write(lambda tx: tx.run(change))
    before = (schema(database), database.read(remembered))
    with pytest.raises(DatabaseRefused, match=why):
        migrations.apply(database)
    with pytest.raises(DatabaseRefused, match=why):
        migrations.pending(database)
    assert (schema(database), database.read(remembered)) == before


def test_a_migration_that_fails_leaves_nothing(database: Sqlite) -> None:
    """The tables of the first one are there already, made by somebody else."""
    database.write(lambda tx: tx.run("CREATE TABLE journal (id INTEGER) STRICT"))
    before = schema(database)
    with pytest.raises(Exception, match="journal"):
        migrations.apply(database)
    assert schema(database) == before
