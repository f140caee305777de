"""A PostgreSQL that cannot be used as it is: every command says why, without a secret, and ends."""

from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from served_process import SECRET, Ran, run, serve_in_vain, serving, with_secret

from ordertrail import opening
from ordertrail.kit.database import Dialect
from ordertrail.settings import Settings
from ordertrail.store import migrations
from postgres_server import Server

COMMANDS = (("migrate",), ("keys", "list"), ("keys", "create", "--name", "till"), ("doctor",))
ASKS_FOR_A_PASSWORD = "host all clerk 127.0.0.1/32 scram-sha-256\n"


def admin(url: str) -> "psycopg.Connection[tuple[object, ...]]":
    return psycopg.connect(url, autocommit=True)


@pytest.fixture(scope="module")
def clerk(cluster: Server) -> Callable[[str], str]:
    """Makes an address one with the name of a user who needs a password, and a wrong one."""
    with admin(cluster.url()) as connection:
        connection.execute("CREATE ROLE clerk LOGIN PASSWORD 'right'")
        rules = Path(cluster.folder) / "data" / "pg_hba.conf"
        rules.write_text(ASKS_FOR_A_PASSWORD + rules.read_text())
        connection.execute("SELECT pg_reload_conf()")
    return lambda url: url.replace("postgres@", f"clerk:{SECRET}@")


@pytest.fixture
def url(cluster: Server) -> str:
    return cluster.new_database()


def every_command(url: str) -> Iterator[Ran]:
    for words in COMMANDS:
        yield run(url, *words)
    yield serve_in_vain(url)


def is_refused(ran: Ran, why: str) -> bool:
    """Tell whether a command said in one line why it was refused, and nothing else."""
    *_, line = ran.err.strip().splitlines()
    assert SECRET not in ran.out + ran.err
    return ran.code == 2 and line.startswith("ordertrail: ") and why in line


def test_a_wrong_password_is_refused(url: str, clerk: Callable[[str], str]) -> None:
    for ran in every_command(clerk(url)):
        assert is_refused(ran, 'password authentication failed for user "clerk"; check user,')


def test_no_password_is_refused(url: str, clerk: Callable[[str], str]) -> None:
    for ran in every_command(clerk(url).replace(f":{SECRET}", "")):
        assert is_refused(ran, "no password supplied; check user, password and name")


def test_a_database_that_is_not_there_is_refused(cluster: Server) -> None:
    for ran in every_command(with_secret(cluster.url("nowhere"))):
        assert is_refused(ran, 'database "nowhere" does not exist; check user, password and name')


def test_a_newer_schema_is_refused_and_left_as_it_is(url: str) -> None:
    opening.opened(Settings(database_url=url), "uid").close()
    with admin(url) as connection:
        connection.execute("INSERT INTO migrations VALUES (9999, 'later', 'x', 0)")
        for ran in every_command(with_secret(url)):
            assert is_refused(ran, "migration 9999, which this release does not know; run the")
        assert connection.execute("SELECT count(*) FROM keys").fetchone() == (0,)


@pytest.fixture
def older(url: str) -> str:
    """A database as the release before the newest migration left it."""
    *before, _ = migrations.every(Dialect.POSTGRES)
    with admin(url) as connection:
        if before:
            connection.execute(migrations._REMEMBER)
        for each in before:
            connection.execute(each.text.encode())
            told = (each.version, each.name, each.checksum, 0)
            connection.execute("INSERT INTO migrations VALUES (%s, %s, %s, %s)", told)
    return url


def test_an_older_schema_is_told_of_and_migrated(older: str) -> None:
    told = run(older, "doctor")
    assert (told.code, "1 migrations to run: ordertrail migrate" in told.out) == (0, True)
    assert "1 migrations run" in run(older, "migrate").out
    assert "up to date" in run(older, "doctor").out


@pytest.mark.parametrize("words", [("keys", "list"), ("keys", "create", "--name", "till")])
def test_an_older_schema_is_migrated_by_whoever_comes(older: str, words: tuple[str, ...]) -> None:
    assert run(older, *words).code == 0
    assert "up to date" in run(older, "doctor").out


def test_an_older_schema_is_migrated_by_the_server(older: str) -> None:
    with serving(older) as site:
        assert site.ask("GET", "/readyz").status == 200
    assert "up to date" in run(older, "doctor").out
