import asyncio
import copy
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from destination import Destination, nothing, wanted
from made_orders import many
from sync_worker import QUICK
from syncing import FLOW, SMALL, mishaps, sync, syncing

from ordertrail.domain.errors import Forbidden, Invalid, Refused, Unauthorised, Unavailable
from ordertrail.domain.order import Order
from ordertrail.sync.breaker import Breaking
from ordertrail.sync.operations import State
from ordertrail.sync.outbox import Filter, Outbox, open_outbox
from ordertrail.sync.outbox_orders import Route
from ordertrail.sync.progress import Progress
from ordertrail.sync.rules import Flow, Stages
from ordertrail.sync.watch import Endurance
from ordertrail.sync.worker import Pace

OUT_OF_PATIENCE = replace(QUICK, endurance=Endurance(Breaking(3, 0.05, 1.0), away_s_max=0.0))


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    with open_outbox(tmp_path / "outbox.db") as opened:
        yield opened


def test_everything_is_delivered_and_a_second_run_changes_nothing(outbox: Outbox) -> None:
    there, orders = Destination(), many(30)
    first = sync(there, outbox, orders)
    assert first.is_complete
    assert there.holdings() == wanted(orders, FLOW)
    assert first.progress.delivered == first.progress.planned
    assert len(there.seen) == first.progress.planned.total() == len(there.applied)
    assert (first.progress.orders, first.progress.changed) == (30, 30)
    second = sync(there, outbox, orders)
    assert second.is_complete
    assert (second.progress.unchanged, second.progress.changed) == (30, 0)
    assert len(there.seen) == len(there.applied)
    assert second.destination == first.destination == "workspace:w-1"


@pytest.mark.parametrize("pace", [QUICK, SMALL])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_whatever_goes_wrong_on_the_way_each_thing_is_there_once(
    outbox: Outbox, seed: int, pace: Pace
) -> None:
    there, orders = Destination(mishaps(seed, share=0.3)), many(30)
    summary = sync(there, outbox, orders, pace=pace)
    assert summary.is_complete
    assert there.holdings() == wanted(orders, FLOW)
    assert len(there.applied) == summary.progress.planned.total()
    assert len(there.faults) == 7, "every way to go wrong was met"


def test_an_answer_that_does_not_come_is_asked_for_again(outbox: Outbox) -> None:
    there, orders = Destination(), many(3)
    there.fault = lambda said: "hang" if not there.seen else None
    assert sync(there, outbox, orders).is_complete
    assert there.holdings() == wanted(orders, FLOW)
    assert there.faults["hang"] == 1


@pytest.mark.parametrize("takes_batches", [False, True])
def test_a_key_goes_with_an_event_alone_so_that_a_replay_writes_the_rest_again(
    outbox: Outbox, takes_batches: bool
) -> None:
    there, orders = Destination(takes_batches=takes_batches), many(5)
    first = sync(there, outbox, orders)
    assert len(there.keys) == len(there.product_events) + len(there.events) > 0
    held = copy.deepcopy(there.holdings())
    owner = there.contacts[there.deals["O0"]["user_custom_id"]]
    owner["first_name"] = there.deals["O0"]["value"] = "changed by hand"
    outbox.replay(Route("shop", first.destination), FLOW, ["O0"])
    assert sync(there, outbox, orders).is_complete
    assert there.holdings() == held


def test_an_endpoint_that_is_not_ours_is_delivered_to_as_well(outbox: Outbox) -> None:
    there, orders = Destination(workspace=None), many(5)
    summary = sync(there, outbox, orders)
    assert summary.is_complete
    assert summary.destination == f"http://127.0.0.1:{there.port}"
    assert there.holdings() == wanted(orders, FLOW)


def test_a_fresh_platform_at_the_same_address_is_told_everything(outbox: Outbox) -> None:
    there, orders = Destination(), many(5)
    sync(there, outbox, orders)
    fresh = Destination(workspace="w-2")
    fresh.port = there.port
    assert sync(fresh, outbox, orders).progress.changed == 5
    assert fresh.holdings() == there.holdings()


def test_a_platform_that_moved_to_another_address_is_the_same_destination(outbox: Outbox) -> None:
    there, orders = Destination(), many(5)
    first = sync(there, outbox, orders)
    there.port = 0
    second = sync(there, outbox, orders)
    assert second.destination == first.destination
    assert (second.progress.unchanged, second.is_complete) == (5, True)


@pytest.mark.parametrize("pace", [QUICK, SMALL])
def test_what_concerns_one_contact_comes_in_order_and_contacts_side_by_side(
    outbox: Outbox, pace: Pace
) -> None:
    there = Destination(mishaps(4, share=0.2, is_limited=False))
    assert sync(there, outbox, many(40), pace=pace).is_complete
    came: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for path, said in there.applied:
        rank = ["users", "deals", "products-by-id", "users-by-id"].index(path.split("/")[3])
        in_body = said.get("user_custom_id") or said.get("custom_id")
        came[in_body or path.split("/")[4]].append((order_number(rank, said), rank))
    assert len(came) == 7
    assert all(steps == sorted(steps) for steps in came.values())
    assert 1 < there.most_under_way <= pace.limits.calls_max


def order_number(rank: int, said: dict[str, Any]) -> int:
    """The number in the id of the order that an operation is about; a contact comes before all."""
    if rank == 0:
        return -1
    order_id = said.get("custom_id") or said["data"].get("order_id")
    return int((order_id or said["data"]["custom_data"]["order_id"])[1:])


def test_a_wrong_token_stops_everything_and_parks_nothing(outbox: Outbox) -> None:
    there, orders = Destination(), many(5)
    stopped = sync(there, outbox, orders, token="other")
    assert isinstance(stopped.stopped, Unauthorised)
    assert not stopped.is_complete
    assert not there.seen


@pytest.mark.parametrize(("status", "kind"), [("401", Unauthorised), ("403", Forbidden)])
def test_a_token_that_is_withdrawn_on_the_way_leaves_everything_waiting(
    outbox: Outbox, status: str, kind: type[Refused]
) -> None:
    there, orders = Destination(), many(20)
    there.fault = lambda said: status if len(there.seen) >= 25 else None
    stopped = sync(there, outbox, orders, pace=SMALL)
    assert type(stopped.stopped) is kind
    counts = outbox.counts(stopped.destination)
    assert (counts.parked, counts.done) == (0, len(there.applied))
    assert counts.waiting == stopped.progress.waiting > 0
    there.fault = nothing
    assert sync(there, outbox, orders).is_complete
    assert there.holdings() == wanted(orders, FLOW)


def test_a_destination_that_stays_away_is_given_up_and_nothing_is_lost(outbox: Outbox) -> None:
    there, orders = Destination(), many(20)
    there.fault = lambda said: "500" if len(there.seen) >= 25 else None
    stopped = sync(there, outbox, orders, pace=OUT_OF_PATIENCE)
    assert isinstance(stopped.stopped, Unavailable)
    assert outbox.counts(stopped.destination).parked == 0
    there.fault = mishaps(5, share=0.2)
    assert sync(there, outbox, orders).is_complete
    assert there.holdings() == wanted(orders, FLOW)


def test_a_refused_deal_parks_its_order_and_no_other(outbox: Outbox) -> None:
    there, orders = Destination(), many(20, contacts=2)
    there.fault = lambda said: "400" if said.get("custom_id") == "O6" else None
    summary = sync(there, outbox, orders)
    assert (summary.is_complete, summary.stopped, summary.progress.waiting) == (False, None, 0)
    assert there.holdings() == wanted([each for each in orders if each.id != "O6"], FLOW)
    parked = outbox.listed(summary.destination, Filter(states=(State.PARKED,)))
    assert {each.order_id for each in parked} == {"O6"}
    assert [each.reason for each in parked] == [
        "body: fault 400", *["waits for shop:O6:deal:1"] * (len(parked) - 1),
    ]  # fmt: skip
    assert len(parked) == summary.progress.parked == 6
    there.fault = nothing
    healed = sync(there, outbox, orders)
    assert healed.is_complete, "the next run tries what was parked once more"
    assert (healed.progress.planned.total(), healed.progress.delivered.total()) == (0, 6)
    assert there.holdings() == wanted(orders, FLOW)


@pytest.mark.parametrize("pace", [QUICK, SMALL])
def test_deals_refused_for_their_stage_are_whole_once_the_stages_are_right(
    outbox: Outbox, pace: Pace
) -> None:
    there, orders = Destination(), many(60)
    there.fault = lambda said: "400" if said.get("stage") == 12 else None
    wrong, right = Flow(Stages(12, 12, 12)), Flow(Stages(13, 14, 15))
    parked = sync(there, outbox, orders, pace=pace, flow=wrong)
    assert not there.deals
    assert outbox.counts(parked.destination).done == len(there.contacts) == 7
    summary = sync(there, outbox, orders, pace=pace, flow=right)
    assert (summary.is_complete, summary.progress.changed) == (True, 60)
    assert there.holdings() == wanted(orders, right)
    counts = outbox.counts(summary.destination)
    assert (counts.waiting, counts.parked) == (0, 0)
    assert len(there.applied) == summary.progress.delivered.total() + 7
    assert counts.done == counts.accepted == len(there.applied)
    assert sync(there, outbox, orders, pace=pace, flow=right).progress.unchanged == 60


@pytest.mark.parametrize("pace", [QUICK, SMALL])
def test_what_was_refused_for_a_while_is_delivered_by_the_next_run_of_the_same_orders(
    outbox: Outbox, pace: Pace
) -> None:
    there, orders = Destination(lambda _: "404"), many(30)
    for _ in range(2):
        refused = sync(there, outbox, orders, pace=pace)
        assert (refused.stopped, refused.progress.waiting) == (None, 0)
        assert outbox.counts(refused.destination).done == 0
    there.fault = nothing
    summary = sync(there, outbox, orders, pace=pace)
    assert (summary.is_complete, summary.progress.unchanged) == (True, 30)
    assert there.holdings() == wanted(orders, FLOW)
    counts = outbox.counts(summary.destination)
    assert counts.done == counts.accepted == summary.progress.delivered.total()


def test_an_order_that_cannot_be_true_is_told_and_the_others_are_delivered(outbox: Outbox) -> None:
    there, orders = Destination(), many(9)
    summary = sync(there, outbox, [*orders[:4], replace(orders[4], currency="?"), *orders[5:]])
    assert (summary.progress.quarantined, summary.is_complete) == (1, False)
    assert there.holdings() == wanted([*orders[:4], *orders[5:]], FLOW)
    assert sync(there, outbox, orders).is_complete


def test_cancelled_in_the_middle_the_next_run_goes_on_from_there(outbox: Outbox) -> None:
    there, orders = Destination(), many(40)

    async def story(after: int) -> None:
        enough = asyncio.Event()

        def fault(said: dict[str, Any]) -> str | None:
            if len(there.seen) >= after:
                enough.set()
            return None

        there.fault = fault
        running = asyncio.create_task(syncing(there, outbox, orders, pace=SMALL))
        await enough.wait()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    for after in (1, 30, 70):
        asyncio.run(story(after))
        there.fault = nothing
        counts = outbox.counts(outbox.destinations()[0])
        assert counts.parked == 0
        assert len(there.applied) - SMALL.limits.calls_max <= counts.done <= len(there.applied)
    assert sync(there, outbox, orders).is_complete
    assert there.holdings() == wanted(orders, FLOW)


def test_reading_pauses_while_much_waits(outbox: Outbox) -> None:
    there, most = Destination(), 0
    read = 0

    def orders() -> Iterator[Order]:
        nonlocal read
        for order in many(60):
            read += 1
            yield order

    def tell(progress: Progress) -> None:
        nonlocal most
        most = max(most, progress.waiting)
        assert progress.orders == progress.changed <= read <= progress.orders + 3

    assert sync(there, outbox, orders(), pace=SMALL, tell=tell).is_complete
    assert SMALL.waiting_max <= most < SMALL.waiting_max + 3 * 7


def test_progress_is_never_below_zero_and_exact_in_the_end(outbox: Outbox) -> None:
    there, told, orders = Destination(), list[Progress](), many(30)
    mishap = mishaps(6, share=0.1)
    there.fault = lambda said: "400" if said.get("custom_id") == "O6" else mishap(said)
    summary = sync(there, outbox, orders, pace=SMALL, tell=told.append)
    assert told[-1] == summary.progress
    assert summary.progress.parked == 6
    counts = outbox.counts(summary.destination)
    assert (summary.progress.waiting, counts.waiting, counts.leased) == (0, 0, 0)
    assert summary.progress.parked == counts.parked
    planned, delivered = summary.progress.planned.total(), summary.progress.delivered.total()
    assert planned == delivered + counts.parked
    assert all(each.waiting >= 0 and each.parked >= 0 for each in told)
    delivered = [each.delivered.total() for each in told]
    assert delivered == sorted(delivered)


def test_what_is_read_behind_a_parked_deal_says_it_whole_and_the_events_come_after(
    outbox: Outbox,
) -> None:
    there, order = Destination(), many(1)[0]
    changed = replace(order, cancelled_at=order.placed_at)
    there.fault = lambda said: "400" if "stage" in said else None
    assert sync(there, outbox, [order]).progress.parked == 3
    assert sync(there, outbox, [changed]).progress.parked == 3
    there.fault = lambda said: "400" if said.get("stage") == 1 else None
    assert sync(there, outbox, [changed]).is_complete
    assert there.holdings() == wanted([changed], FLOW)
    assert [path.split("/")[3] for path, _ in there.applied] == [
        "users", "deals", "products-by-id", "products-by-id",
    ]  # fmt: skip


def test_a_file_that_breaks_off_fails_and_what_was_read_before_is_kept(outbox: Outbox) -> None:
    there = Destination()

    def orders() -> Iterator[Order]:
        yield from many(6)
        raise Invalid({"row 7": "is cut off"})

    with pytest.raises(Invalid, match="row 7"):
        sync(there, outbox, orders(), pace=SMALL)
    assert sync(there, outbox, []).is_complete
    assert there.holdings() == wanted(many(6), FLOW)


def test_a_lane_longer_than_what_is_read_at_once_is_delivered_in_order(outbox: Outbox) -> None:
    there, orders = Destination(), many(30, contacts=1)
    assert sync(there, outbox, orders, pace=SMALL).is_complete
    deals = [said["custom_id"] for path, said in there.seen if "/deals/" in path]
    assert deals == [order.id for order in orders]
    assert there.most_under_way == 2
