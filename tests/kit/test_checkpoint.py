"""The write-ahead log stays small while writes go on, and nothing of them is lost."""

import threading
import time
from pathlib import Path

from ordertrail.kit.checkpoint import EMPTY_ABOVE_BYTES, Checkpointer
from ordertrail.kit.database import Reader, Tx
from ordertrail.kit.sqlite import Sqlite

ROWS = 2_000
ROUND_BYTES = ROWS * 1_000


def write(tx: Tx) -> None:
    tx.run(
        "INSERT INTO t (text) SELECT hex(randomblob(500)) FROM json_each(:rows)",
        rows=list(range(ROWS)),
    )


def count(reader: Reader) -> int:
    [[n]] = reader.rows("SELECT json_array(json_array(count(*))) FROM t")
    return int(n)


def test_the_log_stays_bounded_under_sustained_writes(tmp_path: Path) -> None:
    database = Sqlite(tmp_path / "t.db")
    database.write(lambda tx: tx.run("CREATE TABLE t (n INTEGER PRIMARY KEY, text TEXT) STRICT"))
    log = Path(f"{database.path}-wal")
    checkpointer = Checkpointer(database)
    checkpointer.start()
    rounds, largest = 0, 0
    while rounds * ROUND_BYTES < 3 * EMPTY_ABOVE_BYTES:
        database.write(write)
        rounds += 1
        largest = max(largest, log.stat().st_size)
        database.read(count)
    checkpointer.stop()
    assert largest < 2 * EMPTY_ABOVE_BYTES
    assert database.read(count) == rounds * ROWS
    database.close()


def test_a_reader_that_stays_does_not_stop_the_folding(tmp_path: Path) -> None:
    """Its snapshot holds the log back, but no writer waits for it, and it is folded afterwards."""
    database = Sqlite(tmp_path / "t.db")
    database.write(lambda tx: tx.run("CREATE TABLE t (n INTEGER PRIMARY KEY, text TEXT) STRICT"))
    checkpointer = Checkpointer(database)
    checkpointer.start()
    seen: list[int] = []
    may_go = threading.Event()
    began = threading.Event()

    def look(reader: Reader) -> None:
        seen.append(count(reader))
        began.set()
        assert may_go.wait(20)
        seen.append(count(reader))

    thread = threading.Thread(target=database.read, args=(look,))
    thread.start()
    assert began.wait(10)
    rounds = 2 * EMPTY_ABOVE_BYTES // ROUND_BYTES
    for _ in range(rounds):
        database.write(write)
    may_go.set()
    thread.join()
    log = Path(f"{database.path}-wal")
    until = time.monotonic() + 10
    while log.stat().st_size > EMPTY_ABOVE_BYTES and time.monotonic() < until:
        database.read(count)
    assert log.stat().st_size <= EMPTY_ABOVE_BYTES
    checkpointer.stop()
    assert seen == [0, 0]
    assert database.read(count) == rounds * ROWS
    database.close()
    assert not Path(f"{database.path}-wal").exists()
