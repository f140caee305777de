"""PostgreSQL: durable whatever its settings, one snapshot a read, plain about what is wrong."""

import contextlib
import threading
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

import relay
from ordertrail.kit.database import (
    CommitLost,
    DatabaseAway,
    DatabaseRefused,
    QueryTooSlow,
    Reader,
    Tx,
)
from ordertrail.kit.postgres import PREPARE_AFTER, TRIES_MAX, Postgres
from ordertrail.kit.pyformat import named
from relay import Cut, Relay

COUNT = "SELECT count(*) FROM t"
FAIL = "DO $$ BEGIN RAISE EXCEPTION 'made to fail' USING ERRCODE = '{}'; END $$"


@pytest.fixture(scope="module")
def address(postgres: Any) -> str:
    address: str = postgres.new_database()
    with admin(address) as connection:
        connection.execute("CREATE TABLE t (n bigint PRIMARY KEY, text text)")
    return address


@pytest.fixture
def url(address: str) -> Iterator[str]:
    """The address of a database as new."""
    yield address
    with admin(address) as connection:
        connection.execute("TRUNCATE t")
        connection.execute(f'ALTER DATABASE "{name(address)}" RESET ALL')


@pytest.fixture
def database(url: str) -> Iterator[Postgres]:
    with contextlib.closing(Postgres(url)) as made:
        yield made


def admin(url: str) -> Any:
    return psycopg.connect(url, autocommit=True)


def name(url: str) -> str:
    return url.rpartition("/")[2]


def add(n: int) -> Callable[[Tx], object]:
    """Insert a row, and wait until it is there."""
    return lambda tx: tx.fetch("INSERT INTO t (n, text) VALUES (:n, 'x') RETURNING n", n=n)


def count(reader: Reader) -> int:
    ((n,),) = reader.fetch(COUNT)
    return int(n)


def shown(reader: Reader, name: str) -> str:
    ((value,),) = reader.fetch(f"SHOW {name}")
    return str(value)


def default(url: str, setting: str) -> None:
    """Change what connections to the database begin with."""
    with admin(url) as connection:
        connection.execute(f'ALTER DATABASE "{name(url)}" SET {setting}')


# ---- what it promises whatever the server's settings ----


@pytest.mark.parametrize(
    ("setting", "used"),
    [("off", "on"), ("local", "on"), ("remote_write", "on"), ("on", "on"), ("remote_apply",) * 2],
)
def test_a_commit_is_on_disk_before_anyone_is_told(
    url: str, database: Postgres, setting: str, used: str
) -> None:
    default(url, f"synchronous_commit = {setting}")
    assert database.write(lambda tx: shown(tx, "synchronous_commit")) == used
    assert database.read(lambda reader: shown(reader, "synchronous_commit")) == setting


def test_a_writer_who_waited_for_another_sees_what_that_one_wrote(
    url: str, database: Postgres
) -> None:
    default(url, "default_transaction_isolation = 'serializable'")
    assert database.write(lambda tx: shown(tx, "transaction_isolation")) == "read committed"


def test_a_read_is_one_snapshot_and_the_next_one_is_newer(url: str, database: Postgres) -> None:
    def twice(reader: Reader) -> tuple[int, int]:
        before = count(reader)
        with admin(url) as other:
            other.execute("INSERT INTO t VALUES (1)")
        return before, count(reader)

    assert database.read(twice) == (0, 0)
    assert database.read(count) == 1


def test_a_read_writes_nothing(database: Postgres) -> None:
    with pytest.raises(DatabaseAway, match="read-only"):
        database.read(lambda reader: reader.fetch("INSERT INTO t VALUES (1) RETURNING n"))
    assert database.read(count) == 0


def test_a_read_that_takes_too_long_is_stopped_and_the_next_one_works(url: str) -> None:
    with contextlib.closing(Postgres(url, read_limit_s=0.05)) as database:
        with pytest.raises(QueryTooSlow, match=r"stopped after 0\.05 s"):
            database.read(lambda reader: reader.fetch("SELECT pg_sleep(20)"))
        assert database.read(count) == 0
        assert database.write(lambda tx: shown(tx, "statement_timeout")) == "0"


def test_an_error_undoes_the_whole_transaction(database: Postgres) -> None:
    class MistakeError(Exception):
        pass

    def add_and_fail(tx: Tx) -> None:
        add(1)(tx)
        raise MistakeError

    with pytest.raises(MistakeError):
        database.write(add_and_fail)
    assert database.read(count) == 0
    database.write(add(1))
    assert database.read(count) == 1


def test_a_mistake_in_a_statement_is_told_as_it_is_and_undone(database: Postgres) -> None:
    def mistaken(tx: Tx) -> None:
        add(1)(tx)
        tx.run("INSERT INTO nowhere VALUES (1)")

    with pytest.raises(psycopg.errors.UndefinedTable):
        database.write(mistaken)
    with pytest.raises(psycopg.errors.UndefinedTable):
        database.read(lambda reader: reader.fetch("SELECT 1 FROM nowhere"))
    assert database.read(count) == 0


@pytest.mark.parametrize("text", ["", "ü€😀", "'; DROP TABLE t; --", "a\nb", "100% :n %(n)s"])
def test_texts_come_back_as_they_went_in(database: Postgres, text: str) -> None:
    database.write(lambda tx: tx.run("INSERT INTO t VALUES (1, :text)", text=text))
    query = "SELECT json_agg(json_build_array(n, text)) FROM t"
    assert database.read(lambda reader: reader.rows(query)) == [[1, text]]
    assert database.write(lambda tx: tx.fetch("DELETE FROM t RETURNING text")) == [(text,)]


def test_names_of_parameters_are_told_from_what_looks_like_them() -> None:
    assert named("SELECT :a_b, x::text, '10%'") == "SELECT %(a_b)s, x::text, '10%%'"


# ---- transactions that the database gives up ----


def test_two_that_wait_for_each_other_are_both_done_in_the_end(
    url: str, database: Postgres
) -> None:
    default(url, "deadlock_timeout = '20ms'")
    database.write(add(1))
    database.write(add(2))
    both_hold_one = threading.Barrier(2)
    tries: list[int] = []

    def raise_both(first: int, second: int) -> None:
        met: list[bool] = []

        def work(tx: Tx) -> None:
            tries.append(first)
            tx.fetch("UPDATE t SET text = text || 'y' WHERE n = :n RETURNING n", n=first)
            if not met:
                met.append(True)
                both_hold_one.wait(10)
            tx.run("UPDATE t SET text = text || 'y' WHERE n = :n", n=second)

        database.write(work)

    threads = [threading.Thread(target=raise_both, args=pair) for pair in ((1, 2), (2, 1))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(tries) >= 3
    texts = database.read(lambda reader: reader.fetch("SELECT text FROM t"))
    assert texts == [("xyy",), ("xyy",)]


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("40001", DatabaseAway),
        ("40P01", DatabaseAway),
        ("23505", psycopg.errors.UniqueViolation),
    ],
)
def test_what_others_are_in_the_way_of_is_tried_again_so_many_times(
    database: Postgres, code: str, error: type[Exception]
) -> None:
    tries: list[int] = []

    def fails(times: int) -> Callable[[Tx], None]:
        def work(tx: Tx) -> None:
            tries.append(times)
            add(times)(tx)
            if len(tries) <= times:
                tx.run(FAIL.format(code))

        return work

    database.write(fails(TRIES_MAX - 1))
    assert (len(tries), database.read(count)) == (TRIES_MAX, 1)
    tries.clear()
    with pytest.raises(error, match=r"others write the same rows.*try again|made to fail"):
        database.write(fails(TRIES_MAX))
    assert (len(tries), database.read(count)) == (TRIES_MAX, 1)


# ---- what is wrong is told with what to do ----


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("53100", "make room on the disk"),
        ("53200", "more memory"),
        ("53300", "take more connections"),
        ("55P03", "who holds the lock"),
        ("57014", "what its server is busy with"),
        ("57P01", "see that it runs"),
        ("25006", "takes writes"),
    ],
)
def test_what_passes_is_away_and_says_what_to_do(database: Postgres, code: str, said: str) -> None:
    with pytest.raises(DatabaseAway, match=f"made to fail; .*{said}"):
        database.write(lambda tx: tx.run(FAIL.format(code)))
    database.write(add(1))
    assert database.read(count) == 1


def test_a_user_is_told_when_there_are_too_many_connections_or_too_few_rights(
    postgres: Any, url: str
) -> None:
    with admin(url) as connection:
        connection.execute("DROP ROLE IF EXISTS clerk")
        connection.execute("CREATE ROLE clerk LOGIN CONNECTION LIMIT 0")
        with contextlib.closing(Postgres(url.replace("postgres@", "clerk@"))) as database:
            with pytest.raises(DatabaseAway, match=r"too many connections.*run fewer processes"):
                database.read(count)
            connection.execute("ALTER ROLE clerk CONNECTION LIMIT 1")
            for attempt in (lambda: database.write(add(1)), lambda: database.read(count)):
                with pytest.raises(DatabaseRefused, match=r"permission denied.*grant it"):
                    attempt()
        connection.execute("DROP ROLE clerk")


def test_a_connection_that_is_ended_is_made_again_and_the_work_begun_anew(
    postgres: Any, database: Postgres
) -> None:
    database.write(add(1))
    postgres.end_connections()
    assert database.read(count) == 1
    tries: list[int] = []

    def ended_once(tx: Tx) -> None:
        tries.append(1)
        add(2)(tx)
        if len(tries) == 1:
            postgres.end_connections()
        add(3)(tx)

    database.write(ended_once)
    assert (len(tries), database.read(count)) == (2, 3)


def test_a_connection_that_is_ended_again_and_again_is_told(
    postgres: Any, database: Postgres
) -> None:
    def ended(tx: Tx) -> None:
        add(1)(tx)
        postgres.end_connections()
        add(2)(tx)

    with pytest.raises(DatabaseAway, match="see that it runs"):
        database.write(ended)
    assert database.read(count) == 0


def test_a_transaction_that_stands_still_is_undone_and_begun_anew(url: str) -> None:
    tries: list[int] = []

    def stand_still(tx: Tx) -> None:
        tries.append(1)
        add(len(tries))(tx)
        if len(tries) == 1:
            ended_by_the_server(url)
        add(3)(tx)

    with contextlib.closing(Postgres(url, idle_limit_s=0.1)) as database:
        database.write(stand_still)
        assert database.read(lambda reader: reader.fetch("SELECT n FROM t")) == [(2,), (3,)]
        assert database.read(lambda r: shown(r, "idle_in_transaction_session_timeout")) == "100ms"


def ended_by_the_server(url: str) -> None:
    """Wait until no transaction but that of the asker is open."""
    open_ = "SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction'"
    with admin(url) as connection:
        for _ in range(1_000):
            if connection.execute(open_).fetchone() == (0,):
                return
            connection.execute("SELECT pg_sleep(0.01)")
    raise AssertionError("the transaction is still open")


def test_nobody_waits_for_a_lock_for_ever(database: Postgres) -> None:
    assert database.write(lambda tx: shown(tx, "lock_timeout")) == "30s"


def test_what_the_address_says_of_a_connection_counts(url: str) -> None:
    told = f"{url}?keepalives_idle=77&application_name=till"
    with contextlib.closing(Postgres(told)) as database:
        assert database.read(lambda reader: shown(reader, "application_name")) == "till"
        ((connection,),) = [tuple(database._connections.values())]
        parameters = connection.info.get_parameters()
    assert (parameters["keepalives_idle"], parameters["tcp_user_timeout"]) == ("77", "10000")


def test_connections_of_threads_that_have_ended_are_closed(url: str, database: Postgres) -> None:
    for n in range(5):
        thread = threading.Thread(target=database.write, args=[add(n)])
        thread.start()
        thread.join()
    assert database.read(count) == 5
    assert len(database._connections) == 1


def test_prepared_statements_that_got_lost_are_done_without(url: str) -> None:
    """As behind a pooler that gives each transaction another connection."""
    with contextlib.closing(Postgres(url, prepare_threshold=0)) as database:
        database.write(add(1))
        database.write(lambda tx: tx.run("DO $$ BEGIN EXECUTE 'DEALLOCATE ALL'; END $$"))
        database.write(add(2))
        assert database.read(count) == 2
        names = database.read(
            lambda reader: reader.fetch("SELECT name FROM pg_prepared_statements")
        )
        assert names == []


def test_nothing_is_prepared_where_that_is_asked(url: str) -> None:
    with contextlib.closing(Postgres(url, prepare_threshold=None)) as database:
        for n in range(8):
            database.write(add(n))
        query = "SELECT count(*) FROM pg_prepared_statements"
        assert database.write(lambda tx: tx.fetch(query)) == [(0,)]


# ---- a commit of which nobody knows what became ----


@pytest.mark.parametrize("how", [Cut.ALL, Cut.NOTHING])
def test_a_connection_lost_at_the_commit_is_told_and_the_work_may_be_repeated(
    postgres: Any, url: str, how: Cut
) -> None:
    def once(tx: Tx) -> None:
        tx.run("INSERT INTO t VALUES (1) ON CONFLICT DO NOTHING")

    with (
        Relay(postgres.port) as relay,
        contextlib.closing(Postgres(relay.through(url))) as database,
    ):
        relay.cut(how)
        with pytest.raises(CommitLost, match=r"lost at the commit .*may have been kept"):
            database.write(once)
        database.write(once)
        assert database.read(count) == 1


def test_a_read_whose_end_is_lost_is_made_again(postgres: Any, url: str) -> None:
    with (
        Relay(postgres.port) as relay,
        contextlib.closing(Postgres(relay.through(url))) as database,
    ):
        relay.cut(Cut.NOTHING, reads=True)
        assert database.read(count) == 0
        assert relay.cuts == 1


@pytest.mark.parametrize(
    "user_and_password", ["u:p#cret%zz", "u:se@cret", "u:se@c/cret", "u:s?cret@cret"]
)
def test_an_address_that_cannot_be_read_is_not_repeated(user_and_password: str) -> None:
    with (
        contextlib.closing(Postgres(f"postgresql://{user_and_password}@127.0.0.1/shop")) as made,
        pytest.raises(DatabaseRefused) as refused,
    ):
        made.read(count)
    assert "cret" not in str(refused.value)


WHICH = "SELECT json_group_array(json_array(n)) FROM t WHERE n = :n"


def test_what_was_sent_ahead_is_answered_as_it_was_then_and_asked_but_once(
    database: Postgres,
) -> None:
    database.write(add(1))

    def work(tx: Tx) -> list[object]:
        tx.ahead((WHICH, {"n": 1}), (COUNT, {}))
        tx.run("DELETE FROM t")
        return [tx.rows(WHICH, n=1), tx.rows(WHICH, n=1), tx.fetch(COUNT)]

    assert database.write(work) == [[[1]], [], [(1,)]]


def test_a_query_with_other_parameters_than_were_sent_ahead_is_asked_anew(
    database: Postgres,
) -> None:
    database.write(add(1))
    database.write(add(2))

    def work(tx: Tx) -> list[list[object]]:
        tx.ahead((WHICH, {"n": 1}))
        return tx.rows(WHICH, n=2)

    assert database.write(work) == [[2]]


def test_what_fails_of_the_queries_sent_ahead_undoes_the_transaction(database: Postgres) -> None:
    def work(tx: Tx) -> None:
        add(1)(tx)
        tx.ahead(("SELECT 1 / 0", {}))

    with pytest.raises(psycopg.errors.DivisionByZero):
        database.write(work)
    assert database.read(count) == 0


def test_an_error_does_not_quote_the_row_that_it_is_about(database: Postgres) -> None:
    database.write(lambda tx: tx.run("ALTER TABLE t ADD CHECK (n > 0)"))
    row = {"n": -1, "text": "ada@example.com"}
    with pytest.raises(psycopg.errors.CheckViolation, match="violates check constraint") as told:
        database.write(lambda tx: tx.run("INSERT INTO t VALUES (:n, :text)", **row))
    assert "ada" not in "".join(traceback.format_exception(told.value))


def test_a_commit_that_was_answered_stands_when_the_connection_is_lost_right_after_it(
    postgres: Any, url: str
) -> None:
    tries: list[int] = []

    def work(tx: Tx) -> None:
        tries.append(1)
        add(len(tries))(tx)

    with relay.Relay(postgres.port) as cutting:
        cutting.cut(relay.Cut.ANSWERED)
        with contextlib.closing(Postgres(cutting.through(url))) as database:
            database.write(work)
            assert (len(tries), cutting.cuts) == (1, 1)
            assert database.read(count) == 1


@pytest.mark.parametrize("text", ["ada@example.com", 'a "quoted" ada', 'ada\n"of two lines'])
def test_an_error_about_a_value_does_not_quote_it(database: Postgres, text: str) -> None:
    query = "SELECT CAST(CAST(:text AS text) AS bigint)"
    with pytest.raises(psycopg.errors.DataError, match="for type bigint") as told:
        database.read(lambda reader: reader.fetch(query, text=text))
    assert "ada" not in str(told.value)
    assert "lines" not in str(told.value)


def test_statements_outlive_a_change_of_the_columns_that_they_return(
    url: str, database: Postgres
) -> None:
    def rows(reader: Reader) -> list[tuple[Any, ...]]:
        return reader.fetch("SELECT * FROM changing")

    with admin(url) as connection:
        connection.execute("CREATE TABLE changing AS SELECT CAST(1 AS bigint) n, 'x' AS text")
    for change, expected in (
        ("ADD COLUMN more text", [(1, "x", None)]),
        ("ALTER COLUMN n TYPE text", [("1", "x", None)]),
        ("ALTER COLUMN n TYPE bigint USING CAST(n AS bigint)", [(1, "x", None)]),
        ("DROP COLUMN more", [(1, "x")]),
    ):
        for _ in range(PREPARE_AFTER + 2):
            database.read(rows)
            database.write(rows)
        with admin(url) as connection:
            connection.execute(f"ALTER TABLE changing {change}")
        assert database.write(rows) == database.read(rows) == expected
    query = "SELECT count(*) > 0 FROM pg_prepared_statements"
    for _ in range(PREPARE_AFTER + 2):
        database.write(rows)
    assert database.write(lambda tx: tx.fetch(query)) == [(True,)]


def test_while_one_prepares_a_database_that_is_away_the_others_are_told_at_once(url: str) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def prepare() -> None:
        begun.set()
        go_on.wait(20)

    away = f"{url.partition('@')[0]}@127.0.0.1:1/none"
    with contextlib.closing(Postgres(away)) as database:
        with pytest.raises(DatabaseAway):
            database.read(count)
        database.at_first = prepare

        def come_first() -> None:
            with contextlib.suppress(DatabaseAway):
                database.read(count)

        first = threading.Thread(target=come_first)
        first.start()
        try:
            assert begun.wait(10)
            with pytest.raises(DatabaseAway, match="see that it runs"):
                database.read(count)
            assert first.is_alive()
            assert not go_on.is_set()
        finally:
            go_on.set()
            first.join(20)
