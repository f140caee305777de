"""Which of two snapshots is newer, in whatever order they arrive."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_orders import CANCELLED, FULFILLED, PLACED, RETURNED

from ordertrail.domain.order import Order
from ordertrail.sync.arrivals import Arrivals, Known, drafts, sort
from ordertrail.sync.rules import Flow, FlowName, Stages

FLOW = Flow()
AT = PLACED.placed_at
BAD = replace(PLACED, currency="???")


def arrive(*orders: Order, known: Known | None = None, flow: Flow = FLOW) -> Arrivals:
    return sort(drafts(orders, flow), {PLACED.id: known} if known else {}, flow)


def kept(order: Order, flow: Flow = FLOW) -> Known:
    (draft,) = drafts([order], flow)
    return Known(draft.content_hash, draft.rank)


def at(order: Order, hour: int) -> Order:
    return replace(order, updated_at=AT + timedelta(hours=hour))


def test_an_older_snapshot_is_told_and_changes_nothing() -> None:
    found = arrive(at(PLACED, 1), known=kept(at(FULFILLED, 2)))
    assert (found.older, found.news) == ([PLACED.id], [])
    assert arrive(at(PLACED, 2), known=kept(at(FULFILLED, 1))).news != []


def test_a_version_goes_before_the_time() -> None:
    newer = replace(at(FULFILLED, 1), version=8)
    assert arrive(newer, known=kept(replace(at(PLACED, 9), version=7))).news != []
    assert arrive(replace(newer, version=6), known=kept(replace(PLACED, version=7))).older != []


def test_a_snapshot_as_it_was_is_no_news_and_raises_the_rank() -> None:
    found = arrive(at(PLACED, 2), known=kept(at(PLACED, 1)))
    assert (found.news, found.older) == ([], [])
    assert found.bumped == {PLACED.id: kept(at(PLACED, 2)).rank}
    assert arrive(at(PLACED, 1), known=kept(at(PLACED, 1))) == Arrivals()


def test_between_a_snapshot_and_the_same_one_later_nothing_gets_in() -> None:
    first, second = at(PLACED, 1), at(PLACED, 3)
    found = arrive(first, second, at(CANCELLED, 2))
    assert [each.rank for each in found.news] == [kept(first).rank]
    assert (found.bumped, found.older) == ({PLACED.id: kept(second).rank}, [PLACED.id])


@pytest.mark.parametrize("known", [PLACED, at(PLACED, 1)])
def test_without_a_rank_the_later_to_arrive_is_newer(known: Order) -> None:
    found = arrive(FULFILLED, known=kept(known))
    assert [each.rank for each in found.news] == [kept(known).rank]


@settings(max_examples=60, deadline=None)
@given(
    st.permutations(
        [at(PLACED, 1), at(FULFILLED, 2), at(CANCELLED, 2), at(RETURNED, 3), at(PLACED, 3)]
    )
)
def test_in_whatever_order_they_arrive_the_same_one_is_kept(orders: list[Order]) -> None:
    def last(found: Arrivals) -> str:
        return found.news[-1].content_hash

    assert last(arrive(*orders)) == last(arrive(at(RETURNED, 3), at(PLACED, 3)))


def test_of_one_time_the_settings_do_not_decide_which_is_newer() -> None:
    order = at(PLACED, 1)
    for stages in (Stages(4, 5, 6), Stages(7, 8, 9), Stages(10, 11, 12)):
        flow = Flow(stages)
        assert arrive(order, known=kept(order), flow=flow).news != []


def test_a_bad_snapshot_is_kept_apart_until_a_good_one_that_is_not_older() -> None:
    bad = arrive(at(BAD, 5))
    assert bad.quarantine[PLACED.id][1] == kept(at(PLACED, 5)).rank
    in_quarantine = Known(None, None, is_quarantined=True, quarantine_rank=kept(at(PLACED, 5)).rank)
    early = arrive(at(PLACED, 4), known=in_quarantine)
    assert (len(early.news), early.released) == (1, set())
    assert arrive(at(PLACED, 6), known=in_quarantine).released == {PLACED.id}
    assert arrive(PLACED, known=in_quarantine).released == {PLACED.id}


def test_a_bad_snapshot_that_is_older_is_only_old() -> None:
    found = arrive(at(BAD, 1), known=kept(at(PLACED, 2)))
    assert (found.older, found.quarantine) == ([PLACED.id], {})


def test_an_order_that_reaches_no_sync_point_is_kept_and_wants_nothing() -> None:
    (news,) = arrive(CANCELLED, flow=replace(FLOW, name=FlowName.SIMPLE)).news
    assert news.desired is None
