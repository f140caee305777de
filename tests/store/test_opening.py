"""A database is opened as it is, and changed only by whoever may serve it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ordertrail import opening
from ordertrail.kit.database import DatabaseRefused, Dialect
from ordertrail.kit.sqlite import ServerLock, Sqlite
from ordertrail.settings import Settings
from ordertrail.store import migrations, workspaces


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(database_url=f"sqlite:///{tmp_path}/t.db")


@pytest.fixture
def served(tmp_path: Path) -> Iterator[ServerLock]:
    """The lock of the server that runs."""
    lock = ServerLock(tmp_path / "t.db")
    lock.take()
    yield lock
    lock.release()


def test_a_new_database_has_tables_and_a_workspace_and_is_nobodys(settings: Settings) -> None:
    database = opening.opened(settings, "uid")
    assert migrations.pending(database) == []
    [workspace] = database.read(workspaces.every)
    assert workspace.uid == "uid"
    ServerLock(database.path).take()
    database.close()


def test_what_another_serves_is_opened_when_it_is_up_to_date(
    settings: Settings, tmp_path: Path
) -> None:
    opening.opened(settings, "uid").close()
    lock = ServerLock(tmp_path / "t.db")
    lock.take()
    opening.opened(settings, "uid").close()
    lock.release()


def test_what_another_serves_is_not_migrated(
    settings: Settings, served: ServerLock, tmp_path: Path
) -> None:
    with pytest.raises(DatabaseRefused, match="is served by another process"):
        opening.opened(settings, "uid")
    assert not (tmp_path / "t.db").exists()
    older = Sqlite(tmp_path / "t.db")
    older.write(lambda tx: None)
    with pytest.raises(DatabaseRefused, match="is served by another process"):
        opening.opened(settings, "uid")
    assert migrations.pending(older) == migrations.every(Dialect.SQLITE)
    older.close()


def test_the_server_migrates_under_its_own_lock_and_keeps_it(
    settings: Settings, served: ServerLock
) -> None:
    database = opening.opened(settings, "uid", lock=served)
    assert migrations.pending(database) == []
    with pytest.raises(DatabaseRefused):
        ServerLock(database.path).take()
    database.close()
