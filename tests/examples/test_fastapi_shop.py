"""The FastAPI shop: its routes, its database and a real platform."""

import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from served_platform import EXAMPLES, Platform
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.orm import Session

import asgi
from ordertrail import Tracker

sys.path.insert(0, str(EXAMPLES / "fastapi_shop"))
import main as shop

ANNA = {"email": "anna@example.com", "lines": [{"sku": "A", "quantity": 2, "unit_price": "9.50"}]}
CONTACT = hashlib.sha256(b"anna@example.com").hexdigest()


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    made = create_engine(f"sqlite:///{tmp_path}/shop.db")
    yield made
    made.dispose()


@pytest.fixture
def tracker(platform: Platform, engine: Engine) -> Iterator[Tracker]:
    with Tracker(platform.url, platform.token, outbox=engine.raw_connection) as made:
        yield made


@pytest.fixture
def client(engine: Engine, tracker: Tracker) -> Iterator[asgi.Caller]:
    with asgi.serving(shop.create_shop(engine, tracker)) as made:
        yield made


def post(client: asgi.Caller, page: str, said: Any = None) -> asgi.Reply:
    return client.call("POST", page, json=said, headers={"content-type": "application/json"})


def test_an_order_that_is_placed_and_shipped_arrives(
    client: asgi.Caller, tracker: Tracker, platform: Platform
) -> None:
    placed = post(client, "/orders", ANNA)
    assert placed.status == 201
    number = placed.json["number"]
    assert post(client, f"/orders/{number}/ship").status == 200
    assert tracker.drain()
    deal = platform.deal(number)
    assert (float(deal["value"]), deal["status"]) == (19.0, 2)


def test_an_order_that_is_rolled_back_sends_nothing(engine: Engine, tracker: Tracker) -> None:
    shop.Base.metadata.create_all(engine)
    with Session(engine) as session:
        row = shop.OrderRow(email="b@example.com", placed_at=shop.datetime.now(shop.UTC), lines=[])
        session.add(row)
        session.flush()
        tracker.placed(shop.snapshot(row), connection=session)
        session.rollback()
    assert tracker.counts().accepted == 0


def test_a_commit_that_fails_saves_neither(
    client: asgi.Caller, engine: Engine, tracker: Tracker
) -> None:
    @event.listens_for(Session, "before_commit")
    def fail(_: Session) -> None:
        raise OSError("the power went")

    try:
        with pytest.raises(OSError, match="the power went"):
            post(client, "/orders", ANNA)
    finally:
        event.remove(Session, "before_commit", fail)
    assert tracker.counts().accepted == 0
    with Session(engine) as session:
        assert session.query(shop.OrderRow).count() == 0


def test_an_order_that_cannot_be_true_is_the_customers_to_mend(
    client: asgi.Caller, engine: Engine
) -> None:
    wrong = {**ANNA, "lines": [{"sku": "A", "quantity": 0, "unit_price": "1"}]}
    answer = post(client, "/orders", wrong)
    assert answer.status == 422
    assert answer.json["detail"] == {"lines[0].quantity": "must be above zero"}
    with Session(engine) as session:
        assert session.query(shop.OrderRow).count() == 0


def test_an_order_that_nobody_placed_cannot_be_shipped(client: asgi.Caller) -> None:
    assert post(client, "/orders/ORD-404/ship").status == 404
