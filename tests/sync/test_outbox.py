"""The outbox on both databases: accepting, what waits follows the newest, leases, mending."""

import random
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import apsw
import outbox_worker
import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_orders import (
    CANCELLED,
    FULFILLED,
    JOHN,
    PARTLY_RETURNED,
    PLACED,
    RETURNED,
    many,
)
from order_histories import made_orders

from ordertrail.domain.errors import Conflict, Invalid, NotFound, Unavailable
from ordertrail.domain.journal import Origin
from ordertrail.domain.order import Order
from ordertrail.kit import json
from ordertrail.kit.database import DatabaseAway, DatabaseRefused, Dialect
from ordertrail.kit.foreign import joined
from ordertrail.kit.sqlite import Sqlite
from ordertrail.kit.wording import worded
from ordertrail.sync.operations import Kind, Leased, Outcome, State
from ordertrail.sync.outbox import Counts, Filter, Lease, Outbox, open_outbox
from ordertrail.sync.outbox_form import FORM
from ordertrail.sync.outbox_orders import Route
from ordertrail.sync.rules import Flow, Stages

AT = datetime(2026, 5, 1, tzinfo=UTC)
THERE = "http://there"
ROUTE = Route("shop", THERE)
FLOW = Flow()
BAD = replace(PLACED, currency="???")
PARKED = Filter(states=(State.PARKED,))


class Time:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.at = AT

    def __call__(self) -> datetime:
        return self.at

    def pass_by(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture(params=["sqlite", "postgres"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty place for an outbox, on each database."""
    if request.param == "sqlite":
        return str(tmp_path / "the.outbox")
    return request.getfixturevalue("postgres").new_database()


@pytest.fixture
def outbox(where: str, time: Time) -> Iterator[Outbox]:
    with open_outbox(where, time) as opened:
        yield opened


def numbered(order: Order, n: int, email: str | None = None) -> Order:
    customer = replace(JOHN, email=email or f"j{n}@example.com", shop_id=None)
    return replace(order, id=f"O{n}", customer=customer)


def waiting(outbox: Outbox, **options: Any) -> list[Leased]:
    """What could be claimed, in order; it goes on waiting."""
    lease = outbox.join(THERE, "looks")
    found = outbox.claim(lease, **options)
    outbox.leave(lease)
    return found


def done(leased: list[Leased]) -> list[Outcome]:
    return [Outcome(each, State.DONE, each.attempts + 1) for each in leased]


def parked(leased: Leased, reason: str = "no") -> Outcome:
    return Outcome(leased, State.PARKED, leased.attempts + 1, reason)


def held(outbox: Outbox, **options: Any) -> tuple[Lease, list[Leased]]:
    lease = outbox.join(THERE, "holds")
    return lease, outbox.claim(lease, **options)


# ---- accepting ----


def test_an_accepted_order_waits_as_its_operations(outbox: Outbox) -> None:
    accepted = outbox.accept(ROUTE, FLOW, [FULFILLED])
    assert (accepted.orders, accepted.changed, accepted.unchanged) == (1, 1, 0)
    assert accepted.operations == {"contact": 1, "deal": 1, "product_event": 4, "conversion": 1}
    found = waiting(outbox)
    assert [each.kind for each in found] == [
        "contact", "deal", *["product_event"] * 4, "conversion",
    ]  # fmt: skip
    assert found[1].call.body["stage"] == 2
    assert found[1].call.path == "/api/public/deals/update_or_create/"
    assert outbox.counts(THERE) == Counts(accepted=7, waiting=7)
    assert outbox.destinations() == [THERE]


def test_an_order_that_is_as_it_was_writes_nothing(tmp_path: Path) -> None:
    with open_outbox(tmp_path / "the.outbox") as outbox:
        outbox.accept(ROUTE, FLOW, [FULFILLED])
        log = Path(f"{tmp_path / 'the.outbox'}-wal").read_bytes()
        writer = apsw.Connection(str(tmp_path / "the.outbox"))
        writer.execute("BEGIN IMMEDIATE")
        again = outbox.accept(ROUTE, FLOW, [FULFILLED, FULFILLED])
        writer.close()
        assert (again.orders, again.unchanged, again.changed) == (2, 2, 0)
        assert outbox.accept(ROUTE, FLOW, [FULFILLED]).unchanged == 1
        assert Path(f"{tmp_path / 'the.outbox'}-wal").read_bytes() == log


def test_other_settings_plan_the_same_orders_anew(outbox: Outbox) -> None:
    outbox.accept(ROUTE, FLOW, [FULFILLED])
    lease, leased = held(outbox)
    outbox.settle(lease, done(leased))
    moved = outbox.accept(ROUTE, Flow(Stages(13, 12, 14)), [FULFILLED])
    assert moved.operations == {Kind.DEAL: 1}
    assert waiting(outbox)[-1].call.body == {"custom_id": "ORD-78523", "stage": 12}


def test_what_was_delivered_is_changed_by_what_differs(outbox: Outbox) -> None:
    for order, kinds in (
        (PLACED, {"contact", "deal", "product_event"}),
        (FULFILLED, {"deal", "product_event", "conversion"}),
        (PARTLY_RETURNED, {"deal"}),
        (RETURNED, {"deal"}),
        (FULFILLED, {"deal"}),
    ):
        assert outbox.accept(ROUTE, FLOW, [order]).operations.keys() == kinds
        lease, leased = held(outbox)
        assert {each.kind.value for each in leased} == kinds
        outbox.settle(lease, done(leased))
    deals = outbox.listed(THERE, Filter(kinds=(Kind.DEAL,)))
    assert [each.key.rsplit(":", 1)[1] for each in deals] == ["1", "2", "3", "4", "5"]


def test_what_waits_says_the_newest_in_its_old_place(outbox: Outbox) -> None:
    outbox.accept(ROUTE, FLOW, [PLACED, numbered(PLACED, 1)])
    before = waiting(outbox)
    accepted = outbox.accept(ROUTE, FLOW, [CANCELLED])
    assert (accepted.changed, accepted.operations) == (1, {})
    after = waiting(outbox)
    assert [each.id for each in after] == [each.id for each in before]
    (deal,) = [e for e in after if e.kind is Kind.DEAL and e.order_id == "ORD-78523"]
    assert (deal.call.body["stage"], deal.call.body["name"]) == (3, "Order #ORD-78523")
    assert deal.key == "shop:ORD-78523:deal:2"


def test_snapshots_of_one_list_are_taken_one_after_the_other(outbox: Outbox) -> None:
    accepted = outbox.accept(ROUTE, FLOW, [PLACED, FULFILLED, PLACED, PLACED, CANCELLED])
    assert (accepted.changed, accepted.unchanged) == (4, 1)
    assert accepted.operations == {"contact": 1, "deal": 1, "product_event": 2}
    assert [each.kind.value for each in waiting(outbox)] == [
        "contact", "deal", "product_event", "product_event",
    ]  # fmt: skip
    assert outbox.accept(ROUTE, FLOW, [CANCELLED]).unchanged == 1


def test_events_that_nobody_wants_any_more_are_taken_back_and_may_come_again(
    outbox: Outbox,
) -> None:
    outbox.accept(ROUTE, FLOW, [FULFILLED])
    outbox.accept(ROUTE, FLOW, [PLACED])
    assert len(waiting(outbox)) == 4
    counts = outbox.counts(THERE)
    assert (counts.accepted, counts.done, counts.waiting) == (7, 3, 4)
    outbox.accept(ROUTE, FLOW, [FULFILLED])
    assert Counter(each.kind.value for each in waiting(outbox)) == {
        "contact": 1, "deal": 1, "product_event": 4, "conversion": 1,
    }  # fmt: skip


def test_an_event_that_may_have_been_carried_out_is_not_taken_back(
    outbox: Outbox, time: Time
) -> None:
    outbox.accept(ROUTE, FLOW, [FULFILLED])
    lease = outbox.join(THERE, "dies", lease_s=1)
    assert len(outbox.claim(lease)) == 7
    time.pass_by(2)
    assert all(each.is_unsure for each in waiting(outbox))
    outbox.accept(ROUTE, FLOW, [PLACED])
    assert len(waiting(outbox)) == 7


def test_orders_of_one_contact_share_its_lane_and_say_it_once(outbox: Outbox) -> None:
    orders = [numbered(PLACED, n, "j@example.com") for n in range(3)]
    assert outbox.accept(ROUTE, FLOW, orders).operations[Kind.CONTACT] == 1
    assert len({each.lane for each in waiting(outbox)}) == 1
    later = outbox.accept(ROUTE, FLOW, [numbered(PLACED, 9, "J@example.com ")])
    assert later.operations[Kind.CONTACT] == 1, "the e-mail is spelt anew"


def test_sources_and_destinations_are_told_apart(outbox: Outbox) -> None:
    outbox.accept(ROUTE, FLOW, [PLACED])
    assert outbox.accept(Route("shop", "http://there#2"), FLOW, [PLACED]).changed == 1
    assert outbox.accept(Route("till", THERE), FLOW, [PLACED]).operations[Kind.CONTACT] == 0
    assert outbox.counts(THERE).accepted == 7
    assert outbox.counts("http://there#2").accepted == 4
    assert outbox.counts("http://nowhere") == Counts()
    assert outbox.destinations() == [THERE, "http://there#2"]


def test_older_snapshots_are_counted_and_a_newer_same_one_raises_the_rank(outbox: Outbox) -> None:
    def at(order: Order, hour: int) -> Order:
        return replace(order, updated_at=AT + timedelta(hours=hour))

    outbox.accept(ROUTE, FLOW, [at(FULFILLED, 2)])
    assert outbox.accept(ROUTE, FLOW, [at(PLACED, 1)]).older == 1
    assert outbox.accept(ROUTE, FLOW, [at(FULFILLED, 4)]).unchanged == 1
    assert outbox.accept(ROUTE, FLOW, [at(PLACED, 3)]).older == 1
    assert outbox.counts(THERE).older == 2
    kept = outbox.order(ROUTE, "ORD-78523")
    assert kept is not None
    assert (kept.older_count, kept.order.fulfilled_at) == (2, FULFILLED.fulfilled_at)


@pytest.mark.parametrize(
    "bad",
    [
        BAD,
        replace(PLACED, attributes={"email_consent": True}),
        replace(PLACED, attributes={"tip": object()}),
        replace(PLACED, attributes={"tip": "\ud800"}),
        replace(PLACED, status="\0", attributes={"tip": [object()]}),
    ],
)
def test_an_order_that_cannot_be_true_is_kept_apart_and_spoils_nobody(
    outbox: Outbox, bad: Order
) -> None:
    accepted = outbox.accept(ROUTE, FLOW, [numbered(PLACED, 1), bad, numbered(PLACED, 2)])
    assert (accepted.orders, accepted.changed, accepted.unchanged) == (3, 2, 0)
    ((order_id, reason),) = accepted.refused
    (found,) = outbox.quarantined(THERE)
    assert (found.order_id, found.reason) == (order_id, reason) == ("ORD-78523", reason)
    assert outbox.counts(THERE).quarantined == 1
    assert {each.order_id for each in waiting(outbox)} == {"O1", "O2"}


@pytest.mark.parametrize("order_id", ["", " ", "\ud800", "a\0b", "x" * 300])
def test_an_id_that_cannot_be_is_quarantined_under_what_can_be_said_of_it(
    outbox: Outbox, order_id: str
) -> None:
    for _ in range(2):
        accepted = outbox.accept(ROUTE, FLOW, [replace(PLACED, id=order_id), PLACED])
        assert len(accepted.refused) == 1
    assert outbox.counts(THERE).quarantined == 1
    assert outbox.counts(THERE).accepted == 4


def test_a_good_snapshot_ends_the_quarantine(outbox: Outbox) -> None:
    outbox.accept(ROUTE, FLOW, [PLACED])
    outbox.accept(ROUTE, FLOW, [BAD])
    assert outbox.counts(THERE) == Counts(accepted=4, waiting=4, quarantined=1)
    back = outbox.accept(ROUTE, FLOW, [PLACED])
    assert (back.unchanged, outbox.counts(THERE).quarantined) == (1, 0)


def test_what_could_not_even_be_read_is_set_apart_with_its_reason(outbox: Outbox) -> None:
    outbox.refuse(ROUTE, [("O7", "line 3: placed_at: is missing"), ("a\0", "b\0")])
    assert [(e.order_id, e.reason) for e in outbox.quarantined(THERE)] == [
        ("O7", "line 3: placed_at: is missing"), ("a?", "b?"),
    ]  # fmt: skip


def test_an_order_is_amended_from_what_is_kept(outbox: Outbox) -> None:
    def fulfil(kept: Order | None) -> Order:
        if kept is None:
            raise NotFound("there is no such order")
        return replace(kept, fulfilled_at=FULFILLED.fulfilled_at)

    with pytest.raises(NotFound):
        outbox.amend(ROUTE, FLOW, "ORD-78523", fulfil)
    outbox.accept(ROUTE, FLOW, [PLACED])
    assert outbox.amend(ROUTE, FLOW, "ORD-78523", fulfil).changed == 1
    kept = outbox.order(ROUTE, "ORD-78523")
    assert kept is not None
    assert kept.order == FULFILLED


def test_more_than_it_takes_is_refused_with_what_to_do(where: str) -> None:
    with open_outbox(where) as made:
        small = Outbox(made._database, waiting_max=1_000)
        small.accept(ROUTE, FLOW, many(300))
        with pytest.raises(Unavailable, match="outbox status"):
            small.accept(ROUTE, FLOW, [numbered(PLACED, 10**6)])


# ---- leases ----


def test_claims_go_lane_by_lane_in_order(outbox: Outbox) -> None:
    outbox.accept(ROUTE, FLOW, [numbered(FULFILLED, n) for n in range(5)])
    everything = waiting(outbox)
    lanes = list(dict.fromkeys(each.lane for each in everything))
    assert lanes == sorted(lanes)
    assert len(lanes) == 5
    for lane in lanes:
        ids = [each.id for each in everything if each.lane == lane]
        assert ids == sorted(ids)
    behind = waiting(outbox, after=lanes[1])
    assert list(dict.fromkeys(each.lane for each in behind)) == lanes[2:]
    assert waiting(outbox, limit=3) == everything[:3]
    assert waiting(outbox, after=lanes[-1]) == []


def test_no_lane_has_two_holders(outbox: Outbox) -> None:
    outbox.accept(ROUTE, FLOW, [numbered(FULFILLED, n) for n in range(4)])
    first, mine = held(outbox, limit=10)
    second, others = held(outbox)
    assert not {each.lane for each in mine} & {each.lane for each in others}
    outbox.settle(first, done(mine))
    rest = outbox.claim(second)
    assert {each.lane for each in rest} == {mine[-1].lane}
    assert len(mine) + len(others) + len(rest) == 28


def test_counts_add_up_whatever_is_held(outbox: Outbox) -> None:
    outbox.accept(ROUTE, FLOW, [FULFILLED])
    lease, leased = held(outbox, limit=4)
    assert outbox.counts(THERE) == Counts(accepted=7, waiting=3, leased=4)
    outbox.settle(lease, done(leased[:2]))
    assert outbox.counts(THERE) == Counts(accepted=7, waiting=3, leased=2, done=2)
    outbox.leave(lease)
    assert outbox.counts(THERE) == Counts(accepted=7, waiting=5, done=2)


def test_a_lease_that_runs_out_gives_back_what_it_held_and_has_no_say_any_more(
    outbox: Outbox, time: Time
) -> None:
    outbox.accept(ROUTE, FLOW, [PLACED])
    lease = outbox.join(THERE, "stalls", lease_s=60)
    leased = outbox.claim(lease)
    other = outbox.join(THERE, "goes on", lease_s=600)
    time.pass_by(59)
    assert outbox.heartbeat(lease)
    time.pass_by(59)
    assert outbox.claim(other) == []
    time.pass_by(2)
    again = outbox.claim(other)
    assert [replace(e, is_unsure=False) for e in again] == leased
    assert {each.is_unsure for each in again} == {True}
    settled = outbox.settle(lease, done(leased))
    assert (settled.outcomes, settled.lost) == ([], 4)
    assert not outbox.heartbeat(lease)
    assert outbox.claim(lease) == []
    assert outbox.settle(other, done(again)).lost == 0
    assert outbox.counts(THERE) == Counts(accepted=4, done=4)


def test_what_was_not_sent_is_given_back_as_it_was(outbox: Outbox) -> None:
    outbox.accept(ROUTE, FLOW, [PLACED])
    lease, leased = held(outbox)
    outbox.leave(lease)
    outbox.leave(lease)
    assert waiting(outbox) == leased
    assert not any(each.is_unsure for each in waiting(outbox))


def test_what_waits_for_its_time_holds_its_lane(outbox: Outbox, time: Time) -> None:
    outbox.accept(ROUTE, FLOW, [numbered(PLACED, 1), numbered(PLACED, 2)])
    lease, leased = held(outbox)
    first, *rest = [each for each in leased if each.lane == leased[0].lane]
    due = AT + timedelta(minutes=5)
    later = Outcome(first, State.WAITING, 3, "away", due, is_unsure=True, failing_since=AT)
    outbox.settle(lease, [later])
    outbox.leave(lease)
    assert {each.lane for each in waiting(outbox)} == {leased[-1].lane}
    assert outbox.due_at(THERE) == due
    time.pass_by(301)
    found = [each for each in waiting(outbox) if each.lane == first.lane]
    assert found == [replace(first, attempts=3, is_unsure=True, failing_since=AT), *rest]


def test_a_parked_contact_or_deal_parks_what_follows_of_its_order_alone(outbox: Outbox) -> None:
    outbox.accept(ROUTE, FLOW, [numbered(FULFILLED, n, "j@example.com") for n in range(2)])
    lease, leased = held(outbox, limit=9)
    refused = leased[1]
    settled = outbox.settle(lease, [*done(leased[:1]), parked(refused)])
    outbox.leave(lease)
    assert settled.followers_parked == 5
    assert {each.order_id for each in waiting(outbox)} == {"O1"}
    reasons = Counter(each.reason for each in outbox.listed(THERE, PARKED))
    assert reasons == {"no": 1, f"waits for {refused.key}": 5}


def test_a_parked_product_event_holds_nobody_up(outbox: Outbox) -> None:
    outbox.accept(ROUTE, FLOW, [FULFILLED])
    lease, leased = held(outbox)
    assert outbox.settle(lease, [parked(leased[2], "refused")]).followers_parked == 0
    outbox.leave(lease)
    assert len(waiting(outbox)) == 6
    (found,) = outbox.listed(THERE, PARKED)
    assert (found.key, found.reason, found.attempts) == (leased[2].key, "refused", 1)


def test_a_reason_is_kept_whatever_characters_it_has(outbox: Outbox) -> None:
    outbox.accept(ROUTE, FLOW, [PLACED])
    lease, leased = held(outbox)
    outbox.settle(lease, [parked(leased[0], "half of it: \ud83d, none: \0, whole: 🎁")])
    reasons = {each.reason for each in outbox.listed(THERE, PARKED)}
    assert "half of it: ?, none: ?, whole: 🎁" in reasons


def test_what_is_done_keeps_no_body_and_what_is_parked_does(outbox: Outbox) -> None:
    outbox.accept(ROUTE, FLOW, [PLACED])
    lease, leased = held(outbox)
    outbox.settle(lease, [*done(leased[:2]), parked(leased[2]), *done(leased[3:])])
    bodies = {each.key: each.body for each in outbox.listed(THERE, Filter())}
    assert bodies == {e.key: (e.body if e is leased[2] else "") for e in leased}


def test_workers_share_a_text_of_their_destination(outbox: Outbox) -> None:
    def append(word: str) -> Callable[[str], tuple[str, int]]:
        return lambda before: (before + word, len(before))

    assert outbox.shared(THERE, append("one ")) == 0
    assert outbox.shared(THERE, append("two")) == 4
    assert outbox.shared(THERE, lambda text: (text, text)) == "one two"
    assert outbox.shared("http://elsewhere", lambda text: (text, text)) == ""


# ---- mending ----


@pytest.mark.parametrize("place", [0, 1])
def test_a_newer_snapshot_mends_what_was_parked_in_its_place(outbox: Outbox, place: int) -> None:
    outbox.accept(ROUTE, FLOW, [PLACED])
    lease, leased = held(outbox)
    outbox.settle(lease, [*done(leased[:place]), parked(leased[place])])
    outbox.leave(lease)
    assert waiting(outbox) == []
    accepted = outbox.accept(ROUTE, FLOW, [CANCELLED])
    assert (accepted.mended, outbox.listed(THERE, PARKED)) == (1, [])
    again = waiting(outbox)
    assert [each.id for each in again] == [each.id for each in leased[place:]]
    deal = next(each for each in again if each.kind is Kind.DEAL)
    assert (deal.call.body["stage"], deal.call.body["currency"]) == (3, "USD")


def test_parked_operations_wait_again_in_their_old_order(outbox: Outbox) -> None:
    outbox.accept(ROUTE, FLOW, [PLACED])
    lease, leased = held(outbox)
    outbox.settle(lease, [parked(leased[0])])
    assert outbox.retry("http://elsewhere", PARKED) == 0
    assert outbox.retry(THERE, Filter(reason_contains="of 100%")) == 0
    assert outbox.retry(THERE, PARKED) == 4
    assert [each.id for each in waiting(outbox)] == [each.id for each in leased]


def test_a_parked_operation_can_be_edited_and_no_other(outbox: Outbox) -> None:
    outbox.accept(ROUTE, FLOW, [PLACED])
    lease, leased = held(outbox)
    outbox.settle(lease, [*done(leased[:1]), parked(leased[1])])
    for about_another in ({"stage": 7}, {"custom_id": "ORD-1", "stage": 7}):
        with pytest.raises(Invalid, match="custom_id"):
            outbox.edit(THERE, leased[1].id, about_another)
    outbox.edit(THERE, leased[1].id, {"custom_id": "ORD-78523", "stage": 7})
    assert waiting(outbox)[0].call.body == {"custom_id": "ORD-78523", "stage": 7}
    with pytest.raises(Conflict, match="is done"):
        outbox.edit(THERE, leased[0].id, {})
    with pytest.raises(NotFound):
        outbox.edit(THERE, 10**9, {})


def test_a_replay_says_everything_again_with_a_doubt_on_its_events(outbox: Outbox) -> None:
    outbox.accept(ROUTE, FLOW, [FULFILLED])
    first = waiting(outbox)
    lease, leased = held(outbox)
    outbox.settle(lease, done(leased))
    assert outbox.replay(ROUTE, FLOW, ["ORD-78523"]) == 7
    again = waiting(outbox)
    assert [each.kind for each in again] == [each.kind for each in first]
    assert [each.call.body for each in again] == [each.call.body for each in first]
    events = {each.key for each in first if each.kind.is_event}
    assert {each.key for each in again if each.is_unsure} == events
    assert {each.origin for each in again} == {Origin.REPLAY}
    assert outbox.accept(ROUTE, FLOW, [FULFILLED]).unchanged == 1
    lease, leased = held(outbox)
    outbox.settle(lease, done(leased))
    assert outbox.accept(ROUTE, FLOW, [CANCELLED]).operations == {Kind.DEAL: 1}
    with pytest.raises(NotFound, match="never accepted"):
        outbox.replay(ROUTE, FLOW, ["ORD-78523", "ORD-0"])


def test_a_replay_of_two_orders_of_one_person_says_the_person_with_each(outbox: Outbox) -> None:
    outbox.accept(ROUTE, FLOW, [PLACED, replace(PLACED, id="O-2")])
    lease, leased = held(outbox)
    outbox.settle(lease, done(leased))
    assert outbox.replay(ROUTE, FLOW, ["ORD-78523", "O-2"]) == len(waiting(outbox)) == 8
    contacts = [each.key for each in waiting(outbox) if each.kind is Kind.CONTACT]
    assert [key.rsplit(":", 1)[1] for key in contacts] == ["2", "3"]


def test_a_contact_ends_as_what_was_said_last_also_where_two_orders_wait(outbox: Outbox) -> None:
    def told(name: str, phone: str, hours: int, surname: str | None = None) -> Order:
        customer = replace(JOHN, phone=phone, last_name=surname)
        at = PLACED.placed_at + timedelta(hours=hours)
        return replace(PLACED, id=name, customer=customer, placed_at=at)

    for order in (told("A", "111", 2), told("B", "222", 1, "Doe"), told("A", "333", 2)):
        outbox.accept(ROUTE, FLOW, [order])
    contact: dict[str, Any] = {}
    for each in waiting(outbox):
        if each.kind is Kind.CONTACT:
            contact |= json.loads(json.dumps(each.call.body))
    assert (contact["phone"], contact["last_name"]) == ("333", "Doe")


def test_a_contact_that_is_tried_again_says_what_was_said_of_it_since(outbox: Outbox) -> None:
    def told(name: str, phone: str, hours: int) -> Order:
        at = PLACED.placed_at + timedelta(hours=hours)
        return replace(PLACED, id=name, customer=replace(JOHN, phone=phone), placed_at=at)

    outbox.accept(ROUTE, FLOW, [told("A", "111", 1)])
    lease, leased = held(outbox)
    outbox.settle(lease, [parked(leased[0])])
    outbox.accept(ROUTE, FLOW, [told("B", "222", 2)])
    lease, leased = held(outbox)
    outbox.settle(lease, done(leased))
    outbox.retry(THERE, PARKED)
    [contact] = [each for each in waiting(outbox) if each.kind is Kind.CONTACT]
    assert (contact.order_id, contact.call.body["phone"]) == ("A", "222")


def test_what_a_shop_is_planning_is_parked_with_what_it_stands_behind(postgres: Any) -> None:
    where = postgres.new_database()
    with open_outbox(where) as outbox, psycopg.connect(where) as shop:
        outbox.accept(ROUTE, FLOW, [PLACED])
        lease, leased = held(outbox)
        deal = next(each for each in leased if each.kind is Kind.DEAL)
        outbox.accept(ROUTE, FLOW, [FULFILLED], tx=joined(shop))
        settling = threading.Thread(target=outbox.settle, args=[lease, [parked(deal)]])
        settling.start()
        settling.join(0.2)
        shop.commit()
        settling.join()
        assert outbox.counts(THERE).waiting == 0
        deals = outbox.listed(THERE, Filter(kinds=(Kind.DEAL,)))
        assert [each.state for each in deals] == [State.PARKED, State.PARKED]


def test_replays_and_changes_at_once_undo_nothing_of_each_other(outbox: Outbox) -> None:
    outbox.accept(ROUTE, FLOW, [PLACED])
    lease, leased = held(outbox)
    outbox.settle(lease, done(leased))
    over = threading.Event()

    def replays() -> None:
        while not over.is_set():
            outbox.replay(ROUTE, FLOW, ["ORD-78523"])

    replaying = threading.Thread(target=replays)
    replaying.start()
    for n in range(40):
        outbox.accept(ROUTE, FLOW, [replace(FULFILLED, delivery=Decimal(n))])
    over.set()
    replaying.join()
    deal: dict[str, Any] = {}
    for each in waiting(outbox):
        if each.kind is Kind.DEAL:
            deal |= each.call.body
    assert (deal["stage"], deal["value"]) == (2, Decimal("188.90"))


def test_what_is_done_for_long_can_be_forgotten_and_stays_counted(
    outbox: Outbox, time: Time
) -> None:
    outbox.accept(ROUTE, FLOW, [FULFILLED])
    lease, leased = held(outbox)
    outbox.settle(lease, done(leased))
    assert outbox.prune(AT) == 0
    time.pass_by(10)
    assert outbox.prune(AT + timedelta(seconds=1)) == 7
    assert outbox.counts(THERE) == Counts(accepted=7, done=7)
    assert outbox.listed(THERE, Filter()) == []
    assert outbox.accept(ROUTE, FLOW, [FULFILLED]).unchanged == 1


def test_orders_come_in_pages_with_what_is_kept(outbox: Outbox) -> None:
    orders = many(7)
    outbox.accept(ROUTE, FLOW, orders)
    found = outbox.orders(THERE, limit=5)
    found += outbox.orders(THERE, after_id=found[-1].id, limit=5)
    assert [each.order for each in found] == orders
    one = outbox.order(ROUTE, "O3")
    assert one is not None
    assert {each.order_id for each in one.operations} == {"O3"}
    assert outbox.order(ROUTE, "O99") is None


# ---- several at once, and killed ----


def test_many_threads_that_accept_one_order_plan_it_once(outbox: Outbox) -> None:
    together = threading.Barrier(8)
    lives = [[PLACED, FULFILLED, PARTLY_RETURNED], [FULFILLED, PLACED], [CANCELLED, PLACED]]

    def accept(number: int) -> None:
        together.wait()
        for order in lives[number % 3]:
            later = replace(order, updated_at=AT + timedelta(hours=len(order.refunds)))
            outbox.accept(ROUTE, FLOW, [later, numbered(later, number % 2)])

    threads = [threading.Thread(target=accept, args=[n]) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    keys = Counter(each.key for each in waiting(outbox))
    assert set(keys.values()) == {1}
    kept = outbox.order(ROUTE, "ORD-78523")
    assert kept is not None
    assert kept.order.refunds == PARTLY_RETURNED.refunds


def test_workers_at_once_carry_each_out_once_and_each_lane_in_order(outbox: Outbox) -> None:
    outbox.accept(ROUTE, FLOW, many(60, contacts=17))
    carried: list[Leased] = []
    lock = threading.Lock()

    def work(name: str) -> None:
        lease = outbox.join(THERE, name)
        while outbox.counts(THERE).done < outbox.counts(THERE).accepted:
            leased = outbox.claim(lease, limit=20)
            with lock:
                carried.extend(leased)
            assert outbox.settle(lease, done(leased)).lost == 0

    threads = [threading.Thread(target=work, args=[f"w{n}"]) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(Counter(each.id for each in carried).values()) == 1
    assert len(carried) == outbox.counts(THERE).accepted
    by_lane: dict[str, list[int]] = {}
    for each in carried:
        by_lane.setdefault(each.lane, []).append(each.id)
    assert all(ids == sorted(ids) for ids in by_lane.values())


@settings(max_examples=12, deadline=None)
@given(st.data())
def test_however_snapshots_are_listed_the_outbox_holds_what_comes_of_one_by_one(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    ids = st.sampled_from(["O1", "O2", "O3"])
    snapshots = data.draw(st.lists(ids.flatmap(made_orders), min_size=1, max_size=8))
    cut = data.draw(st.integers(0, len(snapshots)))
    folder = tmp_path_factory.mktemp("outbox")
    with open_outbox(folder / "one") as one, open_outbox(folder / "many") as together:
        for order in snapshots:
            one.accept(ROUTE, FLOW, [order])
        for part in (snapshots[:cut], snapshots[cut:]):
            together.accept(ROUTE, FLOW, part)
        said = [{e.key: json.loads(e.body) for e in waiting(box)} for box in (one, together)]
        assert said[0] == said[1]
        assert together.counts(THERE).waiting == len(said[1])
        latest = list({o.id: o for o in snapshots}.values())
        assert together.accept(ROUTE, FLOW, latest).changed == 0


def test_killed_at_any_moment_nothing_is_lost(where: str, tmp_path: Path) -> None:
    log = tmp_path / "sent.log"
    chance = random.Random(7)
    kills = 0
    for lines in (*(chance.randrange(1, 25) for _ in range(5)), 1_000):
        kills += not work_until(where, log, lines)
    with open_outbox(tmp_path / "calm.outbox") as calm:
        calm.accept(outbox_worker.ROUTE, FLOW, outbox_worker.ORDERS)
        events = Counter(each.key for each in waiting(calm) if each.kind.is_event)
    sent = Counter(log.read_text().splitlines())
    assert kills == 5
    assert {key for key in sent if key in events} == events.keys()
    assert max(sent.values()) <= 1 + kills
    with open_outbox(where) as outbox:
        counts = outbox.counts(THERE)
        assert counts == Counts(counts.accepted, done=counts.accepted)
        assert outbox.accept(ROUTE, FLOW, outbox_worker.ORDERS).changed == 0


def work_until(where: str, log: Path, lines: int) -> bool:
    """Let a worker run until it has told so many lines, then kill it; True when it was done."""
    command = [sys.executable, outbox_worker.__file__, where, str(log)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdout
        for told, line in enumerate(worker.stdout, 1):
            if line == "finished\n":
                return True
            if told == lines:
                worker.send_signal(signal.SIGKILL)
                return False
    raise AssertionError("the worker ended before it was done")


# ---- statements ----


class Recording:
    """The database, with everything that is asked of it taken down."""

    dialect = Sqlite.dialect

    def __init__(self, path: Path) -> None:
        self._inner = Sqlite(path)
        self.asked: dict[str, dict[str, Any]] = {}
        self.close = self._inner.close

    def write(self, work: Callable[[Any], Any]) -> Any:
        return self._inner.write(lambda tx: work(Recorder(tx, self.asked)))

    def read(self, work: Callable[[Any], Any]) -> Any:
        return self._inner.read(lambda tx: work(Recorder(tx, self.asked)))


class Recorder:
    def __init__(self, inner: Any, asked: dict[str, dict[str, Any]]) -> None:
        self._inner = inner
        self._asked = asked

    def fetch(self, query: str, **parameters: Any) -> Any:
        self._asked[query] = parameters
        return self._inner.fetch(query, **parameters)

    def run(self, statement: str, **parameters: Any) -> None:
        self._asked[statement] = parameters
        self._inner.run(statement, **parameters)


LOOKS_AT_ALL = ("count(*)", "min(created_at)", "pruned = pruned", "DELETE FROM ordertrail_operat")


def test_no_statement_goes_through_a_whole_table(tmp_path: Path) -> None:
    database = Recording(tmp_path / "the.outbox")
    outbox = Outbox(database, is_ours=True)
    outbox.open()
    database.asked.clear()
    outbox.accept(ROUTE, FLOW, [FULFILLED, BAD])
    lease, leased = held(outbox)
    later = Outcome(leased[2], State.WAITING, 1, "away", AT)
    outbox.settle(lease, [*done(leased[3:4]), later, parked(leased[1])])
    outbox.accept(ROUTE, FLOW, [replace(CANCELLED, version=2), BAD])
    outbox.accept(ROUTE, FLOW, [replace(CANCELLED, version=3)])
    outbox.accept(ROUTE, FLOW, [replace(PLACED, version=1)])
    outbox.leave(lease)
    outbox.due_at(THERE)
    outbox.contact_body(THERE, "c")
    outbox.orders(THERE)
    assert len(database.asked) > 25
    connection = apsw.Connection(str(tmp_path / "the.outbox"))
    for statement, parameters in database.asked.items():
        if any(words in statement for words in LOOKS_AT_ALL):
            continue
        told = worded(statement, Dialect.SQLITE)
        bound = {n: json.dumps(v) if isinstance(v, list) else v for n, v in parameters.items()}
        plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {told}", bound)]
        scanned = [step for step in plan if step.startswith("SCAN ordertrail_")]
        assert not [step for step in scanned if "destinations" not in step], (statement, plan)
        if "ORDER BY lane, id" in statement:
            assert "USE TEMP B-TREE FOR ORDER BY" not in plan
    connection.close()
    outbox.close()


# ---- files that are none, and disks that are full ----


def test_it_is_all_there_after_closing_and_opening(where: str) -> None:
    with open_outbox(where) as outbox:
        outbox.accept(ROUTE, FLOW, [FULFILLED, replace(BAD, id="B")])
        before = waiting(outbox)
    with open_outbox(where) as outbox:
        assert waiting(outbox) == before
        assert outbox.accept(ROUTE, FLOW, [FULFILLED]).unchanged == 1
        assert len(outbox.quarantined(THERE)) == 1


def write(path: Path, *statements: str) -> None:
    database = Sqlite(path)
    for statement in statements:
        database.write(lambda tx, statement=statement: tx.run(statement))  # type: ignore[misc]
    database.close()


@pytest.mark.parametrize("form", [FORM - 1, FORM + 1])
def test_another_form_is_refused_and_left_alone(tmp_path: Path, form: int) -> None:
    path = tmp_path / "newer.outbox"
    with open_outbox(path):
        pass
    write(path, f"UPDATE ordertrail_outbox SET form = {form}")
    with pytest.raises(DatabaseRefused, match=f"form {form}"), open_outbox(path):
        pass


def test_the_form_of_a_pre_release_is_refused_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "former.outbox"
    tables = ("operations", "snapshots", "quarantine")
    write(path, *(f"CREATE TABLE {e} (id INTEGER)" for e in tables), "PRAGMA user_version = 1")
    with pytest.raises(DatabaseRefused, match="move the file away"), open_outbox(path):
        pass


def test_a_database_of_something_else_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    write(path, "CREATE TABLE deals (id INTEGER)")
    with pytest.raises(DatabaseRefused, match="no outbox"), open_outbox(path):
        pass
    database = Sqlite(path)
    found = database.read(lambda reader: reader.fetch("SELECT name FROM sqlite_schema"))
    database.close()
    assert found == [("deals",)]


def test_what_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("remember the milk " * 100)
    with pytest.raises(DatabaseRefused), open_outbox(path):
        pass
    assert path.read_text().startswith("remember the milk")


def test_a_full_disk_raises_and_leaves_nothing_half_written(tmp_path: Path) -> None:
    with open_outbox(tmp_path / "the.outbox") as outbox:
        outbox.accept(ROUTE, FLOW, [PLACED])
        before = outbox.counts(THERE)
        database: Any = outbox._database
        database.write(lambda tx: tx.run("PRAGMA max_page_count = 30"))
        with pytest.raises(DatabaseAway, match="make room on the disk"):
            outbox.accept(ROUTE, FLOW, many(500))
        assert outbox.counts(THERE) == before
        database.write(lambda tx: tx.run("PRAGMA max_page_count = 1000000"))
        assert outbox.accept(ROUTE, FLOW, many(500)).changed == 500


def test_a_corrupt_file_raises_and_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "the.outbox"
    with open_outbox(path) as outbox:
        outbox.accept(ROUTE, FLOW, many(200))
    raw = bytearray(path.read_bytes())
    raw[8_192:] = b"\xa5" * (len(raw) - 8_192)
    path.write_bytes(bytes(raw))
    with pytest.raises(DatabaseRefused, match="restore it from a backup"), open_outbox(path) as o:
        o.accept(ROUTE, FLOW, many(200)[::-1])


def test_a_database_that_does_not_let_in_or_is_away_is_told_apart(postgres: Any) -> None:
    with pytest.raises(DatabaseRefused, match="check user, password"):
        open_outbox(postgres.url("nowhere")).open()
    with pytest.raises(DatabaseAway, match="see that it runs"):
        open_outbox("postgresql://postgres@127.0.0.1:1/x").open()


def test_a_connection_that_is_lost_is_made_again(postgres: Any) -> None:
    with open_outbox(postgres.new_database()) as outbox:
        outbox.accept(ROUTE, FLOW, [PLACED])
        postgres.end_connections()
        assert outbox.accept(ROUTE, FLOW, [FULFILLED]).changed == 1
