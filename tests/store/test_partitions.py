"""Old parts of the journal and of the log of requests go; partitions are made ahead of time."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

import served
from ordertrail import opening
from ordertrail.domain.journal import Author, Entry, Origin, Subject
from ordertrail.kit import clock
from ordertrail.kit.database import Dialect
from ordertrail.kit.postgres import Postgres
from ordertrail.kit.sqlite import Sqlite
from ordertrail.settings import Settings
from ordertrail.store import journal, partitions, workspaces
from ordertrail.store.partitions import Done, Kept
from ordertrail.store.workspaces import Workspace
from postgres_server import Server

NOVEMBER = datetime(2026, 11, 24, 12, tzinfo=UTC)
SOMEBODY = Author("key:1", Origin.LIVE)
WHEN_A_PART_HAS_ROWS = "SELECT CAST(tableoid::regclass AS text), count(*) FROM {} GROUP BY 1"


LOG = (
    "INSERT INTO requests (workspace_id, id, at, method, path, status, duration_micros, request_id)"
    " VALUES (1, :id, :id, 'GET', '/', 200, 1, 'r') ON CONFLICT DO NOTHING"
)
"""A call that is logged; its number is its time."""


def write(database: Postgres | Sqlite, *moments: datetime, workspace_id: int = 1) -> None:
    """A change at each of these times, and a call at each of them."""
    entries = [Entry(Subject.DEAL, 1, None, False, {}, SOMEBODY, at) for at in moments]
    database.write(lambda tx: journal.append(tx, workspace_id, entries))
    for at in set(moments):
        database.write(lambda tx, at=at: tx.run(LOG, id=clock.to_micros(at)))


def changes(database: Postgres | Sqlite, workspace_id: int = 1) -> list[datetime]:
    found = database.read(lambda r: journal.of_subject(r, workspace_id, Subject.DEAL, 1, 9_999))
    return [entry.at for entry in found]


def rows_of(database: Postgres, table: str) -> dict[str, int]:
    """How many rows are in each part of a table that has some."""
    return dict(database.read(lambda reader: reader.fetch(WHEN_A_PART_HAS_ROWS.format(table))))


def names(database: Postgres, table: str) -> list[str]:
    return [each.name for each in database.read(partitions.every) if each.table == table]


def keep_up(database: Postgres | Sqlite, now: datetime, **kept: int) -> Done:
    return partitions.upkeep(database, database.dialect, Kept(**kept), now)


@pytest.fixture
def database(postgres: Server) -> Iterator[Postgres]:
    settings = Settings(database_url=postgres.new_database())
    opened = opening.opened(settings, "uid", lambda: NOVEMBER)
    assert isinstance(opened, Postgres)
    yield opened
    opened.close()


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Sqlite]:
    settings = Settings(database_url=f"sqlite:///{tmp_path}/t.db")
    opened = opening.opened(settings, "uid", lambda: NOVEMBER)
    assert isinstance(opened, Sqlite)
    yield opened
    opened.close()


def test_what_happens_now_and_soon_has_partitions(database: Postgres) -> None:
    write(database, NOVEMBER, NOVEMBER + timedelta(days=7), datetime(2027, 2, 28, tzinfo=UTC))
    assert rows_of(database, "journal") == {
        "journal_2026_11": 1,
        "journal_2026_12": 1,
        "journal_2027_02": 1,
    }
    assert rows_of(database, "requests") == {
        "requests_2026_11_24": 1,
        "requests_2026_12_01": 1,
        "requests_net": 1,
    }


def test_time_that_passes_has_partitions_made_ahead_of_it(database: Postgres) -> None:
    done = keep_up(database, NOVEMBER + timedelta(days=7))
    assert done.made == ["journal_2027_03", *(f"requests_2026_12_{n:02}" for n in range(2, 9))]
    assert keep_up(database, NOVEMBER + timedelta(days=7)) == Done()


def test_a_partition_is_dropped_when_all_of_it_is_too_old_and_no_sooner(database: Postgres) -> None:
    at = datetime(2026, 11, 30, 23, 59, 59, tzinfo=UTC)
    write(database, NOVEMBER, at, at + timedelta(seconds=1))
    young = keep_up(database, at + timedelta(days=7), request_days=7, journal_days=7)
    assert young.dropped == [f"requests_2026_11_{n}" for n in range(24, 30)]
    old = keep_up(database, at + timedelta(days=7, seconds=1), request_days=7, journal_days=7)
    assert old.dropped == ["requests_2026_11_30", "journal_2026_11"]
    assert changes(database) == [at + timedelta(seconds=1)]
    assert rows_of(database, "requests") == {"requests_2026_12_01": 1}
    assert old.deleted == 0


def test_the_journal_is_kept_for_ever_unless_a_time_is_set(
    database: Postgres, file: Sqlite
) -> None:
    for place in (database, file):
        write(place, NOVEMBER)
        keep_up(place, NOVEMBER + timedelta(days=3650), request_days=7)
        assert changes(place) == [NOVEMBER]


def test_what_is_in_no_partition_is_in_the_net_and_goes_from_there_in_small_steps(
    database: Postgres,
) -> None:
    early = datetime(2026, 1, 1, tzinfo=UTC)
    many = 2 * partitions.DELETE_ROWS_MAX + 1
    write(database, *[early] * many, NOVEMBER)
    assert rows_of(database, "journal") == {"journal_net": many, "journal_2026_11": 1}
    assert len(changes(database)) == many + 1
    done = keep_up(database, NOVEMBER, request_days=300, journal_days=300)
    assert done.deleted == many + 1
    assert changes(database) == [NOVEMBER]


def test_a_partition_is_not_made_over_rows_in_the_net(database: Postgres) -> None:
    """A clock that was wrong by years stops nobody from writing when that time has come."""
    later = datetime(2030, 5, 5, tzinfo=UTC)
    write(database, later)
    done = keep_up(database, later)
    assert done.left == ["journal_2030_05", "requests_2030_05_05"]
    write(database, later + timedelta(days=1))
    assert rows_of(database, "journal") == {"journal_net": 2}
    assert len(changes(database)) == 2


def test_who_reads_for_long_delays_a_drop_and_is_not_made_to_wait_for_it(
    database: Postgres,
) -> None:
    write(database, NOVEMBER)
    later = NOVEMBER + timedelta(days=60)
    with psycopg.connect(database.url) as reading:
        reading.execute("SELECT count(*) FROM journal")
        done = keep_up(database, later, journal_days=20)
        assert {"journal_2026_11", "journal_2027_04"} <= set(done.left)
        assert done.dropped == []
        assert reading.execute("SELECT count(*) FROM journal").fetchone() == (1,)
    assert "journal_2026_11" in keep_up(database, later, journal_days=20).dropped


def test_several_processes_may_keep_up_at_once(database: Postgres) -> None:
    later = NOVEMBER + timedelta(days=400)
    done: list[Done] = []
    working = [
        threading.Thread(target=lambda: done.append(keep_up(database, later, journal_days=20)))
        for _ in range(3)
    ]
    for thread in working:
        thread.start()
    for thread in working:
        thread.join(30)
    assert len(done) == 3
    assert partitions.missing(database.read(partitions.every), later) == []
    assert names(database, "journal") == [f"journal_{name}" for name in (
        "2027_12", "2028_01", "2028_02", "2028_03",
    )]  # fmt: skip


def test_on_sqlite_the_journal_of_every_workspace_is_deleted_in_small_steps(file: Sqlite) -> None:
    other = Workspace(2, "w2", "Other", "EUR", "UTC", NOVEMBER)
    file.write(lambda tx: workspaces.add(tx, other))
    old, many = NOVEMBER - timedelta(days=31), partitions.DELETE_ROWS_MAX + 1
    write(file, *[old] * many, NOVEMBER)
    write(file, old, NOVEMBER, workspace_id=2)
    assert keep_up(file, NOVEMBER, journal_days=30).deleted == many + 1
    assert changes(file) == changes(file, 2) == [NOVEMBER]
    assert file.dialect is Dialect.SQLITE


def test_what_is_read_from_the_journal_is_shorter_when_old_parts_are_gone_and_right(
    tmp_path: Path,
) -> None:
    now = served.HandClock(datetime(2026, 1, 10, tzinfo=UTC))
    with served.serve(tmp_path, now, journal_days_max=40) as platform:
        token = platform.new_token()

        def call(method: str, path: str, body: object = None) -> Any:
            reply = platform.call(token, method, f"/api/public/{path}", body)
            assert reply.status in (200, 201, 204), reply.text
            return reply.json if reply.text else None

        call("POST", "users/update_or_create/", {"custom_id": "A", "first_name": "Ann"})
        deal = {"custom_id": "D", "name": "Order", "user_custom_id": "A"}
        call("POST", "deals/update_or_create/", {**deal, "stage": 1})
        now.at = datetime(2026, 2, 25, tzinfo=UTC)
        opening.prepare(platform.database, "uid", now)
        call("POST", "deals/update_or_create/", {**deal, "stage": 2})
        assert len(call("GET", "deals-by-id/D/stage-changes/")["results"]) == 2
        now.at = datetime(2026, 3, 15, tzinfo=UTC)
        platform.do_background_work()
        told = call("GET", "deals-by-id/D/stage-changes/")
        assert [(each["stage"], each["stage_name"]) for each in told["results"]] == [
            (2, "Order fulfilled")
        ]
        assert told["count"] == 1
        assert len(call("GET", "users-by-id/A/timeline/")["results"]) == 1
        assert call("GET", "deals-by-id/D/")["stage"] == 2
        call("DELETE", "users-by-id/A/")
        assert call("GET", "deals-by-id/D/")["name"] == "Order"


def test_changes_of_a_clock_that_was_ahead_do_not_keep_the_old_ones(file: Sqlite) -> None:
    ahead, old = NOVEMBER + timedelta(days=900), NOVEMBER - timedelta(days=90)
    write(file, *[ahead] * partitions.DELETE_ROWS_MAX, old)
    assert keep_up(file, NOVEMBER, journal_days=30).deleted == 1
    assert set(changes(file)) == {ahead}
