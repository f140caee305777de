"""The tracker in a shop's PostgreSQL, and in the transactions of the shop there."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal
from typing import Any

import made_orders as made
import psycopg
import pytest
from destination import Destination
from destination_thread import served
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session
from sync_worker import TOKEN

from ordertrail import Invalid, Line, Refused, Tracker

ID = made.PLACED.id
INSERT = "INSERT INTO orders VALUES ('1')"


@pytest.fixture
def shop(postgres: Any) -> str:
    """The address of a shop's database."""
    address: str = postgres.new_database()
    with psycopg.connect(address) as connection:
        connection.execute("CREATE TABLE orders (id text)")
    return address


@pytest.fixture
def there() -> Destination:
    return Destination()


@pytest.fixture
def tracker(shop: str, there: Destination) -> Iterator[Tracker]:
    with served(there) as url, Tracker(url, TOKEN, outbox=shop) as made_here:
        yield made_here


def test_an_order_and_its_sync_are_saved_together(
    shop: str, tracker: Tracker, there: Destination
) -> None:
    with psycopg.connect(shop) as connection:
        connection.execute(INSERT)
        tracker.placed(made.PLACED, connection=connection)
        tracker.fulfilled(ID, connection=connection)
    assert tracker.drain(20)
    assert there.deals[ID]["status"] == 2


def test_an_order_and_its_sync_are_lost_together(shop: str, tracker: Tracker) -> None:
    with psycopg.connect(shop) as connection:
        connection.execute(INSERT)
        tracker.placed(made.PLACED, connection=connection)
        connection.rollback()
        assert connection.execute("SELECT count(*) FROM orders").fetchone() == (0,)
    assert tracker.counts().accepted == 0


def test_sqlalchemy_carries_the_order(shop: str, tracker: Tracker) -> None:
    engine = create_engine(shop.replace("postgresql://", "postgresql+psycopg://"))
    with Session(engine) as session:
        session.execute(text(INSERT))
        tracker.placed(made.PLACED, connection=session)
        session.rollback()
    assert tracker.counts().accepted == 0
    with engine.begin() as connection:
        connection.execute(text(INSERT))
        tracker.placed(made.PLACED, connection=connection)
    assert tracker.counts().accepted == 4
    engine.dispose()


def test_a_connection_that_commits_every_statement_is_refused(shop: str, tracker: Tracker) -> None:
    with psycopg.connect(shop, autocommit=True) as connection:
        with pytest.raises(Refused, match="begin a transaction on it first"):
            tracker.placed(made.PLACED, connection=connection)
        with connection.transaction():
            tracker.placed(made.PLACED, connection=connection)
    assert tracker.counts().accepted == 4


def test_transactions_of_a_shop_that_change_one_order_lose_nothing(shop: str) -> None:
    with Tracker("http://127.0.0.1:9", TOKEN, outbox=shop, deliver=False) as tracker:
        tracker.placed(replace(made.FULFILLED, lines=(Line("A", 40, Decimal(1)),)))

        def back(number: int) -> None:
            if number % 2:
                tracker.returned(ID, lines={"A": 1}, refund_id=f"R{number}")
                return
            with psycopg.connect(shop) as connection:
                tracker.returned(ID, lines={"A": 1}, refund_id=f"R{number}", connection=connection)

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(back, range(40)))
        with pytest.raises(Invalid, match="only 0 of the order"):
            tracker.returned(ID, lines={"A": 1})
