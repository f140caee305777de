"""Delivery to an endpoint that is not our own platform: it counts twice what is sent twice."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from destination import EVENT, PRODUCT_EVENT, Destination, nothing, wanted
from made_orders import JOHN, many
from sync_worker import QUICK, TOKEN
from syncing import FLOW, SMALL, mishaps, sync

from ordertrail.client.client import Client
from ordertrail.domain.errors import Forbidden, Refused, Unauthorised
from ordertrail.sync import timeline
from ordertrail.sync.operations import Kind, Leased, State
from ordertrail.sync.outbox import Filter, Listed, Outbox, open_outbox
from ordertrail.sync.outbox_orders import Route
from ordertrail.sync.progress import Summary
from ordertrail.sync.rim import Rim
from ordertrail.sync.run import run
from ordertrail.sync.worker import Pace


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    with open_outbox(tmp_path / "outbox.db") as opened:
        yield opened


def hosted(fault: Any = nothing, **options: Any) -> Destination:
    return Destination(fault, workspace=None, **options)


def is_event(said: dict[str, Any]) -> bool:
    return ("name" in said and "data" in said) or "event_type" in said


def parked(outbox: Outbox, destination: str) -> list[Listed]:
    return outbox.listed(destination, Filter(states=(State.PARKED,)))


@pytest.mark.parametrize("way", ["apply+drop", "apply+500", "apply+503", "drop", "500", "503"])
@pytest.mark.parametrize("pace", [QUICK, SMALL])
def test_an_event_whose_outcome_is_unknown_is_there_exactly_once(
    outbox: Outbox, way: str, pace: Pace
) -> None:
    there, orders, failed = hosted(), many(10), set[str]()

    def once(said: dict[str, Any]) -> str | None:
        if not is_event(said) or repr(said) in failed:
            return None
        failed.add(repr(said))
        return way

    there.fault = once
    summary = sync(there, outbox, orders, pace=pace)
    assert summary.is_complete
    assert there.holdings() == wanted(orders, FLOW)
    events = [path for path, _ in there.seen if EVENT.match(path) or PRODUCT_EVENT.match(path)]
    assert there.faults[way] == len(failed) > 20
    assert len(events) == len(failed) * (1 if way.startswith("apply") else 2)
    assert len(there.listed) >= len(failed)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_whatever_goes_wrong_each_event_is_there_once(outbox: Outbox, seed: int) -> None:
    there, orders = hosted(mishaps(seed, share=0.3)), many(30)
    there.looked = mishaps(seed, share=0.2)
    assert sync(there, outbox, orders).is_complete
    assert there.holdings() == wanted(orders, FLOW)


def test_what_a_dead_worker_sent_is_not_created_again_though_it_arrives_after_the_claim(
    outbox: Outbox,
) -> None:
    there, orders = hosted(), many(10)
    sent: list[Leased] = []

    def arrive() -> None:
        for each in sent:
            there.apply(None, each.path, each.call.body)

    def begin(said: dict[str, Any]) -> None:
        there.fault = nothing
        asyncio.get_running_loop().call_later(0.1, arrive)

    async def story() -> Summary:
        async with there.serving() as url, Client(url, TOKEN, timeout_s=0.3) as client:
            outbox.accept(Route("shop", url), FLOW, orders)
            dead = outbox.join(url, "dead", lease_s=0.0)
            sent.extend(each for each in outbox.claim(dead) if each.kind.is_event)
            there.fault = begin
            pace = replace(QUICK, limits=replace(QUICK.limits, lease_s=300.0))
            return await run(
                [], outbox, client, flow=FLOW, source="shop", progress=lambda _: None, pace=pace
            )

    assert asyncio.run(story()).is_complete
    assert len(sent) > 10
    assert there.holdings() == wanted(orders, FLOW)


def test_an_event_is_found_behind_older_ones_that_were_created_after_it(outbox: Outbox) -> None:
    there, order = hosted(), many(2, contacts=1)[1]
    contact = wanted([order], FLOW)[3][0][0]
    long_ago = int(datetime(2001, 1, 1, tzinfo=UTC).timestamp())

    def fault(said: dict[str, Any]) -> str | None:
        if "name" not in said or "data" not in said:
            return None
        there.fault = nothing
        days = [long_ago + day * 86_400 for day in range(20)]
        older = [{"name": "visit", "timestamp": day, "data": {}} for day in days]
        there.events += [(contact, each) for each in (said, *older)]
        return "500"

    there.fault = fault
    assert sync(there, outbox, [order]).is_complete
    assert sum(said["name"] != "visit" for _, said in there.events) == 1


def test_nothing_is_looked_for_that_was_surely_not_carried_out(outbox: Outbox) -> None:
    failed = set[str]()

    def once(said: dict[str, Any]) -> str | None:
        is_new = repr(said) not in failed
        failed.add(repr(said))
        return "429" if is_new else None

    there = hosted(once)
    assert sync(there, outbox, many(5)).is_complete
    assert there.holdings() == wanted(many(5), FLOW)
    assert not there.listed


def test_our_own_platform_is_told_a_key_and_nothing_is_looked_for(outbox: Outbox) -> None:
    there = Destination(mishaps(7, share=0.4))
    assert sync(there, outbox, many(20)).is_complete
    assert there.holdings() == wanted(many(20), FLOW)
    assert not there.listed


def test_a_timeline_too_long_to_tell_parks_the_event_and_says_so(outbox: Outbox) -> None:
    there, order = hosted(), many(2, contacts=1)[1]
    at = int(datetime(2031, 1, 1, tzinfo=UTC).timestamp())

    def fault(said: dict[str, Any]) -> str | None:
        is_looked_for = any("/events/" in path for path in there.listed)
        return "500" if "name" in said and "data" in said and not is_looked_for else None

    there.fault = fault
    others = [{"name": "visit", "timestamp": at, "data": {}} for _ in range(1_000)]

    contact = wanted([order], FLOW)[3][0][0]
    there.events = [(contact, each) for each in others]
    summary = sync(there, outbox, [order])
    (found,) = parked(outbox, summary.destination)
    assert "cannot tell whether it was carried out" in (found.reason or "")
    assert found.kind is Kind.CONVERSION
    assert len(there.listed) == timeline.PAGES_MAX


@pytest.mark.parametrize("status", ["401", "403"])
def test_a_burst_of_refused_keys_is_no_reason_to_stop(outbox: Outbox, status: str) -> None:
    there, orders = hosted(), many(10)
    there.fault = lambda said: status if len(there.seen) < 8 else None
    pace = replace(QUICK, patience=replace(QUICK.patience, refusal_wait_s=10.0))
    assert sync(there, outbox, orders, pace=pace).is_complete
    assert there.faults[status] == 8
    assert there.holdings() == wanted(orders, FLOW)


@pytest.mark.parametrize(("status", "kind"), [("401", Unauthorised), ("403", Forbidden)])
def test_a_refused_key_pauses_the_destination_parks_nothing_and_resumes(
    outbox: Outbox, status: str, kind: type[Refused]
) -> None:
    there, orders = hosted(), many(20)
    there.fault = lambda said: status if len(there.seen) >= 25 else None
    stopped = sync(there, outbox, orders, pace=SMALL)
    assert type(stopped.stopped) is kind
    counts = outbox.counts(stopped.destination)
    assert (counts.parked, counts.leased) == (0, 0)
    assert outbox.shared(stopped.destination, lambda text: (text, "paused_because" in text))
    there.fault = nothing
    assert sync(there, outbox, orders).is_complete
    assert there.holdings() == wanted(orders, FLOW)


def test_429_does_not_use_up_attempts(outbox: Outbox) -> None:
    failed: dict[str, int] = {}

    def fault(said: dict[str, Any]) -> str | None:
        failed[repr(said)] = failed.get(repr(said), 0) + 1
        return "429" if failed[repr(said)] <= 20 else None

    there = hosted(fault)
    there.retry_after = lambda: "0"
    summary = sync(there, outbox, many(2))
    assert summary.is_complete
    done = outbox.listed(summary.destination, Filter(states=(State.DONE,)))
    assert {each.attempts for each in done} == {1}
    assert set(failed.values()) == {21}


@pytest.mark.parametrize("as_date", [False, True])
def test_the_destination_is_left_alone_for_as_long_as_it_asks(
    outbox: Outbox, as_date: bool
) -> None:
    now, waits = 0.0, list[float]()

    async def sleep(seconds: float) -> None:
        nonlocal now
        waits.append(seconds)
        now += max(seconds, 0.0)
        await asyncio.to_thread(int)

    there = hosted()
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=8_000), usegmt=True)
    there.retry_after = lambda: later if as_date else "4.5"
    there.fault = lambda said: "429" if len(there.seen) < 1 else None
    rim = Rim(sleep=sleep, stopwatch=lambda: now, jitter=lambda: 0.0)
    limits = replace(QUICK.limits, held_wait_s=9_999.0, lease_s=99_999.0)
    pace = replace(QUICK, rim=rim, limits=limits)
    assert sync(there, outbox, many(1), pace=pace).is_complete
    asked = 3_600.0 if as_date else 4.5
    assert any(asked - 1 < each <= asked for each in waits)


def test_what_belongs_to_a_contact_or_product_that_is_missing_is_healed(outbox: Outbox) -> None:
    there, orders = hosted(is_strict=True), many(8)
    assert sync(there, outbox, orders).is_complete, "products are made as their events need them"
    assert there.holdings() == wanted(orders, FLOW)
    assert there.products == {path for path, _ in there.product_events}
    there.contacts.clear()
    changed = [replace(each, cancelled_at=each.placed_at) for each in orders]
    assert sync(there, outbox, changed).is_complete


def test_what_stays_missing_is_parked_after_one_more_try(outbox: Outbox) -> None:
    there = hosted(lambda said: "404" if "event_type" in said else None)
    summary = sync(there, outbox, many(1))
    found = parked(outbox, summary.destination)
    assert {each.reason for each in found} == {"fault 404"}
    tried = [path for path, _ in there.seen if PRODUCT_EVENT.match(path)]
    products = [path for path, _ in there.seen if path == "/api/public/products/"]
    assert (len(tried), len(products)) == (4, 2)


def renamed(email: str) -> Any:
    return replace(JOHN, email=email, shop_id="5")


def test_a_changed_email_merges_the_old_contact_by_the_numbers_of_the_endpoint(
    outbox: Outbox,
) -> None:
    there, order = hosted(), replace(many(1)[0], customer=renamed("old@x.com"))
    assert sync(there, outbox, [order]).is_complete
    later = replace(
        order, id="O2", customer=renamed("new@x.com"), placed_at=order.placed_at + timedelta(1)
    )
    assert sync(there, outbox, [later]).is_complete
    old, new = sorted(there.numbers.values())
    assert there.merges == [(new, [old])]


def test_where_contacts_cannot_be_merged_it_says_what_to_do(outbox: Outbox) -> None:
    there, order = hosted(), replace(many(1)[0], customer=renamed("old@x.com"))
    there.fault = lambda said: "404" if "users_list" in said else None
    sync(there, outbox, [order])
    later = replace(
        order, id="O2", customer=renamed("new@x.com"), placed_at=order.placed_at + timedelta(1)
    )
    summary = sync(there, outbox, [later])
    (found,) = parked(outbox, summary.destination)
    assert found.kind is Kind.MERGE
    assert "merge them there by hand" in (found.reason or "")
    assert set(there.deals) == {order.id, "O2"}


def test_a_contact_that_is_not_there_needs_no_merge(outbox: Outbox) -> None:
    there, order = hosted(), replace(many(1)[0], customer=renamed("old@x.com"))
    sync(there, outbox, [order])
    there.numbers.clear()
    later = replace(
        order, id="O2", customer=renamed("new@x.com"), placed_at=order.placed_at + timedelta(1)
    )
    assert sync(there, outbox, [later]).is_complete
    assert not there.merges
