"""An address that names several servers leads to the one that takes writes."""

import contextlib
import socket
from typing import Any

import psycopg
import pytest

from ordertrail import opening
from ordertrail.kit.database import DatabaseAway
from ordertrail.kit.postgres import Postgres
from ordertrail.settings import Settings
from postgres_server import running

READ_WRITE = "target_session_attrs=read-write"


@pytest.fixture(scope="module")
def standby(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Another server, that takes no writes."""
    with running() as server:
        with psycopg.connect(server.url(), autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET default_transaction_read_only = on")
            connection.execute("SELECT pg_reload_conf()")
        yield server


def unheard() -> int:
    """A port at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        return int(closed.getsockname()[1])


def cluster(*ports: int, name: str = "postgres", more: str = READ_WRITE) -> str:
    hosts = ",".join(f"127.0.0.1:{port}" for port in ports)
    return f"postgresql://postgres@{hosts}/{name}?{more}"


def port_of(database: Postgres) -> int:
    query = "SELECT inet_server_port()"
    found = database.read(lambda reader: reader.fetch(query))[0][0]
    return int(found)


def test_servers_that_are_gone_or_take_no_writes_are_passed_over(
    postgres: Any, standby: Any
) -> None:
    for ports in (
        (unheard(), standby.port, postgres.port),
        (postgres.port, standby.port, unheard()),
    ):
        with contextlib.closing(Postgres(cluster(*ports))) as database:
            assert port_of(database) == postgres.port
            assert database.write(lambda tx: tx.fetch("SELECT 1")) == [(1,)]


def test_when_none_takes_writes_it_is_away(standby: Any) -> None:
    address = cluster(unheard(), standby.port)
    with contextlib.closing(Postgres(address)) as database, pytest.raises(DatabaseAway):
        database.read(lambda reader: reader.fetch("SELECT 1"))


def test_an_installation_opens_at_such_an_address(postgres: Any) -> None:
    name = postgres.new_database().rpartition("/")[2]
    settings = Settings(database_url=cluster(unheard(), postgres.port, name=name))
    with contextlib.closing(opening.opened(settings, "uid")) as database:
        assert opening.named(settings) == settings.database_url
        assert isinstance(database, Postgres)


def test_the_password_in_such_an_address_is_not_shown() -> None:
    address = f"postgresql://u:secret@db1:5432,db2:5433/name?{READ_WRITE}"
    shown = opening.named(Settings(database_url=address))
    assert shown == f"postgresql://u:***@db1:5432,db2:5433/name?{READ_WRITE}"
