"""A board of pipelines keeps its order, its limits, and a stage for deals to begin in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ordertrail.domain.errors import Conflict, Invalid, NotFound
from ordertrail.domain.pipeline import (
    ORDER_STAGES,
    ORDERS,
    PIPELINES_MAX,
    STAGES_MAX,
    Board,
    Stage,
)

FRESH = Board((ORDERS,), ORDER_STAGES)


def ids(board: Board, pipeline_id: int = 1) -> list[int]:
    return [stage.id for stage in board.stages_of(pipeline_id)]


def places(board: Board, pipeline_id: int = 1) -> list[int]:
    return [stage.position for stage in board.stages_of(pipeline_id)]


def test_what_is_added_stands_at_the_end() -> None:
    board = FRESH.with_pipeline(7, "Returns").with_stage(Stage(9, 1, "Packed"))
    assert [each.id for each in board.pipelines] == [1, 7]
    assert board.pipeline(7).position == 1
    assert (ids(board), places(board)) == ([1, 2, 3, 9], [0, 1, 2, 3])
    assert places(board.with_stage(Stage(10, 7, "Back")), 7) == [0]


def test_names_and_descriptions_change_apart() -> None:
    board = FRESH.renamed(1, "Sales").described(2, "Sent", None).described(2, None, "Gone")
    assert board.pipeline(1).name == "Sales"
    assert (board.stage(2).name, board.stage(2).description) == ("Sent", "Gone")
    assert board.stage(1) == FRESH.stage(1)


def test_stages_are_put_in_order_when_all_are_named_once() -> None:
    board = FRESH.ordered(1, [3, 1, 2])
    assert (ids(board), places(board)) == ([3, 1, 2], [0, 1, 2])
    for wrong in ([], [1, 2], [1, 2, 2], [1, 2, 3, 3], [1, 2, 4]):
        with pytest.raises(Invalid):
            FRESH.ordered(1, wrong)


def test_the_places_behind_a_stage_that_goes_move_up() -> None:
    board = FRESH.without_stage(1)
    assert (ids(board), places(board)) == ([2, 3], [0, 1])


def test_the_last_stage_stays() -> None:
    board = FRESH.without_stage(1).without_stage(2).with_pipeline(7, "Returns")
    with pytest.raises(Conflict):
        board.without_stage(3)
    with pytest.raises(Conflict):
        board.without_pipeline(1)
    other = board.with_stage(Stage(9, 7, "Back"))
    assert ids(other.without_stage(3)) == []
    assert other.without_pipeline(1).stages == (Stage(9, 7, "Back"),)
    assert board.without_pipeline(7).stages == board.stages


def test_a_workspace_has_so_many_pipelines_and_a_pipeline_so_many_stages() -> None:
    board = FRESH
    for number in range(2, PIPELINES_MAX + 1):
        board = board.with_pipeline(number, "x")
    with pytest.raises(Conflict):
        board.with_pipeline(999, "x")
    for number in range(4, STAGES_MAX + 1):
        board = board.with_stage(Stage(number, 1, "x"))
    with pytest.raises(Conflict):
        board.with_stage(Stage(999, 1, "x"))
    assert board.with_stage(Stage(999, 2, "x")).stage(999).position == 0


def test_what_is_not_there_is_said_to_be_so() -> None:
    for missing in (
        lambda: FRESH.renamed(9, "x"),
        lambda: FRESH.described(9, "x", None),
        lambda: FRESH.ordered(9, []),
        lambda: FRESH.without_stage(9),
        lambda: FRESH.without_pipeline(9),
    ):
        with pytest.raises(NotFound):
            missing()
    with pytest.raises(Invalid) as refused:
        FRESH.with_stage(Stage(9, 9, "x"))
    assert "1 Orders" in refused.value.fields["pipeline"]


@given(st.permutations([1, 2, 3]), st.sets(st.sampled_from([1, 2, 3]), max_size=2))
def test_places_are_counted_from_0_whatever_was_done(order: list[int], gone: set[int]) -> None:
    board = FRESH.ordered(1, order)
    for each in sorted(gone):
        board = board.without_stage(each)
    assert places(board) == list(range(3 - len(gone)))
    assert ids(board) == [each for each in order if each not in gone]
