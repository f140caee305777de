"""The database file: durable, locked against a twin, and plain about what is wrong with it."""

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from ordertrail.kit import json
from ordertrail.kit.database import DatabaseAway, DatabaseRefused, Reader, Tx
from ordertrail.kit.sqlite import ServerLock, Sqlite

COUNT = "SELECT json_array(json_array(count(*))) FROM t"
TAKE_LOCK = """
import sys
from pathlib import Path
from ordertrail.kit.database import DatabaseRefused
from ordertrail.kit.sqlite import ServerLock
lock = ServerLock(Path(sys.argv[1]))
try:
    lock.take()
except DatabaseRefused as refused:
    print(refused)
    sys.exit(3)
print("taken", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Sqlite]:
    file = Sqlite(tmp_path / "a folder" / "t.db")
    file.write(lambda tx: tx.run("CREATE TABLE t (n INTEGER PRIMARY KEY, text TEXT) STRICT"))
    yield file
    file.close()


def add(tx: Tx) -> None:
    tx.run("INSERT INTO t (text) VALUES ('x')")


def count(reader: Reader) -> int:
    [[n]] = reader.rows(COUNT)
    return int(n)


def pragma(tx: Tx, name: str) -> object:
    [(value,)] = tx.fetch(f"PRAGMA {name}")
    return value


def test_a_commit_is_on_disk_before_anyone_is_told(database: Sqlite) -> None:
    assert database.write(lambda tx: pragma(tx, "journal_mode")) == "wal"
    assert database.write(lambda tx: pragma(tx, "synchronous")) == 2  # FULL
    assert database.write(lambda tx: pragma(tx, "foreign_keys")) == 1
    assert database.write(lambda tx: pragma(tx, "wal_autocheckpoint")) == 0


def test_an_error_undoes_the_whole_transaction(database: Sqlite) -> None:
    class MistakeError(Exception):
        pass

    def add_and_fail(tx: Tx) -> None:
        add(tx)
        raise MistakeError

    with pytest.raises(MistakeError):
        database.write(add_and_fail)
    assert database.read(count) == 0
    database.write(add)
    assert database.read(count) == 1


def test_a_constraint_that_fails_at_commit_undoes_everything(database: Sqlite) -> None:
    database.write(
        lambda tx: tx.run(
            "CREATE TABLE u (n INTEGER REFERENCES t (n) DEFERRABLE INITIALLY DEFERRED) STRICT"
        )
    )

    def add_orphan(tx: Tx) -> None:
        add(tx)
        tx.run("INSERT INTO u VALUES (99)")

    with pytest.raises(apsw.ConstraintError):
        database.write(add_orphan)
    assert database.read(count) == 0
    database.write(add)


@pytest.mark.parametrize(
    "text", ["", "ü€😀", "'; DROP TABLE t; --", "a\nb", '"quoted"', "x" * 100_000]
)
def test_texts_come_back_as_they_went_in(database: Sqlite, text: str) -> None:
    database.write(
        lambda tx: tx.run(
            "INSERT INTO t (text) SELECT value->>0 FROM json_each(:rows)", rows=[[text]]
        )
    )
    query = "SELECT json_group_array(json_array(text)) FROM t"
    assert database.read(lambda reader: reader.rows(query)) == [[text]]


def test_a_second_process_is_refused_and_told_who_serves(tmp_path: Path) -> None:
    path = tmp_path / "t.db"
    command = [sys.executable, "-c", TAKE_LOCK, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == b"taken\n"
        second = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        assert second.returncode == 3
        assert f"pid {first.pid}" in second.stdout
        assert "t.db is served by another process" in second.stdout
        with pytest.raises(DatabaseRefused, match="a database of its own"):
            ServerLock(path).take()
        first.kill()
    mine = ServerLock(path)
    mine.take()
    mine.release()


def test_the_lock_can_be_taken_again_after_its_release(tmp_path: Path) -> None:
    first, second = ServerLock(tmp_path / "t.db"), ServerLock(tmp_path / "t.db")
    first.take()
    with pytest.raises(DatabaseRefused):
        second.take()
    first.release()
    second.take()
    second.release()
    second.release()


def test_one_file_under_two_names_has_one_lock(tmp_path: Path) -> None:
    (tmp_path / "other.db").symlink_to(tmp_path / "t.db")
    first, second = ServerLock(tmp_path / "t.db"), ServerLock(tmp_path / "other.db")
    first.take()
    assert (first.is_held, second.is_held) == (True, False)
    with pytest.raises(DatabaseRefused):
        second.take()
    first.release()
    assert not first.is_held


def test_a_new_file_is_its_owners_alone(database: Sqlite) -> None:
    database.write(add)
    for ending in ("", "-wal", "-shm"):
        file = Path(f"{database.path}{ending}")
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, ending


def test_a_file_that_is_no_database_is_refused_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "t.db"
    path.write_bytes(b"This is a shopping list, not a database.\n" * 200)
    for attempt in (lambda: Sqlite(path).write(add), lambda: Sqlite(path).read(count)):
        with pytest.raises(DatabaseRefused, match=r"t\.db.*restore it from a backup"):
            attempt()


def test_a_damaged_database_is_refused_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "t.db"
    database = Sqlite(path)
    database.write(lambda tx: tx.run("CREATE TABLE t (n INTEGER PRIMARY KEY, text TEXT) STRICT"))
    database.write(
        lambda tx: tx.run(
            "INSERT INTO t (text) SELECT hex(randomblob(500)) FROM json_each(:rows)",
            rows=[[n] for n in range(500)],
        )
    )
    database.close()
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(os.urandom(size - 4096))
    damaged = Sqlite(path)
    with pytest.raises(DatabaseRefused, match="restore it from a backup"):
        damaged.read(lambda reader: reader.rows("SELECT json_group_array(text) FROM t"))
    damaged.close()


def test_a_folder_that_may_not_be_written_is_told_with_what_to_do(tmp_path: Path) -> None:
    a_file = tmp_path / "file"
    a_file.write_text("x")
    for path in (a_file / "t.db", tmp_path, Path("/proc/ordertrail/t.db"), Path("/proc/t.db")):
        with pytest.raises((DatabaseRefused, DatabaseAway), match="folder is there and may be"):
            Sqlite(path).write(add)
    for path in (a_file / "t.db", Path("/proc/ordertrail/t.db"), Path("/proc/t.db")):
        with pytest.raises(DatabaseRefused, match="folder is there and may be"):
            ServerLock(path).take()


def test_a_database_that_another_holds_is_away(tmp_path: Path, database: Sqlite) -> None:
    def read_only(path: Path) -> Iterator[apsw.Connection]:
        other = apsw.Connection(str(path))
        other.execute("BEGIN IMMEDIATE")
        yield other
        other.execute("ROLLBACK")
        other.close()

    impatient = Sqlite(database.path)
    impatient.write(lambda tx: None)
    impatient._writer.set_busy_timeout(1)  # type: ignore[union-attr]
    for _ in read_only(database.path):
        with pytest.raises(DatabaseAway, match="another process is writing"):
            impatient.write(add)
    impatient.write(add)
    impatient.close()


def test_a_missing_file_is_not_made_by_reading(tmp_path: Path) -> None:
    path = tmp_path / "t.db"
    with pytest.raises(DatabaseAway, match="folder is there"):
        Sqlite(path).read(count)
    assert not path.exists()


def test_decimals_are_kept_to_the_last_digit() -> None:
    text = '{"a":149.90,"b":[0.1,1E+3],"c":12345678901234567.89}'
    assert json.loads(json.dumps(json.loads(text))) == json.loads(text)
    assert str(json.loads(text)["a"]) == "149.90"
