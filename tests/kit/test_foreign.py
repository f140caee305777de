"""A shop's own database, through each driver: saved together, and an outbox to deliver from."""

import contextlib
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy
from psycopg.rows import dict_row, namedtuple_row
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from ordertrail.domain.order import Customer, Line, Order
from ordertrail.kit.database import DatabaseAway, DatabaseRefused, Dialect, Reader, Tx
from ordertrail.kit.foreign import TRIES_MAX, Foreign, joined, tx_of
from ordertrail.sync.operations import Outcome, State
from ordertrail.sync.outbox import Counts, Outbox, Route, open_outbox
from ordertrail.sync.rules import Flow

THERE = "http://there"
ROUTE = Route("shop", THERE)
FLOW = Flow()
PLACED = Order(
    "ORD-1",
    Customer("john@example.com", "17", "John"),
    datetime(2026, 3, 1, tzinfo=UTC),
    "USD",
    (Line("LAMP", 1, Decimal("129.90"), "Lamp"), Line("CASE", 2, Decimal("20.00"), "Case")),
)
FAIL = "DO $$ BEGIN RAISE EXCEPTION 'made to fail' USING ERRCODE = '{}'; END $$"


@dataclass
class Shop:
    """A shop's database with one table: how it connects, and ends what it opened."""

    connect: Callable[[], Any]
    opened: contextlib.ExitStack

    def connection(self) -> Any:
        """A connection in a transaction of the shop's."""
        connection = self.opened.enter_context(contextlib.closing(self.connect()))
        if getattr(connection, "autocommit", None) is True or _commits_by_itself(connection):
            connection.execute("BEGIN")
        return connection

    def orders(self) -> list[tuple[Any, ...]]:
        with contextlib.closing(self.connect()) as connection:
            return tx_of(connection).fetch("SELECT id FROM orders ORDER BY id")


def _commits_by_itself(connection: Any) -> bool:
    return isinstance(connection, sqlite3.Connection) and connection.isolation_level is None


def as_dict(cursor: sqlite3.Cursor, row: tuple[Any, ...]) -> dict[str, Any]:
    return dict(zip([each[0] for each in cursor.description], row, strict=True))


def of_sqlite(path: Path, row_factory: Any = None, **options: Any) -> Callable[[], Any]:
    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(path, **options)
        connection.row_factory = row_factory
        return connection

    return connect


def of_alchemy(url: Any, how: str, opened: contextlib.ExitStack) -> Callable[[], Any]:
    engine = sqlalchemy.create_engine(url, poolclass=NullPool)
    opened.callback(engine.dispose)
    return {
        "connection": engine.connect,
        "raw": engine.raw_connection,
        "session": lambda: Session(engine),
    }[how]


KINDS = [
    "sqlite3", "sqlite3-row", "sqlite3-dict", "sqlite3-by-itself",
    "psycopg", "psycopg-dict", "psycopg-named", "psycopg-by-itself",
    *(f"alchemy-{base}-{how}" for base in ("sqlite", "postgres")
      for how in ("connection", "raw", "session")),
]  # fmt: skip


@pytest.fixture(scope="module")
def address(postgres: Any) -> str:
    address: str = postgres.new_database()
    return address


@pytest.fixture
def url(address: str) -> str:
    """The address of an empty database."""
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    return address


def shop_of(kind: str, request: pytest.FixtureRequest, opened: contextlib.ExitStack) -> Shop:
    library, *how = kind.split("-")
    path = request.getfixturevalue("tmp_path") / "shop.db"
    if library == "sqlite3":
        rows = {"row": sqlite3.Row, "dict": as_dict}.get(how[0] if how else "")
        options = {"isolation_level": None} if "itself" in how else {}
        return Shop(of_sqlite(path, rows, **options), opened)
    if library == "alchemy" and how[0] == "sqlite":
        return Shop(of_alchemy(f"sqlite:///{path}", how[1], opened), opened)
    url = request.getfixturevalue("url")
    if library == "alchemy":
        through = url.replace("postgresql://", "postgresql+psycopg://")
        return Shop(of_alchemy(through, how[1], opened), opened)
    factory: Any = {"dict": dict_row, "named": namedtuple_row}.get(how[0] if how else "")
    options = {"row_factory": factory} if factory else {}
    by_itself = "itself" in how
    return Shop(lambda: psycopg.connect(url, autocommit=by_itself, **options), opened)


@pytest.fixture(params=KINDS)
def shop(request: pytest.FixtureRequest) -> Iterator[Shop]:
    with contextlib.ExitStack() as opened:
        made = shop_of(request.param, request, opened)
        connection = made.connection()
        tx_of(connection).run("CREATE TABLE orders (id TEXT PRIMARY KEY)")
        connection.commit()
        yield made


def place(outbox: Outbox, connection: Any) -> None:
    """Save an order of the shop's and accept it, in one transaction."""
    tx = joined(connection)
    tx.run("INSERT INTO orders VALUES (:id)", id=PLACED.id)
    outbox.accept(ROUTE, FLOW, [PLACED], tx=tx)


def deliver(outbox: Outbox) -> int:
    """Do everything that waits, and return how much that was."""
    lease = outbox.join(THERE, "delivers")
    leased = outbox.claim(lease)
    outbox.settle(lease, [Outcome(each, State.DONE, 1) for each in leased])
    outbox.leave(lease)
    return len(leased)


# ---- every driver ----


def test_what_the_shop_commits_is_delivered(shop: Shop) -> None:
    with open_outbox(shop.connect) as outbox:
        connection = shop.connection()
        place(outbox, connection)
        connection.commit()
        assert shop.orders() == [(PLACED.id,)]
        assert outbox.counts(THERE) == Counts(accepted=4, waiting=4)
        assert deliver(outbox) == 4
        assert outbox.counts(THERE) == Counts(accepted=4, done=4)
        assert outbox.accept(ROUTE, FLOW, [PLACED]).unchanged == 1


def test_what_the_shop_rolls_back_was_never_accepted(shop: Shop) -> None:
    with open_outbox(shop.connect) as outbox:
        connection = shop.connection()
        place(outbox, connection)
        connection.rollback()
        assert shop.orders() == []
        assert outbox.counts(THERE) == Counts()
        again = shop.connection()
        place(outbox, again)
        again.commit()
        assert outbox.counts(THERE) == Counts(accepted=4, waiting=4)


def test_the_first_order_of_all_makes_the_tables_in_the_shops_transaction(shop: Shop) -> None:
    with contextlib.closing(open_outbox(shop.connect)) as outbox:
        connection = shop.connection()
        place(outbox, connection)
        connection.commit()
        assert deliver(outbox) == 4


def test_an_error_undoes_all_and_the_connection_works_on(shop: Shop) -> None:
    class MistakeError(Exception):
        pass

    def add(tx: Tx) -> None:
        tx.run("INSERT INTO orders VALUES (:id)", id="O1")

    def add_and_fail(tx: Tx) -> None:
        add(tx)
        raise MistakeError

    def mistaken(reader: Reader) -> None:
        reader.fetch("SELECT id FROM nowhere")

    with contextlib.closing(Foreign(shop.connect)) as database:
        for _ in range(2):
            with pytest.raises(MistakeError):
                database.write(add_and_fail)
            with pytest.raises(Exception, match="nowhere"):
                database.read(mistaken)
        assert database.read(orders) == []
        database.write(add)
        assert database.read(orders) == [("O1",)]
        assert shop.orders() == [("O1",)]


def test_a_read_is_one_snapshot(shop: Shop) -> None:
    def twice(reader: Reader) -> list[list[tuple[Any, ...]]]:
        before = orders(reader)
        connection = shop.connection()
        tx_of(connection).run("INSERT INTO orders VALUES ('O2')")
        connection.commit()
        return [before, orders(reader)]

    with contextlib.closing(Foreign(shop.connect)) as database:
        if database.dialect is Dialect.SQLITE:
            database.read(lambda reader: reader.fetch("PRAGMA journal_mode"))
            with contextlib.closing(shop.connect()) as connection:
                _raw_of(connection).execute("PRAGMA journal_mode = WAL")
        assert database.read(twice) == [[], []]
        assert database.read(orders) == [("O2",)]


def test_a_connection_that_somebody_closed_is_made_anew(shop: Shop) -> None:
    made: list[Any] = []

    def connect() -> Any:
        made.append(shop.connect())
        return made[-1]

    with contextlib.closing(Foreign(connect)) as database:
        assert database.read(orders) == []
        _raw_of(made[-1]).close()
        with contextlib.suppress(DatabaseAway):
            database.read(orders)
        assert database.read(orders) == []


def orders(reader: Reader) -> list[tuple[Any, ...]]:
    return reader.fetch("SELECT id FROM orders")


def _raw_of(connection: Any) -> Any:
    if isinstance(connection, Session):
        connection = connection.connection()
    if isinstance(connection, sqlalchemy.Connection):
        return connection.connection.dbapi_connection
    return getattr(connection, "dbapi_connection", connection)


# ---- what is refused ----


@pytest.mark.parametrize("kind", ["sqlite3-by-itself", "psycopg-by-itself"])
def test_a_connection_that_commits_every_statement_is_refused_until_it_has_begun(
    kind: str, request: pytest.FixtureRequest
) -> None:
    with contextlib.ExitStack() as opened:
        shop = shop_of(kind, request, opened)
        connection = opened.enter_context(contextlib.closing(shop.connect()))
        with pytest.raises(DatabaseRefused, match="begin a transaction on it first"):
            joined(connection)
        connection.execute("BEGIN")
        joined(connection)


@pytest.mark.parametrize("kind", ["alchemy-sqlite-connection", "alchemy-postgres-connection"])
def test_an_engine_that_commits_every_statement_is_refused(
    kind: str, request: pytest.FixtureRequest
) -> None:
    with contextlib.ExitStack() as opened:
        shop = shop_of(kind, request, opened)
        with shop.connect() as connection:
            by_itself = connection.execution_options(isolation_level="AUTOCOMMIT")
            with pytest.raises(DatabaseRefused, match="begin a transaction on it first"):
                joined(by_itself)


def test_what_is_no_connection_is_refused_by_name() -> None:
    for thing in (object(), "postgresql://", None):
        with pytest.raises(DatabaseRefused, match=f"{type(thing).__name__} is no connection"):
            tx_of(thing)
        with pytest.raises(DatabaseRefused, match="is no connection"):
            open_outbox(lambda thing=thing: thing).open()  # type: ignore[misc]


@pytest.mark.parametrize("kind", ["sqlite3", "psycopg", "alchemy-sqlite-connection"])
def test_a_transaction_of_the_shops_is_never_ended_by_the_outbox(
    kind: str, request: pytest.FixtureRequest
) -> None:
    with contextlib.ExitStack() as opened:
        shop = shop_of(kind, request, opened)
        connection = opened.enter_context(contextlib.closing(shop.connect()))
        tx = joined(connection)
        tx.run("CREATE TABLE orders (id TEXT PRIMARY KEY)")
        database = Foreign(lambda: connection)
        assert database.read(orders) == []
        with pytest.raises(DatabaseRefused, match="hand it over as `connection`"):
            database.write(lambda tx: tx.run("INSERT INTO orders VALUES ('O1')"))
        connection.commit()
        assert shop.orders() == []


# ---- what is wrong is told with what to do ----


def alchemy_or_not(path: Path, opened: contextlib.ExitStack) -> list[Callable[[], Any]]:
    alchemy = of_alchemy(f"sqlite:///{path}?timeout=0", "connection", opened)
    return [of_sqlite(path, timeout=0), alchemy]


def test_sqlite_that_is_locked_full_or_not_there_is_away(tmp_path: Path) -> None:
    with contextlib.ExitStack() as opened:
        path = tmp_path / "shop.db"
        other = opened.enter_context(contextlib.closing(sqlite3.connect(path)))
        other.execute("CREATE TABLE orders (id TEXT PRIMARY KEY)")
        for connect in alchemy_or_not(path, opened):
            database = opened.enter_context(contextlib.closing(Foreign(connect)))
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(DatabaseAway, match="locked; another one is writing"):
                database.write(lambda tx: tx.run("DELETE FROM orders"))
            other.rollback()
            with pytest.raises(DatabaseAway, match="full; make room on its disk"):
                database.write(fill)
            database.write(lambda tx: tx.run("DELETE FROM orders"))
        for connect in alchemy_or_not(tmp_path / "no folder" / "shop.db", opened):
            with pytest.raises(DatabaseAway, match="see that it is there"):
                open_outbox(connect).open()


def fill(tx: Tx) -> None:
    tx.fetch("PRAGMA max_page_count = 5")
    for n in range(100):
        tx.run("INSERT INTO orders VALUES (:id)", id=f"{n}" * 1_000)


def test_what_is_no_database_or_may_not_be_written_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("remember the milk " * 100)
    empty = tmp_path / "shop.db"
    sqlite3.connect(empty).close()
    with contextlib.ExitStack() as opened:
        for connect in alchemy_or_not(path, opened):
            with pytest.raises(DatabaseRefused, match="check the file"):
                open_outbox(connect).open()
        read_only = of_sqlite(f"file:{empty}?mode=ro", uri=True)  # type: ignore[arg-type]
        with pytest.raises(DatabaseRefused, match="or its rights"):
            open_outbox(read_only).open()


POSTGRES = ["psycopg", "psycopg-by-itself", "alchemy-postgres-connection"]


@pytest.mark.parametrize("kind", POSTGRES)
def test_postgres_that_is_full_or_lost_is_away_and_served_again(
    kind: str, request: pytest.FixtureRequest, postgres: Any
) -> None:
    with contextlib.ExitStack() as opened:
        database = Foreign(shop_of(kind, request, opened).connect)
        opened.callback(database.close)
        database.write(lambda tx: tx.run("CREATE TABLE orders (id TEXT PRIMARY KEY)"))
        for code, said in (("53100", "make room"), ("42501", "its rights"), ("57P01", "see that")):
            expected = DatabaseRefused if code == "42501" else DatabaseAway
            with pytest.raises(expected, match=f"made to fail; .*{said}"):
                database.write(lambda tx, code=code: tx.run(FAIL.format(code)))  # type: ignore[misc]
        assert database.read(orders) == []
        postgres.end_connections()
        with pytest.raises(DatabaseAway, match="see that it is there"):
            database.read(orders)
        assert database.read(orders) == []
        postgres.end_connections()
        with pytest.raises(DatabaseAway, match="see that it is there"):
            database.write(orders)
        assert database.write(orders) == []


@pytest.mark.parametrize("kind", POSTGRES)
def test_postgres_commits_durably_and_tries_again_what_others_are_in_the_way_of(
    kind: str, request: pytest.FixtureRequest
) -> None:
    tries: list[str] = []

    def fails(times: int) -> Callable[[Tx], Any]:
        def work(tx: Tx) -> Any:
            tries.append("tried")
            if len(tries) <= times:
                tx.run(FAIL.format("40P01"))
            return tx.fetch("SHOW synchronous_commit")

        return work

    with contextlib.ExitStack() as opened:
        database = Foreign(shop_of(kind, request, opened).connect)
        opened.callback(database.close)
        assert database.write(fails(TRIES_MAX - 1)) == [("on",)]
        assert len(tries) == TRIES_MAX
        tries.clear()
        with pytest.raises(DatabaseAway, match="others write the same rows"):
            database.write(fails(TRIES_MAX))


def test_threads_have_connections_of_their_own(tmp_path: Path) -> None:
    made: list[Any] = []

    def connect() -> Any:
        made.append(sqlite3.connect(tmp_path / "shop.db"))
        return made[-1]

    with open_outbox(connect) as outbox:
        thread = threading.Thread(target=outbox.accept, args=[ROUTE, FLOW, [PLACED]])
        thread.start()
        thread.join()
        assert deliver(outbox) == 4
        assert len(made) == 2


# ---- Django, in a process of its own because it is set up once for all ----

DJANGO = """
import sys
sys.path[:0] = {path!r}
from django.conf import settings
settings.configure(DATABASES={{"default": {database!r}}})
import django
django.setup()
from django.db import connection, transaction
import test_foreign as t
from ordertrail.kit.database import DatabaseRefused
from ordertrail.kit.foreign import joined

def attempt(outbox, *, fails=False):
    try:
        with transaction.atomic():
            t.place(outbox, connection)
            assert outbox.counts(t.THERE).waiting == 4, "a read within joins the transaction"
            if fails:
                raise KeyError
    except KeyError:
        return

with connection.cursor() as cursor:
    cursor.execute("CREATE TABLE orders (id TEXT PRIMARY KEY)")
with t.open_outbox(lambda: connection) as outbox:
    attempt(outbox, fails=True)
    assert outbox.counts(t.THERE) == t.Counts()
    attempt(outbox)
    assert outbox.counts(t.THERE) == t.Counts(accepted=4, waiting=4)
    connection.close()
    assert t.deliver(outbox) == 4, "connected anew after the end of a request"
    assert outbox.accept(t.ROUTE, t.FLOW, [t.PLACED]).unchanged == 1
    try:
        joined(connection)
    except DatabaseRefused as error:
        assert "begin a transaction on it first" in str(error)
    else:
        raise AssertionError("outside of a transaction nothing can be joined")
    with transaction.atomic():
        try:
            outbox.join(t.THERE, "within")
        except DatabaseRefused as error:
            assert "hand it over" in str(error)
        else:
            raise AssertionError("a transaction of the shop's was committed")
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM orders")
        assert cursor.fetchall() == [(t.PLACED.id,)]
print("well")
"""


@pytest.mark.parametrize("base", ["sqlite", "postgres"])
def test_django_saves_together_and_is_delivered_from(
    base: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    database = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(tmp_path / "shop.db")}
    if base == "postgres":
        info = psycopg.conninfo.conninfo_to_dict(request.getfixturevalue("url"))
        database = {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": str(info["dbname"]),
            "USER": str(info["user"]),
            "HOST": str(info["host"]),
            "PORT": str(info["port"]),
        }
    script = DJANGO.format(path=[str(Path(__file__).parent)], database=database)
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("well\n", "")
