"""What goes wrong in real order syncs: one test for each failure mode, named after it.

The modes and the threads in which people met them are listed in docs/failure-modes.md; those that
are shown elsewhere, or do not concern this release, are named there too.
"""

import itertools
import os
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from desk import ROUTE, THERE, Desk
from made_orders import (
    CASE_BACK,
    FULFILLED,
    HEADPHONES,
    JOHN,
    PARTLY_RETURNED,
    PLACED,
    PLACED_AT,
    RETURNED,
    many,
)

from ordertrail.domain import money
from ordertrail.domain.journal import Origin
from ordertrail.domain.order import Customer, Line, Order, Refund, gross
from ordertrail.sync.operations import Kind, Outcome, State
from ordertrail.sync.outbox import open_outbox
from ordertrail.sync.rules import Flow, Place, Stages

ID = PLACED.id


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with Desk(tmp_path) as opened:
        yield opened


def changed(order: Order, hour: int) -> Order:
    return replace(order, updated_at=PLACED_AT + timedelta(days=9, hours=hour))


def event_types(desk: Desk) -> Counter[str]:
    return Counter(event_type for event_type, _, _ in desk.held.product_events)


def test_01_duplicate_webhooks(desk: Desk) -> None:
    """The same order five times in parallel is accepted once."""
    together = threading.Barrier(5)

    def hook() -> None:
        together.wait()
        desk.accept(FULFILLED)

    threads = [threading.Thread(target=hook) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert desk.deliver() == 7
    assert event_types(desk) == {"order": 2, "purchase": 2}


def test_02_updated_for_a_new_order(desk: Desk) -> None:
    """What an order causes follows from what was planned before, never from the hook's name."""
    desk.accept(changed(PLACED, 2))
    desk.accept(changed(PLACED, 1))
    assert desk.deliver() == 4


@pytest.mark.parametrize("hooks", list(itertools.permutations(range(4))))
def test_03_out_of_order(tmp_path: Path, hooks: tuple[int, ...]) -> None:
    """In whatever order the snapshots of an order arrive, the last one is what holds."""
    life = [
        changed(each, n) for n, each in enumerate([PLACED, FULFILLED, PARTLY_RETURNED, RETURNED])
    ]
    with Desk(tmp_path) as one, Desk(tmp_path / "straight") as other:
        for place in hooks:
            one.deliver(life[place])
        other.deliver(*life)
        held, straight = one.held.deals[ID], other.held.deals[ID]
        assert {k: v for k, v in held.items() if v} == {k: v for k, v in straight.items() if v}
        purchases = [each for each in one.held.product_events if each[0] == "purchase"]
        assert len(purchases) == 2
        assert len(one.held.conversions) == 1


def test_04_acknowledged_then_lost(tmp_path: Path) -> None:
    """An order that was accepted is there for another process, whatever becomes of this one."""
    with Desk(tmp_path) as desk:
        reader, writer = os.pipe()
        if os.fork() == 0:
            with open_outbox(desk.outbox_path) as outbox:
                outbox.accept(ROUTE, desk.flow, [PLACED])
                os.write(writer, b"accepted")
                os._exit(9)
        assert os.read(reader, 8) == b"accepted"
        os.wait()
        assert desk.deliver() == 4


def test_05_stale_overwrite(desk: Desk) -> None:
    """A slow writer of an old snapshot changes nothing, and is counted."""
    desk.deliver(changed(FULFILLED, 2))
    late = desk.accept(changed(PLACED, 1))
    assert (late.older, late.changed, desk.deliver()) == (1, 0, 0)
    assert desk.held.deals[ID]["status"] == 2
    assert desk.outbox.counts(THERE).older == 1


def test_05_absent_is_not_empty(desk: Desk) -> None:
    """A field that a later snapshot lacks stays as it was."""
    desk.deliver(replace(PLACED, attributes={"coupon": "SUMMER"}, delivery=Decimal("9.99")))
    desk.deliver(replace(PLACED, attributes={}, cancelled_at=PLACED_AT, delivery=Decimal("9.99")))
    desk.deliver(replace(PLACED, cancelled_at=PLACED_AT, customer=Customer(JOHN.email)))
    assert desk.held.deals[ID]["coupon"] == "SUMMER"
    assert desk.held.deals[ID]["delivery_cost"] == Decimal("9.99")
    (contact,) = desk.held.contacts.values()
    assert contact["phone"] == JOHN.phone


@pytest.mark.parametrize("code", sorted(money.EXPONENTS))
def test_06_currency_minor_units(tmp_path: Path, code: str) -> None:
    """An amount is worth the same in every currency, whatever its number of decimals."""
    with Desk(tmp_path) as desk:
        desk.deliver(Order("O", JOHN, PLACED_AT, code, (Line("A", 2, Decimal(5000)),)))
        assert desk.held.deals["O"]["value"] == 10_000
        assert desk.held.deals["O"]["currency"] == code


def test_07_rounding(desk: Desk) -> None:
    """Prices with four decimals, and a total that the shop rounded by its own rule."""
    line = Line("A", 3, Decimal("11.5120"))
    desk.deliver(replace(PLACED, lines=(line,), total=Decimal("34.53")))
    deal = desk.held.deals[ID]
    assert (deal["value"], deal["rounding_adjustment"]) == (Decimal("34.53"), Decimal("-0.01"))
    assert desk.accept(replace(PLACED, lines=(line,), total=Decimal("34.00"))).refused
    assert gross(replace(PLACED, lines=(Line("A", 1, Decimal("80.6")),))) == 8060


def test_08_unknown_currency(desk: Desk) -> None:
    """Never a zero: the order is set aside with the reason until it can be true."""
    accepted = desk.accept(replace(PLACED, currency="XBT"))
    assert accepted.refused == [(ID, "currency: is not an ISO 4217 currency code")]
    assert desk.deliver() == 0
    assert [each.order_id for each in desk.outbox.quarantined(THERE)] == [ID]
    assert desk.deliver(PLACED) == 4
    assert desk.outbox.quarantined(THERE) == []


def test_09_partial_refund_not_reported(desk: Desk) -> None:
    """A refund that no hook told of is seen when the order is read again."""
    desk.deliver(FULFILLED)
    assert desk.deliver(PARTLY_RETURNED) == 1
    assert desk.held.deals[ID]["value"] == Decimal("129.90")


def test_10_refund_deleted(desk: Desk) -> None:
    """A refund that is gone from the order is gone from the deal."""
    desk.deliver(PARTLY_RETURNED)
    desk.deliver(FULFILLED)
    assert desk.held.deals[ID]["value"] == Decimal("149.90")
    assert desk.held.deals[ID]["refunds"] is None


GOLDEN = {
    "delivery given back": ([Refund("R", PLACED_AT, Decimal("9.99"))], "160.90"),
    "one of two lines": ([CASE_BACK], "150.89"),
    "a line and a part of its delivery": (
        [replace(CASE_BACK, value=Decimal("23.50"))], "147.39",
    ),
    "less than the line's price after a discount": (
        [replace(CASE_BACK, value=Decimal("17.99"))], "152.90",
    ),
    "several refunds": (
        [CASE_BACK, Refund("R2", PLACED_AT, Decimal("0.01")), Refund("R3", PLACED_AT, Decimal(1))],
        "149.88",
    ),
    "an amount for nothing in particular": ([Refund("R", PLACED_AT, Decimal(5))], "165.89"),
    "everything but a penny": ([Refund("R", PLACED_AT, Decimal("170.88"))], "0.01"),
    "all of the money": ([Refund("R", PLACED_AT, Decimal("170.89"))], "0"),
}  # fmt: skip


@pytest.mark.parametrize("name", GOLDEN)
def test_11_partial_refund_computed_wrong(desk: Desk, name: str) -> None:
    """What is left is what was paid, with tax and delivery, less each refund as it was made."""
    refunds, left = GOLDEN[name]
    order = replace(
        FULFILLED,
        delivery=Decimal("9.99"),
        tax=Decimal("16.00"),
        discount=Decimal("5.00"),
        total=Decimal("170.89"),
        refunds=tuple(refunds),
    )
    desk.deliver(order)
    assert desk.held.deals[ID]["value"] == Decimal(left)
    assert desk.held.deals[ID]["gross_value"] == Decimal("170.89")


def test_11_more_given_back_than_was_paid(desk: Desk) -> None:
    """A refund above what was paid cannot be true."""
    accepted = desk.accept(replace(FULFILLED, refunds=(Refund("R", PLACED_AT, Decimal("149.91")),)))
    assert "more money was given back" in accepted.refused[0][1]


def test_12_partial_treated_as_full(desk: Desk) -> None:
    """A partial return keeps stage and status; only a full one is lost."""
    desk.deliver(PARTLY_RETURNED)
    assert (desk.held.deals[ID]["stage"], desk.held.deals[ID]["status"]) == (2, 2)
    desk.deliver(RETURNED)
    assert (desk.held.deals[ID]["stage"], desk.held.deals[ID]["status"]) == (3, 3)
    assert desk.held.deals[ID]["value"] == 0


def test_13_guest_identity(desk: Desk) -> None:
    """Guests without an e-mail are contacts of their own; a retry of one order is that one."""
    guests = [replace(PLACED, id=f"G{n}", customer=Customer(first_name="Guest")) for n in range(3)]
    desk.deliver(*guests)
    desk.deliver(*(replace(each, fulfilled_at=PLACED_AT) for each in guests))
    assert len(desk.held.contacts) == 3
    users = {deal["user_custom_id"] for deal in desk.held.deals.values()}
    assert users == desk.held.contacts.keys()


def test_14_billing_against_account_email(desk: Desk) -> None:
    """Who is signed in is the contact, whatever e-mail the bill goes to; both are kept."""
    customer = replace(JOHN, email="books@work.example", account_email="john@example.com")
    desk.deliver(PLACED, replace(PLACED, id="ORD-2", customer=customer))
    (contact,) = desk.held.contacts.values()
    assert (contact["email"], contact["billing_email"]) == (
        "john@example.com",
        "books@work.example",
    )


def test_15_guest_hijack(desk: Desk) -> None:
    """Another's e-mail typed at a checkout moves no history and changes no e-mail."""
    victim = replace(PLACED, id="ORD-1", customer=Customer("ann@example.com", "8", "Ann"))
    desk.deliver(victim, replace(PLACED, id="ORD-2", customer=Customer("mallory@example.com")))
    desk.deliver(replace(PLACED, id="ORD-2", customer=Customer("ann@example.com")))
    assert desk.held.merges == []
    emails = {contact["email"] for contact in desk.held.contacts.values()}
    assert emails == {"ann@example.com", "mallory@example.com"}


def test_16_email_changed(desk: Desk) -> None:
    """The shop's account tells that two e-mails are one person."""
    later = replace(PLACED, id="ORD-2", placed_at=PLACED_AT + timedelta(days=1))
    desk.deliver(PLACED, replace(later, customer=replace(JOHN, email="john@new.example")))
    ((old, new),) = desk.held.merges
    assert desk.held.contacts[old]["email"] == "john@example.com"
    assert desk.held.contacts[new]["email"] == "john@new.example"
    assert desk.held.deals["ORD-2"]["user_custom_id"] == new


def test_17_missing_sku(desk: Desk) -> None:
    """A line without a product is money, and stops nothing."""
    desk.deliver(
        replace(FULFILLED, lines=(HEADPHONES, Line(None, 1, Decimal("5.00"), "Gift wrap")))
    )
    assert desk.held.deals[ID]["value"] == Decimal("134.90")
    assert {sku for _, sku, _ in desk.held.product_events} == {"SKU-HEADPHONES-BLK"}


def test_18_deleted_product(desk: Desk) -> None:
    """An order stands by itself: its product need not be known anywhere."""
    desk.deliver(replace(PLACED, lines=(Line("GONE-2014", 1, Decimal(1)),)))
    ((_, sku, said),) = desk.held.product_events
    assert (sku, said["data"]["price"]) == ("GONE-2014", 1)


def test_19_parent_not_yet_synced(desk: Desk) -> None:
    """The contact is said before its deal, and the deal before its events."""
    desk.accept(FULFILLED)
    kinds = [each.kind for each in desk.waiting()]
    assert kinds == sorted(kinds, key=list(Kind).index)


@pytest.mark.parametrize("hours", [-12, -5, 0, 5.75, 14])
def test_20_time_zone(desk: Desk, hours: float) -> None:
    """A moment is the same moment in every zone."""
    at = datetime(2026, 3, 1, 0, 30, tzinfo=timezone(timedelta(hours=hours)))
    desk.deliver(replace(FULFILLED, placed_at=at, fulfilled_at=at))
    told = datetime.fromisoformat(desk.held.deals[ID]["order_placed_at"])
    assert (told, told.utcoffset()) == (at, timedelta(0))
    assert {said["timestamp"] for _, _, said in desk.held.product_events} == {int(at.timestamp())}


def test_20_daylight_saving(desk: Desk) -> None:
    """Of the hour that clocks show twice, each is told as its own moment."""
    berlin = ZoneInfo("Europe/Berlin")
    first = datetime(2026, 10, 25, 2, 30, tzinfo=berlin)
    told = []
    for fold in (0, 1):
        desk.deliver(replace(PLACED, id=f"O{fold}", placed_at=first.replace(fold=fold)))
        told.append(datetime.fromisoformat(desk.held.deals[f"O{fold}"]["order_placed_at"]))
    assert told[1] - told[0] == timedelta(hours=1)
    assert told[0] == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_24_outage_and_replay(desk: Desk) -> None:
    """What was missed is made up for by reading everything again; what was not costs nothing."""
    orders = many(30)
    desk.deliver(*orders[::2])
    missed = desk.deliver(*orders)
    assert missed > 0
    assert desk.held.deals.keys() == {each.id for each in orders}
    assert desk.deliver(*orders) == 0


def test_25_replay_overwrites_newer_data(desk: Desk) -> None:
    """A replay of old snapshots is older than what is there."""
    life = [changed(each, n) for n, each in enumerate([PLACED, FULFILLED, RETURNED])]
    desk.deliver(*life)
    held = dict(desk.held.deals[ID])
    assert desk.accept(*life[:2]).older == 2
    assert (desk.deliver(), desk.held.deals[ID]) == (0, held)


def test_26_back_fill_double_counting(desk: Desk) -> None:
    """Live first and a back-fill after it, or the back-fill twice, count each order once."""
    orders = many(40)
    desk.deliver(*orders[20:])
    desk.accept(*orders, origin=Origin.BACKFILL)
    desk.deliver()
    revenue, events = desk.held.revenue, len(desk.held.product_events)
    again = desk.accept(*orders, origin=Origin.BACKFILL)
    assert (again.unchanged, again.changed, desk.deliver()) == (40, 0, 0)
    assert (desk.held.revenue, len(desk.held.product_events)) == (revenue, events)


def test_27_back_fill_fires_automations(desk: Desk) -> None:
    """Every call of a back-fill says that it is one."""
    desk.accept(FULFILLED, origin=Origin.BACKFILL)
    assert {each.origin for each in desk.waiting()} == {Origin.BACKFILL}


def test_28_orders_that_are_none(tmp_path: Path) -> None:
    """An order that was never paid is no revenue, and becomes some when it is paid after all."""
    flow = Flow(
        Stages(),
        statuses={"failed": Place(3, counts_as_revenue=False), "paid": Place(2, "fulfilled")},  # type: ignore[arg-type]
    )
    with Desk(tmp_path, flow) as desk:
        desk.deliver(replace(PLACED, status="failed"))
        assert (desk.held.product_events, desk.held.conversions) == ([], [])
        desk.deliver(replace(PLACED, status="paid"))
        assert event_types(desk) == {"order": 2, "purchase": 2}
        assert len(desk.held.conversions) == 1


def test_31_silent_client_loss(tmp_path: Path) -> None:
    """What was accepted and not sent is there when the outbox is opened again."""
    with Desk(tmp_path) as desk:
        desk.accept(*many(20))
        waiting = desk.outbox.counts(THERE).waiting
    with Desk(tmp_path) as again:
        assert again.deliver() == waiting > 0


def test_32_queue_limbo(tmp_path: Path) -> None:
    """What a dead worker held comes back by itself."""
    now = [PLACED_AT]
    with Desk(tmp_path) as desk, open_outbox(desk.outbox_path, clock=lambda: now[0]) as outbox:
        outbox.accept(ROUTE, Flow(), [PLACED])
        dead = outbox.join(THERE, "dead", lease_s=60)
        held = outbox.claim(dead)
        alive = outbox.join(THERE, "alive", lease_s=600)
        assert outbox.claim(alive) == []
        now[0] += timedelta(seconds=61)
        back = outbox.claim(alive)
        assert [each.id for each in back] == [each.id for each in held]
        assert all(each.is_unsure for each in back)
        assert outbox.settle(dead, [Outcome(each, State.DONE, 1) for each in held]).lost == 4
        assert outbox.counts(THERE).leased == 4


def test_33_progress_lost(desk: Desk) -> None:
    """Each order that was accepted stays so when a later one fails the whole reading."""

    def broken() -> Iterator[Order]:
        yield PLACED
        raise OSError("the file broke off")

    def read() -> None:
        for order in broken():
            desk.accept(order)

    with pytest.raises(OSError, match="broke off"):
        read()
    assert desk.deliver() == 4


def test_34_hidden_errors(desk: Desk) -> None:
    """What came in is done, waiting, leased, parked or in quarantine: it always adds up."""
    orders = [*many(9), replace(PLACED, id="BAD", currency="???")]
    accepted = desk.accept(*orders)
    assert accepted.orders == accepted.changed + accepted.unchanged + len(accepted.refused)
    lease = desk.outbox.join(THERE, "desk")
    leased = desk.outbox.claim(lease, limit=12)
    parked = next(each for each in leased if each.kind is Kind.DEAL)
    desk.outbox.settle(
        lease,
        [
            Outcome(parked, State.PARKED, 1, "stage: unknown"),
            *(Outcome(each, State.DONE, 1) for each in leased if each.kind is Kind.CONTACT),
        ],
    )
    counts = desk.outbox.counts(THERE)
    assert counts.accepted == accepted.operations.total()
    assert counts.accepted == counts.done + counts.waiting + counts.leased + counts.parked
    assert min(counts.done, counts.waiting, counts.parked, counts.quarantined) > 0
