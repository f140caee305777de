"""`ordertrail migrate --distribute` tells Citus where each table goes, and refuses without it."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from ran import run

from ordertrail.store import sharding
from postgres_server import Server

STAND_IN = """
CREATE TABLE calls (place serial, said text);
CREATE TABLE pg_dist_partition (logicalrel regclass);
CREATE FUNCTION create_distributed_table(
    table_name regclass, distribution_column text, colocate_with text DEFAULT 'default'
) RETURNS void LANGUAGE sql AS $$
    INSERT INTO calls (said) VALUES (concat_ws(' ', 'by', $2, 'with', $3, $1));
    INSERT INTO pg_dist_partition VALUES ($1) $$;
CREATE FUNCTION create_reference_table(regclass) RETURNS void LANGUAGE sql AS $$
    INSERT INTO calls (said) VALUES ('everywhere ' || $1) $$;
CREATE FUNCTION create_distributed_function(text) RETURNS void LANGUAGE sql AS $$
    INSERT INTO calls (said) VALUES ('function ' || $1) $$;
"""
"""The functions of Citus that are called, which note what they are asked for."""

AS_CITUS = "INSERT INTO pg_extension VALUES (99999, 'citus', 10, 2200, false, '12.1', NULL, NULL)"


@pytest.fixture
def url(postgres: Server) -> str:
    return postgres.new_database()


@pytest.fixture
def cluster(url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(STAND_IN)
        connection.execute("SET allow_system_table_mods = on")
        connection.execute(AS_CITUS)
        yield connection


def calls(cluster: psycopg.Connection) -> list[str]:
    return [said for (said,) in cluster.execute("SELECT said FROM calls ORDER BY place")]


def test_every_table_is_given_its_place_after_those_that_it_refers_to(
    url: str, cluster: psycopg.Connection
) -> None:
    ran = run("migrate", "--distribute", "--database", url)
    assert ran.code == 0, ran.err
    assert calls(cluster) == [
        "by id with default workspaces",
        "everywhere keys",
        "everywhere people",
        *(f"by workspace_id with workspaces {table}" for table in sharding.DISTRIBUTED),
        "function moment_micros(text)",
    ]
    assert "SELECT create_distributed_table('workspaces', 'id')\n" in ran.out


def test_what_is_not_spread_refers_to_nothing_that_is(
    url: str, cluster: psycopg.Connection
) -> None:
    """Citus takes no foreign key from a table that is everywhere or local to a spread one."""
    assert run("migrate", "--distribute", "--database", url).code == 0
    keys = "SELECT conrelid::regclass::text, confrelid::regclass::text FROM pg_constraint"
    spread = {"workspaces", *sharding.DISTRIBUTED}
    order = ["workspaces", *sharding.EVERYWHERE, *sharding.DISTRIBUTED]
    for table, other in cluster.execute(f"{keys} WHERE contype = 'f' AND conparentid = 0"):
        assert table in spread or other not in spread, table
        assert order.index(other) < order.index(table), table


def test_what_is_spread_already_is_left_alone(url: str, cluster: psycopg.Connection) -> None:
    assert run("migrate", "--distribute", "--database", url).code == 0
    before = calls(cluster)
    again = run("migrate", "--distribute", "--database", url)
    assert (again.code, again.out) == (0, "nothing to do\n")
    assert calls(cluster) == before


def test_without_citus_nothing_is_done(url: str, tmp_path: Path) -> None:
    ran = run("migrate", "--distribute", "--database", url)
    assert ran.code == 2
    assert "CREATE EXTENSION citus" in ran.err
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT to_regclass('workspaces')").fetchone() == (None,)
    file = run("migrate", "--distribute", "--database", f"sqlite:///{tmp_path}/t.db")
    assert file.code == 2
    assert "SQLite" in file.err
    assert not (tmp_path / "t.db").exists()
