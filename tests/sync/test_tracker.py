"""The tracker as a shop's code meets it, with a real outbox and a real HTTP server."""

import asyncio
import re
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import made_orders as made
import pytest
from destination import Destination
from destination_thread import served
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session
from sync_worker import QUICK, TOKEN

from ordertrail import (
    Flow,
    Invalid,
    Line,
    NotFound,
    Order,
    OrdertrailError,
    Place,
    Refused,
    Stages,
    Tracker,
    Unavailable,
)
from ordertrail.client.client import Client
from ordertrail.sync.outbox import open_outbox
from ordertrail.sync.run import run

AWAY = "http://127.0.0.1:9"
GUIDE = Stages(placed=13, fulfilled=12, cancelled=14)
ID = made.PLACED.id


@pytest.fixture
def there() -> Destination:
    return Destination()


@pytest.fixture
def url(there: Destination) -> Iterator[str]:
    with served(there) as address:
        yield address


@pytest.fixture
def tracker(url: str, tmp_path: Path) -> Iterator[Tracker]:
    with Tracker(url, TOKEN, stages=GUIDE, outbox=tmp_path / "outbox") as made:
        yield made


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Tracker]:
    """A tracker that accepts and does not deliver."""
    with Tracker(AWAY, TOKEN, outbox=tmp_path / "outbox", deliver=False) as made:
        yield made


# ---- the way of an order ----


def test_an_order_goes_its_way_through_the_stages(tracker: Tracker, there: Destination) -> None:
    tracker.placed(made.PLACED)
    assert tracker.drain(10)
    assert there.deals[ID]["stage"] == 13
    tracker.fulfilled(ID, at=made.FULFILLED_AT)
    assert tracker.drain(10)
    assert (there.deals[ID]["stage"], there.deals[ID]["status"]) == (12, 2)
    tracker.returned(ID, lines={"SKU-CASE-001": 1})
    assert tracker.drain(10)
    assert (there.deals[ID]["stage"], there.deals[ID]["value"]) == (12, Decimal("129.90"))
    tracker.returned(ID)
    assert tracker.drain(10)
    assert (there.deals[ID]["stage"], there.deals[ID]["value"]) == (14, 0)
    assert [event["event_type"] for _, event in there.product_events] == [
        "order", "order", "purchase", "purchase",
    ]  # fmt: skip
    assert [event["name"] for _, event in there.events] == ["purchase_completed"]


def test_an_order_that_is_cancelled_is_lost(tracker: Tracker, there: Destination) -> None:
    tracker.placed(made.PLACED)
    tracker.cancelled(ID)
    assert tracker.drain(10)
    assert (there.deals[ID]["stage"], there.deals[ID]["status"]) == (14, 3)


def test_a_call_that_is_repeated_sends_nothing(tracker: Tracker, there: Destination) -> None:
    for _ in range(3):
        tracker.placed(made.PLACED)
        tracker.fulfilled(ID, at=made.FULFILLED_AT)
        tracker.returned(ID, lines={"SKU-CASE-001": 1}, refund_id="R1")
    assert tracker.drain(10)
    seen = len(there.seen)
    tracker.placed(made.PLACED)
    tracker.fulfilled(ID)
    tracker.returned(ID, lines={"SKU-CASE-001": 1}, refund_id="R1")
    assert tracker.pending() == 0
    assert len(there.seen) == seen


def test_a_snapshot_of_everything_says_it_all_at_once(tracker: Tracker, there: Destination) -> None:
    tracker.track(made.RETURNED)
    assert tracker.drain(10)
    assert there.deals[ID]["value"] == 0
    tracker.track(made.FULFILLED)
    assert tracker.drain(10)
    assert there.deals[ID]["value"] == Decimal("149.90")


def test_an_older_snapshot_is_ignored_after_a_change() -> None:
    dated = replace(made.PLACED, updated_at=made.PLACED_AT)
    with Tracker.fake(stages=GUIDE) as fake:
        fake.track(dated)
        fake.fulfilled(ID)
        fake.track(dated)
        fake.placed(dated)
        assert fake.holds(ID)["stage"] == 12
        assert fake.counts().older == 2
        fake.track(replace(made.CANCELLED, updated_at=made.CANCELLED_AT))
        assert fake.holds(ID)["stage"] == 14


@pytest.mark.parametrize("number", range(8))
def test_the_next_version_is_newer_than_any_change_of_the_one_before(number: int) -> None:
    first = replace(made.PLACED, version=1, delivery=Decimal(number))
    with Tracker.fake(stages=GUIDE) as fake:
        fake.placed(first)
        fake.fulfilled(ID)
        fake.returned(ID, value=Decimal(1), lines={}, refund_id="R0")
        fake.cancelled(ID)
        fake.track(first)
        assert (fake.counts().older, fake.holds(ID)["stage"]) == (1, 14)
        fake.track(replace(first, version=2, fulfilled_at=made.FULFILLED_AT))
        assert (fake.counts().older, fake.holds(ID)["stage"]) == (1, 12)


def test_statuses_of_the_shop_lead_to_stages_of_their_own(url: str, tmp_path: Path) -> None:
    flow = Flow(stages=GUIDE, statuses={"packing": Place(21), "void": Place(22)})
    there: list[Any] = []
    with Tracker.fake(flow=flow) as fake:
        fake.placed(replace(made.PLACED, status="packing"))
        there.append(fake.holds(ID)["stage"])
        fake.cancelled(ID, status="void")
        there.append(fake.holds(ID)["stage"])
        fake.fulfilled(ID)
        there.append(fake.holds(ID)["stage"])
    assert there == [21, 22, 14]


# ---- what cannot be ----


@pytest.mark.parametrize(
    "call",
    [
        lambda tracker: tracker.fulfilled("ORD-404"),
        lambda tracker: tracker.cancelled("ORD-404"),
        lambda tracker: tracker.returned("ORD-404"),
    ],
)
def test_an_order_that_was_never_taken_is_not_found(
    kept: Tracker, call: Callable[[Tracker], None]
) -> None:
    with pytest.raises(NotFound, match=r"'ORD-404' was never taken here.*track a whole snapshot"):
        call(kept)
    assert kept.counts().accepted == 0


def test_an_order_that_cannot_be_true_is_told_and_kept_apart_until_a_good_one_comes(
    kept: Tracker,
) -> None:
    wrong = replace(made.PLACED, lines=(Line("A", -1, Decimal(1)),))
    for take in (kept.placed, kept.track):
        with pytest.raises(Invalid) as caught:
            take(wrong)
        assert caught.value.fields == {"lines[0].quantity": "must be above zero"}
    (found,) = kept.quarantined()
    assert (found.order_id, found.reason) == (ID, "lines[0].quantity: must be above zero")
    assert kept.counts().quarantined == 1
    kept.placed(made.PLACED)
    assert kept.quarantined() == []


def test_a_refund_above_what_is_left_is_refused_and_changes_nothing(kept: Tracker) -> None:
    kept.placed(made.PLACED)
    before = kept.counts()
    with pytest.raises(Invalid, match=r"what is left of the order, 149\.90 USD"):
        kept.returned(ID, value=Decimal(150))
    with pytest.raises(Invalid, match="must be a Decimal, not a float"):
        kept.returned(ID, value=20.0)  # type: ignore[arg-type]
    with pytest.raises(Invalid, match="time zone"):
        kept.returned(ID, at=datetime(2026, 3, 1))  # noqa: DTZ001
    assert kept.counts() == before
    assert kept.quarantined() == []


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"url": "acme.user.com"}, "url"),
        ({"token": "two words"}, "token"),
        ({"flow": "clever"}, "flow"),
        ({"source": " "}, "source"),
    ],
)
def test_settings_that_cannot_be_right_are_refused_at_once(wrong: Any, field: str) -> None:
    with pytest.raises(Invalid) as caught:
        Tracker(**{"url": AWAY, "token": TOKEN, **wrong})
    assert field in caught.value.fields


def test_a_file_that_is_no_outbox_is_refused_and_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("These are notes, and none of them is an order." * 50)
    tracker = Tracker(AWAY, TOKEN, outbox=file, deliver=False)
    with tracker, pytest.raises(Refused, match=r"notes\.txt"):
        tracker.placed(made.PLACED)
    assert file.read_text().startswith("These are notes")


def test_an_outbox_that_cannot_be_written_is_told_and_works_once_it_can(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with Tracker(AWAY, TOKEN, outbox=tmp_path / "file" / "outbox", deliver=False) as tracker:
        with pytest.raises(OrdertrailError, match="see that its folder is there"):
            tracker.placed(made.PLACED)
        (tmp_path / "file").unlink()
        tracker.placed(made.PLACED)
        assert tracker.pending() == 4


# ---- the network, and its absence ----


def test_nothing_is_opened_before_the_first_call(tmp_path: Path) -> None:
    Tracker(AWAY, TOKEN, outbox=tmp_path / "outbox").close()
    assert list(tmp_path.iterdir()) == []


def test_accepting_needs_no_network_and_the_next_process_delivers(
    there: Destination, tmp_path: Path
) -> None:
    outbox = tmp_path / "outbox"
    with served(there) as url:
        pass
    with Tracker(url, TOKEN, outbox=outbox) as tracker:
        tracker.placed(made.PLACED)
        assert not tracker.drain(0.05)
        assert tracker.pending() == 4
    with served(there) as url, Tracker(url, TOKEN, outbox=outbox) as tracker:
        assert tracker.drain(10)
    assert ID in there.deals


def test_what_was_given_up_is_told_and_a_later_snapshot_mends_it(
    there: Destination, url: str, tmp_path: Path
) -> None:
    told: list[Any] = []
    there.fault = lambda said: "400" if said.get("stage") == 99 else None
    with Tracker(
        url, TOKEN, stages=Stages(placed=99), outbox=tmp_path / "o", on_parked=told.append
    ) as tracker:
        tracker.placed(made.PLACED)
        assert tracker.drain(10)
        parked = tracker.parked()
        assert parked[0].order_id == ID
        assert "fault 400" in parked[0].reason
        assert parked[0].call.body["stage"] == 99
        assert [each.key for each in told] == [parked[0].key]
        tracker.fulfilled(ID)
        assert tracker.drain(10)
        assert tracker.parked() == []
    assert there.deals[ID]["stage"] == 2


def test_a_callback_that_fails_does_not_hold_up_the_delivery(
    there: Destination, url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(parked: Any) -> None:
        raise OSError("no mail today")

    there.fault = lambda said: "400" if said.get("custom_id") == "O1" else None
    with Tracker(url, TOKEN, outbox=tmp_path / "o", on_parked=fail) as tracker:
        for order in made.many(3):
            tracker.placed(order)
        assert tracker.drain(10)
    assert "no mail today" in caplog.text
    assert set(there.deals) == {"O0", "O2"}


def test_a_tracker_that_was_closed_opens_again(tracker: Tracker, there: Destination) -> None:
    tracker.placed(made.PLACED)
    tracker.close()
    tracker.close()
    tracker.fulfilled(ID)
    assert tracker.drain(10)
    assert there.deals[ID]["stage"] == 12


# ---- many at once ----


def test_threads_that_change_one_order_lose_nothing(kept: Tracker) -> None:
    lines = (Line("A", 64, Decimal(1)),)
    kept.placed(replace(made.FULFILLED, lines=lines))

    def back(number: int) -> None:
        kept.returned(ID, lines={"A": 1}, refund_id=f"R{number}")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(back, range(60)))
    kept.returned(ID, lines={"A": 4})
    with pytest.raises(Invalid, match="only 0 of the order can still come back"):
        kept.returned(ID, lines={"A": 1})


def test_trackers_of_one_outbox_lose_nothing(tmp_path: Path) -> None:
    made_by = [
        Tracker(AWAY, TOKEN, outbox=tmp_path / "outbox", deliver=False, source="shop")
        for _ in range(4)
    ]
    made_by[0].placed(replace(made.FULFILLED, lines=(Line("A", 40, Decimal(1)),)))

    def back(number: int) -> None:
        made_by[number % 4].returned(ID, lines={"A": 1}, refund_id=f"R{number}")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(back, range(40)))
    with pytest.raises(Invalid, match="only 0 of the order"):
        made_by[0].returned(ID, lines={"A": 1})
    for each in made_by:
        each.close()


def test_a_coroutine_lets_a_thread_wait(tracker: Tracker, there: Destination) -> None:
    async def checkout() -> None:
        orders = made.many(20)
        await asyncio.gather(*(asyncio.to_thread(tracker.placed, order) for order in orders))
        assert await asyncio.to_thread(tracker.drain, 20)

    asyncio.run(checkout())
    assert len(there.deals) == 20


def test_two_shops_in_one_outbox_may_use_the_same_numbers(url: str, tmp_path: Path) -> None:
    here = Tracker(url, TOKEN, outbox=tmp_path / "o", source="a", deliver=False)
    other = Tracker(url, TOKEN, outbox=tmp_path / "o", source="b", deliver=False)
    with here, other:
        here.placed(made.PLACED)
        with pytest.raises(NotFound):
            other.fulfilled(ID)


# ---- the shop's own transaction ----


@pytest.fixture
def shop_file(tmp_path: Path) -> Path:
    database = sqlite3.connect(tmp_path / "shop.db")
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("CREATE TABLE orders (id TEXT)")
    database.close()
    return tmp_path / "shop.db"


@pytest.fixture
def in_shop(url: str, shop_file: Path) -> Iterator[Tracker]:
    def connect() -> sqlite3.Connection:
        return sqlite3.connect(shop_file, timeout=10, check_same_thread=False)

    with Tracker(url, TOKEN, outbox=connect) as tracker:
        yield tracker


def test_an_order_and_its_sync_are_saved_together(
    in_shop: Tracker, shop_file: Path, there: Destination
) -> None:
    database = sqlite3.connect(shop_file)
    with database:
        database.execute("INSERT INTO orders VALUES ('1')")
        in_shop.placed(made.PLACED, connection=database)
        in_shop.fulfilled(ID, connection=database)
    database.close()
    assert in_shop.drain(10)
    assert there.deals[ID]["status"] == 2


def test_an_order_and_its_sync_are_lost_together(
    in_shop: Tracker, shop_file: Path, there: Destination
) -> None:
    database = sqlite3.connect(shop_file)
    database.execute("INSERT INTO orders VALUES ('1')")
    in_shop.placed(made.PLACED, connection=database)
    database.rollback()
    assert database.execute("SELECT count(*) FROM orders").fetchone() == (0,)
    database.close()
    assert in_shop.drain(10)
    assert in_shop.counts().accepted == 0
    assert there.seen == []


def test_sqlalchemy_connections_and_sessions_carry_the_order(url: str, shop_file: Path) -> None:
    engine = create_engine(f"sqlite:///{shop_file}")
    insert = text("INSERT INTO orders VALUES ('1')")
    with Tracker(url, TOKEN, outbox=engine.raw_connection, deliver=False) as tracker:
        with engine.begin() as connection:
            connection.execute(insert)
            tracker.placed(made.PLACED, connection=connection)
        assert tracker.pending() == 4
        with Session(engine) as session:
            session.execute(insert)
            tracker.cancelled(ID, connection=session)
            session.rollback()
        assert tracker.pending() == 4
        with Session(engine) as session, session.begin():
            tracker.placed(replace(made.PLACED, id="ORD-2"), connection=session)
        assert tracker.pending() == 7
    engine.dispose()


def test_an_outbox_apart_takes_part_in_no_transaction(kept: Tracker, shop_file: Path) -> None:
    database = sqlite3.connect(shop_file)
    with pytest.raises(Invalid, match="the outbox is a file of its own"):
        kept.placed(made.PLACED, connection=database)
    database.close()


def test_what_is_no_connection_is_refused(in_shop: Tracker) -> None:
    with pytest.raises(Refused, match="is no connection"):
        in_shop.placed(made.PLACED, connection=object())


# ---- the fake ----


def test_a_fake_shows_what_would_be_sent(tmp_path: Path) -> None:
    with Tracker.fake(stages=GUIDE) as fake:
        fake.placed(made.PLACED)
        assert [call.path.split("/")[3] for call in fake.calls] == [
            "users", "deals", "products-by-id", "products-by-id",
        ]  # fmt: skip
        fake.fulfilled(ID, at=made.FULFILLED_AT)
        assert fake.drain()
        held = fake.holds(ID)
        assert held is not None
        assert (held["stage"], held["value"]) == (12, Decimal("149.90"))
        person = held["user_custom_id"]
        assert fake.contact(person)["email"] == "john@example.com"
        (bought,) = fake.events("purchase_completed")
        assert (bought.contact, bought.data["value"], bought.at) == (
            person, Decimal("149.90"), made.FULFILLED_AT,
        )  # fmt: skip
        assert [event.name for event in fake.events(sku="SKU-CASE-001")] == ["order", "purchase"]
        assert fake.events(order_id="another") == []
        assert fake.holds("another") is None


def test_a_fake_refuses_as_the_real_one_does() -> None:
    with Tracker.fake() as fake:
        with pytest.raises(NotFound):
            fake.fulfilled("ORD-404")
        with pytest.raises(Invalid):
            fake.placed(replace(made.PLACED, currency="XXX"))
        assert fake.calls == []
        assert len(fake.quarantined()) == 1


def test_a_fake_in_the_shops_database_takes_part_in_its_transactions(shop_file: Path) -> None:
    def connect() -> sqlite3.Connection:
        return sqlite3.connect(shop_file, timeout=10, check_same_thread=False)

    with Tracker.fake(outbox=connect) as fake:
        database = connect()
        fake.placed(made.PLACED, connection=database)
        database.rollback()
        assert fake.calls == []
        fake.placed(made.PLACED, connection=database)
        database.commit()
        assert len(fake.calls) == 4
        database.close()


def test_a_fake_leaves_nothing_behind_and_needs_no_closing() -> None:
    fake = Tracker.fake()
    fake.placed(made.PLACED)
    folder = fake._folder
    assert folder.exists()
    fake.close()
    assert not folder.exists()


def test_accounts_that_change_their_email_stay_one_contact_in_a_fake() -> None:
    def order(name: str, email: str, days: int) -> Order:
        customer = replace(made.JOHN, email=email)
        placed_at = made.PLACED_AT + timedelta(days=days)
        return replace(made.PLACED, id=name, customer=customer, placed_at=placed_at)

    with Tracker.fake() as fake:
        fake.placed(order("1", "old@example.com", 0))
        fake.placed(order("2", "new@example.com", 1))
        old, new = (fake.holds(name)["user_custom_id"] for name in "12")
        assert fake.contact(old) is None
        assert fake.contact(new)["email"] == "new@example.com"
        assert any(call.path.endswith("/merge/") for call in fake.calls)


# ---- others on the same outbox ----


def test_a_worker_of_its_own_delivers_what_a_tracker_accepted(
    there: Destination, url: str, tmp_path: Path
) -> None:
    outbox = tmp_path / "outbox"
    with Tracker(f"{url}/api/public/", TOKEN, outbox=outbox, deliver=False) as tracker:
        tracker.placed(made.PLACED)

        async def deliver() -> None:
            async with Client(url, TOKEN) as client:
                summary = await run(
                    [made.FULFILLED],
                    opened,
                    client,
                    flow=Flow(),
                    source="shop",
                    progress=lambda _: None,
                    pace=QUICK,
                )
            assert summary.destination == url

        with open_outbox(outbox) as opened:
            asyncio.run(deliver())
            assert opened.destinations() == [url]
        assert tracker.pending() == 0
        assert there.deals[ID]["status"] == 2


# ---- full disks ----


def test_a_full_disk_is_told_keeps_nothing_by_half_and_is_over_when_there_is_room(
    kept: Tracker,
) -> None:
    kept.placed(made.PLACED)
    before = kept.counts()

    def limit(pages: int) -> Callable[[Any], None]:
        return lambda outbox: outbox._database.write(
            lambda tx: tx.run(f"PRAGMA max_page_count = {pages}")
        )

    kept._keep.use(limit(30))
    orders = made.many(200)

    def place() -> None:
        for order in orders:
            kept.placed(order)

    with pytest.raises(Unavailable, match="make room on the disk"):
        place()
    full = kept.counts()
    assert full.accepted > before.accepted
    with pytest.raises(Unavailable, match="make room on the disk"):
        place()
    assert kept.counts() == full
    kept._keep.use(limit(1_000_000))
    place()
    assert kept.counts().accepted > full.accepted


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"id": "1"}, "order: must be an Order, not a dict"),
        (replace(made.PLACED, lines=(Line("M", 1, 8.5),)), "unit_price: must be a Decimal"),  # type: ignore[arg-type]
        (replace(made.PLACED, delivery=5), "delivery: must be a Decimal, not a int"),  # type: ignore[arg-type]
    ],
)
def test_what_is_no_order_or_not_exact_is_refused(given: Any, field: str) -> None:
    with Tracker.fake(stages=GUIDE) as fake:
        for take in (fake.placed, fake.track):
            with pytest.raises(Invalid, match=re.escape(field)):
                take(given)
