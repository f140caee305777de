"""PostgreSQL itself says that its tables, and each table in a statement, keep to one workspace."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from test_plans_on_postgres import fill, plan
from test_store_law import (
    BEFORE_THE_WORKSPACE_IS_KNOWN,
    NO_TENANT,
    STATEMENTS_BEFORE_IT_IS_KNOWN,
    statements,
)

from ordertrail.kit.database import Dialect
from ordertrail.kit.postgres import Postgres
from ordertrail.kit.wording import worded
from ordertrail.store import sharding
from postgres_server import Server

OF_THE_INSTALLATION = {
    "workspaces._ALL": "asks for the list of tenants itself",
    "migrations": "is about the schema",
    "inspection": "is about the database",
    "partitions": "is about the database",
    "sharding": "is about the database",
}
"""Statements, or modules of them, that are not about one workspace, and why."""

LAW = {
    name: statement
    for name, statement in statements().items()
    if not {name, name.partition(".")[0]} & OF_THE_INSTALLATION.keys()
    and name not in STATEMENTS_BEFORE_IT_IS_KNOWN
}
TABLES = (
    "SELECT CAST(relname AS text) FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition"
    " AND relnamespace = CAST('public' AS regnamespace)"
)
FIRST_COLUMNS = (
    "SELECT CAST(t.relname AS text), CAST(c.relname AS text), CAST(a.attname AS text),"
    " a.attnotnull FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
    " JOIN pg_class t ON t.oid = i.indrelid"
    " JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]"
    " WHERE t.relnamespace = CAST('public' AS regnamespace)"
)
FOREIGN_KEYS = (
    "SELECT CAST(c.conname AS text), CAST(o.relname AS text), CAST(a.attname AS text),"
    " CAST(b.attname AS text) FROM pg_constraint c JOIN pg_class o ON o.oid = c.confrelid"
    " JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]"
    " JOIN pg_attribute b ON b.attrelid = c.confrelid AND b.attnum = c.confkey[1]"
    " WHERE c.contype = 'f'"
)


@pytest.fixture(scope="module")
def database(postgres: Server) -> Iterator[Postgres]:
    with postgres.platform() as url:
        fill(url, 5)
        opened = Postgres(url)
        yield opened
        opened.close()


def ask(database: Postgres, query: str) -> list[tuple[Any, ...]]:
    return database.read(lambda reader: reader.fetch(query))


def test_every_index_of_a_tenants_table_begins_with_its_workspace(database: Postgres) -> None:
    found = ask(database, FIRST_COLUMNS)
    assert len(found) > 40
    wrong = {
        index
        for table, index, column, is_given in found
        if table not in NO_TENANT and (column, is_given) != ("workspace_id", True)
    }
    assert wrong == set(BEFORE_THE_WORKSPACE_IS_KNOWN)


def test_every_foreign_key_stays_in_the_workspace_on_postgresql(database: Postgres) -> None:
    found = ask(database, FOREIGN_KEYS)
    assert len(found) > 30
    for name, table, column, told in found:
        wanted = "id" if table == "workspaces" else "workspace_id"
        assert (column, told) == ("workspace_id", wanted), name


def test_every_table_has_its_place_among_shards(database: Postgres) -> None:
    placed = ["workspaces", *sharding.DISTRIBUTED, *sharding.EVERYWHERE, *sharding.LOCAL]
    assert sorted(placed) == sorted(name for (name,) in ask(database, TABLES))


@pytest.mark.parametrize("name", LAW)
def test_each_table_in_a_statement_is_bound_to_one_workspace(database: Postgres, name: str) -> None:
    """By the conditions that PostgreSQL puts on each table, whatever way they are written."""
    for step in plan(database, LAW[name]):
        if "Relation Name" in step and step["Node Type"] != "ModifyTable":
            conditions = " ".join(str(step.get(kind, "")) for kind in ("Index Cond", "Filter"))
            key = "id" if step["Relation Name"] == "workspaces" else "workspace_id"
            assert re.search(rf"\b{key} = ", conditions), step


@pytest.mark.parametrize("name", LAW)
def test_a_statement_can_be_planned_for_one_shard(name: str) -> None:
    """What functions it calls, and where, as decision 23 has it."""
    text = worded(LAW[name], Dialect.POSTGRES)
    table = re.search(r"(?:UPDATE|DELETE FROM|INTO)\s+(\w+)", text)
    if table is not None and table[1] not in sharding.LOCAL:
        assert not re.search(r"\b(clock_timestamp|random|nextval|gen_random_uuid)\(", text)
    assert "TABLESAMPLE" not in text
    assert "RECURSIVE" not in text
