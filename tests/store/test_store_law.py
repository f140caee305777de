"""Every row belongs to a workspace: the tables and the statements say so."""

import ast
import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import ordertrail.store
from ordertrail.kit.sqlite import Sqlite
from ordertrail.store import migrations

NO_TENANT = {
    "workspaces": "is the list of tenants itself",
    "migrations": "is about the database",
}
BEFORE_THE_WORKSPACE_IS_KNOWN = {
    "keys_hash": "the token of a request is what tells its workspace",
    "people_email": "the e-mail of who signs in is what tells the workspace",
}
"""Unique indexes that do not begin with workspace_id, and why."""

STATEMENTS_BEFORE_IT_IS_KNOWN = {
    "keys._BY_HASH": "the token of a request is what tells its workspace",
    "people._BY_EMAIL": "the e-mail of who signs in is what tells the workspace",
}
"""Statements on tenant data that are not given a workspace_id, and why."""

Table = str


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sqlite]:
    file = Sqlite(tmp_path_factory.mktemp("law") / "t.db")
    migrations.apply(file)
    yield file
    file.close()


def ask(database: Sqlite, columns: str, source: str, **more: str) -> list[list[object]]:
    query = f"SELECT json_group_array(json_array({columns})) FROM {source}"
    return database.read(lambda reader: reader.rows(query, **more))


def tables(database: Sqlite) -> list[Table]:
    found = ask(database, "name", "sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    return [str(name) for [name] in found]


def tenant_tables(database: Sqlite) -> list[Table]:
    return [name for name in tables(database) if name not in NO_TENANT]


def columns_of(database: Sqlite, table: Table) -> dict[str, tuple[object, object]]:
    """Each column with whether it must be given, and its place in the primary key."""
    found = ask(database, 'name, "notnull", pk', "pragma_table_info(:t)", t=table)
    return {str(name): (notnull, pk) for name, notnull, pk in found}


def statements() -> dict[str, str]:
    """Every statement of the store, under the name of its constant."""
    found: dict[str, str] = {}
    for module in pkgutil.iter_modules(ordertrail.store.__path__):
        constants = vars(importlib.import_module(f"ordertrail.store.{module.name}"))
        for name, value in constants.items():
            if isinstance(value, str) and re.match(
                r"\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\b", value
            ):
                found[f"{module.name}.{name}"] = value
    return found


def test_there_is_something_to_look_at(database: Sqlite) -> None:
    assert len(tenant_tables(database)) >= 15
    assert len(statements()) >= 40


def test_every_row_of_a_tenant_names_its_workspace(database: Sqlite) -> None:
    without = [
        table
        for table in tenant_tables(database)
        if columns_of(database, table).get("workspace_id", (0, 0))[0] != 1
    ]
    assert without == []


def test_every_primary_key_begins_with_the_workspace(database: Sqlite) -> None:
    first = {
        table: [name for name, (_, pk) in columns_of(database, table).items() if pk == 1]
        for table in tenant_tables(database)
    }
    assert {table: names for table, names in first.items() if names != ["workspace_id"]} == {}


def test_every_unique_index_begins_with_the_workspace(database: Sqlite) -> None:
    wrong: set[str] = set()
    for table in tenant_tables(database):
        for [index] in ask(database, "name", 'pragma_index_list(:t) WHERE "unique" = 1', t=table):
            [[column]] = ask(
                database, "name", "pragma_index_info(:i) WHERE seqno = 0", i=str(index)
            )
            if column != "workspace_id":
                wrong.add(str(index))
    assert wrong == set(BEFORE_THE_WORKSPACE_IS_KNOWN)


def test_every_other_index_begins_with_the_workspace_too(database: Sqlite) -> None:
    for table in tenant_tables(database):
        for [index] in ask(database, "name", 'pragma_index_list(:t) WHERE "unique" = 0', t=table):
            [[column]] = ask(
                database, "name", "pragma_index_info(:i) WHERE seqno = 0", i=str(index)
            )
            assert column == "workspace_id", index


def test_every_foreign_key_stays_in_the_workspace(database: Sqlite) -> None:
    checked = 0
    for table in tenant_tables(database):
        columns = 'id, seq, "table", "from", coalesce("to", \'\')'
        for _, seq, target, source, to in ask(
            database, columns, "pragma_foreign_key_list(:t)", t=table
        ):
            if seq == 0:
                wanted = "id" if target == "workspaces" else "workspace_id"
                assert (source, to) == ("workspace_id", wanted), table
                checked += 1
    assert checked >= 15


def test_every_statement_on_tenant_data_is_given_the_workspace(database: Sqlite) -> None:
    named = "|".join(tenant_tables(database))
    touches = re.compile(rf"\b(FROM|JOIN|INTO|UPDATE)\s+({named})\b")
    without = {
        name
        for name, statement in statements().items()
        if touches.search(statement) and ":workspace_id" not in statement
    }
    assert without == set(STATEMENTS_BEFORE_IT_IS_KNOWN)


def test_every_table_in_a_statement_is_bound_to_the_workspace(database: Sqlite) -> None:
    """Of several tables in one statement each has its own condition on workspace_id."""
    named = "|".join(tenant_tables(database))
    sources = re.compile(rf"\b(?:FROM|JOIN|INTO|UPDATE)\s+(?:{named})\b")
    for name, statement in statements().items():
        if name not in STATEMENTS_BEFORE_IT_IS_KNOWN:
            uses = len(sources.findall(statement))
            assert statement.count("workspace_id") >= uses, name


def functions() -> Iterator[ast.FunctionDef]:
    for path in Path(ordertrail.store.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef):
                yield node


def texts(function: ast.FunctionDef) -> Iterator[str]:
    """Every text in a function as it is written; one with placeholders is one text."""
    nodes = [node for node in ast.walk(function) if isinstance(node, ast.JoinedStr | ast.Constant)]
    parts = {id(part) for node in nodes if isinstance(node, ast.JoinedStr) for part in node.values}
    yield from (ast.unparse(node) for node in nodes if id(node) not in parts)


def test_a_statement_made_in_a_function_names_the_workspace_too(database: Sqlite) -> None:
    touches = re.compile(rf"\b(FROM|JOIN|INTO|UPDATE)\s+({'|'.join(tenant_tables(database))})\b")
    told = re.compile(r":workspace_id|\{where\}")
    wrong = [
        f"{function.name}: {text}"
        for function in functions()
        for text in texts(function)
        if touches.search(text) and not told.search(text)
    ]
    assert wrong == []
    conditions = [each for each in functions() if each.name.endswith("_conditions")]
    assert [each.name for each in conditions if ":workspace_id" not in ast.unparse(each)] == []
