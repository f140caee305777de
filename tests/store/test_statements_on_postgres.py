"""PostgreSQL understands every statement of the store, as it is worded for it."""

import re
from collections.abc import Iterator

import psycopg
import pytest
from test_store_law import statements

from ordertrail.kit.database import Dialect
from ordertrail.kit.wording import worded
from postgres_server import Server

PARAMETER = re.compile(r"(?<![:\w]):([a-z_][a-z_0-9]*)")


@pytest.fixture(scope="module")
def connection(postgres: Server) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    with postgres.platform() as url, psycopg.connect(url, autocommit=True) as connected:
        yield connected


WHOLE = [name for name, text in statements().items() if not re.search(r"\{\d?\}", text)]
"""Those that no table has to be put into first."""


@pytest.mark.parametrize("name", WHOLE)
def test_a_statement_is_understood(
    connection: psycopg.Connection[tuple[object, ...]], name: str
) -> None:
    places: dict[str, str] = {}

    def place(found: re.Match[str]) -> str:
        return places.setdefault(found[1], f"${len(places) + 1}")

    told = PARAMETER.sub(place, worded(statements()[name], Dialect.POSTGRES))
    connection.execute(f"PREPARE asked AS {told}".encode())
    connection.execute("DEALLOCATE asked")


def test_a_time_is_read_while_a_query_is_shared_out_among_processes(postgres: Server) -> None:
    with postgres.platform() as url, psycopg.connect(url, autocommit=True) as connected:
        name = (
            "debug_parallel_query"
            if connected.info.server_version >= 160000
            else "force_parallel_mode"
        )
        connected.execute(f"SET {name} = on".encode())
        query = "SELECT moment_micros('1970-01-01T00:00:01Z'), moment_micros(name) FROM workspaces"
        assert connected.execute(query).fetchall() == [(1_000_000, None)]
