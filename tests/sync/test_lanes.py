"""A lane while a worker holds it."""

from datetime import UTC, datetime

from ordertrail.domain.journal import Origin
from ordertrail.sync.lanes import Held, Lane
from ordertrail.sync.operations import Kind, Leased, Outcome, State

LATER = datetime(2030, 1, 1, tzinfo=UTC)


def leased(
    number: int, kind: Kind = Kind.PRODUCT_EVENT, order: str = "O1", step: int = 1
) -> Leased:
    return Leased(
        number, f"k{number}", "l", "shop", order, step, kind, "POST", "/", "{}", Origin.LIVE
    )


def ids(part: list[Held]) -> list[int]:
    return [held.operation.id for held in part]


def after(lane: Lane, held: Held, outcome: Outcome) -> list[Held]:
    lane.unsettled += 1
    return lane.after(held, outcome)


def test_parts_of_a_step_are_made_together_and_steps_in_order() -> None:
    lane = Lane("l", part_max=2)
    first = lane.extend([leased(1), leased(2), leased(3), leased(4, step=2)])
    assert ids(first) == [1, 2]
    assert after(lane, first[0], first[0].done()) == []
    second = after(lane, first[1], first[1].done())
    assert ids(second) == [3]
    assert ids(after(lane, second[0], second[0].done())) == [4]


def test_what_comes_later_stands_behind_what_is_held() -> None:
    lane = Lane("l", part_max=2)
    (first,) = lane.extend([leased(1)])
    assert lane.extend([leased(2, step=2)]) == []
    assert ids(after(lane, first, first.done())) == [2]


def test_each_knows_when_it_was_claimed() -> None:
    lane = Lane("l", part_max=8)
    (first,) = lane.extend([leased(1)], claimed_at=5.0)
    lane.extend([leased(2, step=2)], claimed_at=9.0)
    assert first.claimed_at == 5.0
    assert [held.claimed_at for held in after(lane, first, first.done())] == [9.0]


def test_behind_a_parked_deal_its_order_is_left_out_and_the_next_goes_on() -> None:
    lane = Lane("l", part_max=8)
    deal, event, other = leased(1, Kind.DEAL), leased(2, step=2), leased(3, Kind.DEAL, "O2")
    (first,) = lane.extend([deal, event, other])
    parked = first.parked("no stage 9")
    (second,) = after(lane, first, parked)
    assert second.operation == other
    assert [held.operation for held in lane.held] == [other]
    assert lane.settled(parked) == 1, "the event is parked with it"
    assert after(lane, second, second.done()) == []
    assert not lane.is_over
    assert lane.settled(second.done()) == 0
    assert lane.is_over


def test_an_order_that_was_parked_goes_on_when_it_is_taken_up_again() -> None:
    lane = Lane("l", part_max=8)
    first, second = leased(1, Kind.DEAL), leased(2, Kind.DEAL, "O2", 2)
    (held,) = lane.extend([first, second])
    parked = held.parked("no stage 9")
    after(lane, held, parked)
    lane.settled(parked)
    lane.extend([leased(1, Kind.DEAL)])
    (other,) = (each for each in lane.held if each.operation == second)
    assert ids(after(lane, other, other.done())) == [1]


def test_behind_an_operation_that_waits_for_its_time_everything_is_given_back() -> None:
    lane = Lane("l", part_max=8)
    first, second = lane.extend([leased(1), leased(2), leased(3, step=2)])
    assert after(lane, first, first.waiting(LATER)) == []
    assert lane.given_back() == [], "its neighbour is still under way"
    assert after(lane, second, second.done()) == []
    assert ids(lane.given_back()) == [3]
    assert lane.given_back() == []
    assert lane.extend([leased(4)]) == []
    assert ids(lane.given_back()) == [4]


def test_what_is_cut_short_may_have_been_carried_out() -> None:
    held = Held.of(leased(1))
    assert not held.has_changed
    assert held.waiting().attempts == 0
    held.is_under_way = True
    assert held.has_changed
    waiting = held.waiting(LATER)
    assert (waiting.state, waiting.attempts, waiting.is_unsure) == (State.WAITING, 1, True)
    assert waiting.due_at == LATER
