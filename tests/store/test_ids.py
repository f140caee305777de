"""Ids are given out once, whoever asks at the same time and whatever is undone."""

import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ordertrail.actions import workspaces
from ordertrail.kit.database import Database, Tx
from ordertrail.kit.postgres import Postgres
from ordertrail.kit.sqlite import Sqlite
from ordertrail.store import migrations
from ordertrail.store.ids import take
from ordertrail.store.trials import undone

ASKING = 8
EACH = 5


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    if request.param == "postgresql":
        server = request.getfixturevalue("postgres")
        with server.platform() as url, closing(Postgres(url)) as shared:
            yield shared
        return
    with closing(Sqlite(tmp_path / "t.db")) as file:
        migrations.apply(file)
        now = datetime(2026, 1, 1, tzinfo=UTC)
        file.write(lambda tx: workspaces.ensure_default(tx, "test", now))
        yield file


def numbers(tx: Tx, count: int) -> list[int]:
    return list(take(tx, 1, wanted=count)["wanted"])


def test_ids_grow_from_one_to_the_next(database: Database) -> None:
    given = database.write(lambda tx: [numbers(tx, 2), numbers(tx, 0), numbers(tx, 1)])
    assert given == [[1, 2], [], [3]]
    assert database.write(lambda tx: numbers(tx, 2)) == [4, 5]


def test_what_an_undone_part_of_a_transaction_took_is_not_given_to_another(
    database: Database,
) -> None:
    database.write(lambda tx: numbers(tx, 1))

    def work(tx: Tx) -> list[int]:
        undone(tx, lambda: numbers(tx, 3))
        return numbers(tx, 1)

    given = [*database.write(work), *database.write(lambda tx: numbers(tx, 1))]
    assert len(set(given)) == 2
    assert min(given) > 1


def test_those_who_ask_at_the_same_time_get_different_ones(database: Database) -> None:
    given: list[int] = []

    def ask() -> None:
        for _ in range(EACH):
            given.extend(database.write(lambda tx: numbers(tx, 2)))

    threads = [threading.Thread(target=ask) for _ in range(ASKING)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(given) == list(range(1, ASKING * EACH * 2 + 1))
