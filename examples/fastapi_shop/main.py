"""A shop with FastAPI and SQLAlchemy: an order and its sync are saved in one transaction."""

import os
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException, Request
from pydantic import BaseModel
from sqlalchemy import JSON, Engine, create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

import ordertrail


class Base(DeclarativeBase):
    """What the shop keeps."""


class OrderRow(Base):
    """One order of a customer; its lines as they were sent."""

    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str]
    placed_at: Mapped[datetime]
    lines: Mapped[list[dict[str, str | int]]] = mapped_column(JSON)

    @property
    def number(self) -> str:
        """The order's number, as the customer is told."""
        return f"ORD-{self.id}"


class NewLine(BaseModel):
    """A line that somebody orders."""

    sku: str
    quantity: int
    unit_price: Decimal


class NewOrder(BaseModel):
    """What somebody orders."""

    email: str
    lines: list[NewLine]


def snapshot(order: OrderRow) -> ordertrail.Order:
    """Return what Ordertrail is told of an order."""
    return ordertrail.Order(
        id=order.number,
        customer=ordertrail.Customer(order.email),
        placed_at=order.placed_at.replace(tzinfo=UTC),
        currency="EUR",
        lines=tuple(
            ordertrail.Line(str(each["sku"]), int(each["quantity"]), Decimal(each["unit_price"]))
            for each in order.lines
        ),
    )


def create_shop(engine: Engine, tracker: ordertrail.Tracker) -> FastAPI:
    """Return the shop on a database, whose orders go to the tracker."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        Base.metadata.create_all(engine)
        with tracker:
            yield

    shop = FastAPI(lifespan=lifespan)
    shop.state.engine, shop.state.tracker = engine, tracker
    shop.post("/orders", status_code=201)(place)
    shop.post("/orders/{number}/ship")(ship)
    return shop


def session(request: Request) -> Iterator[Session]:
    """Give a session whose transaction is committed when the route is done, and only then."""
    with Session(request.app.state.engine) as opened, opened.begin():
        yield opened


def tracker_of(request: Request) -> ordertrail.Tracker:
    """Return the tracker that the shop was made with."""
    tracker: ordertrail.Tracker = request.app.state.tracker
    return tracker


InTransaction = Annotated[Session, Depends(session, scope="function")]
Tracking = Annotated[ordertrail.Tracker, Depends(tracker_of)]


def place(wanted: NewOrder, session: InTransaction, tracker: Tracking) -> Mapping[str, str]:
    """Place an order. Such a route is run in a thread, so that it may wait for the disk."""
    row = OrderRow(
        email=wanted.email,
        placed_at=datetime.now(UTC),
        lines=[line.model_dump(mode="json") for line in wanted.lines],
    )
    session.add(row)
    session.flush()
    try:
        tracker.placed(snapshot(row), connection=session)
    except ordertrail.Invalid as error:
        raise HTTPException(422, error.fields) from error
    return {"number": row.number}


def ship(number: str, session: InTransaction, tracker: Tracking) -> Mapping[str, str]:
    """Ship an order."""
    try:
        tracker.fulfilled(number, connection=session)
    except ordertrail.NotFound as error:
        raise HTTPException(404, str(error)) from error
    return {"number": number}


def open_shop() -> FastAPI:
    """Return the shop as the environment describes it: `uvicorn --factory shop:open_shop`."""
    engine = create_engine(os.environ.get("SHOP_DATABASE", "sqlite:///shop.db"))
    tracker = ordertrail.Tracker(
        url=os.environ["ORDERTRAIL_URL"],
        token=os.environ["ORDERTRAIL_TOKEN"],
        outbox=engine.raw_connection,
    )
    return create_shop(engine, tracker)
