"""Readers: many at a time, each on one snapshot, none may write or take too long."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw
import pytest

from ordertrail.kit.database import QueryTooSlow, Reader
from ordertrail.kit.readers import Readers, TooManyReads
from ordertrail.kit.sqlite import Sqlite

COUNT = "SELECT json_array(json_array(count(*))) FROM t"
FOREVER = (
    "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c)"
    " SELECT json_array(json_array(count(*))) FROM c"
)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Sqlite]:
    file = Sqlite(tmp_path / "t.db", read_limit_s=0.2)
    file.write(lambda tx: tx.run("CREATE TABLE t (n INTEGER) STRICT"))
    add(file)
    yield file
    file.close()


@contextmanager
def reading(database: Sqlite, **limits: int) -> Iterator[Readers]:
    readers = Readers(database, **limits)
    readers.start()
    try:
        yield readers
    finally:
        readers.close()


def add(database: Sqlite) -> None:
    database.write(lambda tx: tx.run("INSERT INTO t VALUES (1)"))


def count(reader: Reader) -> int:
    [[n]] = reader.rows(COUNT)
    return int(n)


def ask(readers: Readers, *works: Any) -> list[Any]:
    async def together() -> list[Any]:
        return await asyncio.gather(*map(readers.read, works), return_exceptions=True)

    return asyncio.run(together())


def test_each_gets_his_own_answer(database: Sqlite) -> None:
    def number(n: int) -> Any:
        query = "SELECT json_array(json_array(:n))"
        return lambda reader: reader.rows(query, n=n)[0][0]

    with reading(database) as readers:
        assert ask(readers, *map(number, range(100))) == list(range(100))


def test_a_slow_query_is_stopped_and_harms_no_other(database: Sqlite) -> None:
    with reading(database) as readers:
        slow, quick = ask(readers, lambda reader: reader.rows(FOREVER), count)
        assert isinstance(slow, QueryTooSlow)
        assert "0.2 s" in str(slow)
        assert quick == 1
        assert ask(readers, count, count, count) == [1, 1, 1]


def test_a_slow_query_does_not_outlive_its_snapshot(database: Sqlite) -> None:
    with reading(database, threads=1) as readers:
        ask(readers, lambda reader: reader.rows(FOREVER))
        add(database)
        assert ask(readers, count) == [2]


def test_an_answer_waits_for_no_other_read(database: Sqlite) -> None:
    answered = threading.Event()

    def wait(reader: Reader) -> bool:
        return answered.wait(10)

    async def ask_both(readers: Readers) -> bool:
        quick, slow = map(asyncio.ensure_future, (readers.read(count), readers.read(wait)))
        await quick
        answered.set()
        return await slow

    with reading(database, threads=1) as readers:
        assert asyncio.run(ask_both(readers))


def test_nobody_writes_through_a_reader(database: Sqlite) -> None:
    with reading(database) as readers:
        for statement in (
            "INSERT INTO t VALUES (2) RETURNING json_array(n)",
            "DELETE FROM t RETURNING json_array(n)",
            "CREATE TABLE u (n)",
            "PRAGMA user_version = 5",
        ):
            [refused] = ask(readers, lambda reader, s=statement: reader.rows(s))
            assert isinstance(refused, Exception), statement
        assert ask(readers, count) == [1]


def test_one_read_sees_one_moment(database: Sqlite) -> None:
    begun, written = threading.Event(), threading.Event()

    def look_twice(reader: Reader) -> tuple[int, int]:
        first = count(reader)
        begun.set()
        assert written.wait(10)
        return first, count(reader)

    def write() -> None:
        assert begun.wait(10)
        add(database)
        written.set()

    writer = threading.Thread(target=write)
    writer.start()
    assert database.read(look_twice) == (1, 1)
    writer.join()
    assert database.read(count) == 2


def test_a_mistake_reaches_the_one_who_made_it(database: Sqlite) -> None:
    def fail(reader: Reader) -> None:
        raise KeyError("mine")

    with reading(database) as readers:
        wrong, broken, right = ask(readers, fail, lambda reader: reader.rows("SELEC"), count)
        assert isinstance(wrong, KeyError)
        assert isinstance(broken, apsw.SQLError)
        assert right == 1


def test_too_many_reads_are_refused_and_the_rest_answered(database: Sqlite) -> None:
    go_on = threading.Event()

    def hold(reader: Reader) -> str:
        assert go_on.wait(10)
        return "held"

    async def crowd(readers: Readers) -> list[Any]:
        tasks = [asyncio.ensure_future(readers.read(hold)) for _ in range(40)]
        await asyncio.wait(tasks, timeout=0)
        refused = [task for task in tasks if task.done()]
        assert refused
        go_on.set()
        return await asyncio.gather(*tasks, return_exceptions=True)

    with reading(database, waiting_max=3) as readers:
        answers = asyncio.run(crowd(readers))
    held = answers.count("held")
    assert all(isinstance(each, TooManyReads) for each in answers if each != "held")
    assert 3 <= held < 40


def test_close_answers_what_was_accepted_and_takes_nothing_more(database: Sqlite) -> None:
    go_on = threading.Event()

    def hold(reader: Reader) -> int:
        assert go_on.wait(10)
        return count(reader)

    async def close_meanwhile(readers: Readers) -> list[Any]:
        tasks = [asyncio.ensure_future(readers.read(hold)) for _ in range(5)]
        await asyncio.wait(tasks, timeout=0)
        closing = asyncio.ensure_future(asyncio.to_thread(readers.close))
        go_on.set()
        answers = await asyncio.gather(*tasks)
        await closing
        return answers

    readers = Readers(database, threads=1)
    readers.start()
    assert asyncio.run(close_meanwhile(readers)) == [1] * 5
    with pytest.raises(TooManyReads):
        asyncio.run(readers.read(count))


def test_a_reader_that_goes_away_harms_no_other(database: Sqlite) -> None:
    go_on = threading.Event()

    def hold(reader: Reader) -> int:
        assert go_on.wait(10)
        return count(reader)

    async def leave(readers: Readers) -> int:
        left = asyncio.ensure_future(readers.read(hold))
        await asyncio.wait({left}, timeout=0)
        left.cancel()
        go_on.set()
        return await readers.read(count)

    with reading(database, threads=1) as readers:
        assert asyncio.run(leave(readers)) == 1
