"""What is made of a snapshot is made once for each thing that it is made of."""

from pathlib import Path

from ordertrail.kit.database import Reader
from ordertrail.kit.snapshot import Snapshot
from ordertrail.kit.sqlite import Sqlite


def test_a_thing_is_made_once_of_each_and_anew_of_another_snapshot(tmp_path: Path) -> None:
    made: list[int] = []

    def twice(reader: Reader, number: int) -> int:
        made.append(number)
        found = reader.rows("SELECT json_array(json_array(2 * :n))", n=number)
        return int(found[0][0])

    def ask(reader: Reader) -> list[int]:
        snapshot = Snapshot(reader)
        return [snapshot.once(twice, number) for number in (1, 2, 1, 2)]

    database = Sqlite(tmp_path / "t.db")
    database.write(lambda tx: tx.run("CREATE TABLE t (n INTEGER) STRICT"))
    assert database.read(ask) == [2, 4, 2, 4]
    assert made == [1, 2]
    assert database.write(ask) == [2, 4, 2, 4]
    assert made == [1, 2, 1, 2]
    database.close()
