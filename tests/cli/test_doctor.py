"""The doctor tells what state settings and database are in; an address without its password."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from ran import run

from ordertrail import opening
from ordertrail.domain.journal import Author, Entry, Subject
from ordertrail.opening import Place
from ordertrail.settings import Settings, without_password
from ordertrail.store import journal
from postgres_server import Server


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://shop:secret@db.example/outbox",
        "postgresql://shop:sec@ret@db.example/outbox",
        "postgresql://db.example/outbox?user=shop&password=secret&sslmode=require",
    ],
)
def test_the_password_of_an_address_is_not_shown(address: str) -> None:
    shown = without_password(address)
    assert "sec" not in shown
    assert "ret" not in shown
    assert "db.example/outbox" in shown
    assert "***" in shown


def test_an_address_without_a_password_is_shown_whole() -> None:
    assert without_password("sqlite:///shop/orders.db") == "sqlite:///shop/orders.db"


def told(url: str) -> Any:
    ran = run("doctor", "--database", url, "--json")
    assert ran.code == 0, ran.err
    return ran.json["database"]


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/t.db"
    return request.getfixturevalue("postgres").new_database()  # type: ignore[no-any-return]


@pytest.fixture
def database(url: str) -> Iterator[Place]:
    opened = opening.opened(Settings(database_url=url), "uid")
    yield opened
    opened.close()


def test_of_a_new_database_nothing_is_missing(url: str, database: Place) -> None:
    found = told(url)
    assert found["summary"] == "up to date"
    assert found["indexes"]["missing"] == []
    assert {"deals", "journal", "requests"} <= set(found["sizes"])
    assert all(size > 0 for size in found["sizes"].values())
    assert run("doctor", "--database", url).out.count("\n  deals: ") == 1


def test_an_index_that_is_missing_is_named(url: str, database: Place) -> None:
    database.write(lambda tx: tx.run("DROP INDEX deals_contact"))
    assert told(url)["indexes"]["missing"] == ["deals_contact"]
    assert "index deals_contact is missing" in run("doctor", "--database", url).out


def test_an_index_that_no_query_used_is_named_unless_it_must_be_there(postgres: Server) -> None:
    url = postgres.new_database()
    database = opening.opened(Settings(database_url=url), "uid")
    found = told(url)["indexes"]
    assert {"contacts_email", "journal_subject", "answers_age"} <= set(found["unused"])
    unique, of_a_foreign_key = {"deals_custom_id", "journal_pkey"}, {"deals_contact", "events_type"}
    assert not (unique | of_a_foreign_key) & set(found["unused"])
    look = "SELECT 1 FROM journal WHERE workspace_id = 1 AND subject = 'deal' AND subject_id = 1"
    database.write(lambda tx: tx.fetch(look))
    database.write(lambda tx: tx.fetch("SELECT pg_stat_force_next_flush()"))
    assert "journal_subject" not in told(url)["indexes"]["unused"]
    database.close()


def test_what_is_amiss_with_partitions_is_told(postgres: Server) -> None:
    url = postgres.new_database()
    long_ago = datetime(2020, 1, 1, tzinfo=UTC)
    database = opening.opened(Settings(database_url=url), "uid", lambda: long_ago)
    change = Entry(Subject.DEAL, 1, None, False, {}, Author("x"), datetime(2021, 1, 1, tzinfo=UTC))
    database.write(lambda tx: journal.append(tx, 1, [change] * 3))
    found = told(url)["partitions"]
    assert f"journal_{datetime.now(UTC):%Y_%m}" in found["missing"]
    assert found["in_net"] == {"journal": 3, "requests": 0}
    assert not found["lacks_locks"]
    assert "journal_net holds 3 rows" in run("doctor", "--database", url).out
    database.close()
