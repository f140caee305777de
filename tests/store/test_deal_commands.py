"""Deals created, changed, renamed and deleted at random: in batches as one by one, and on pages."""

import itertools
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ordertrail.actions import deals, stage_changes, workspaces
from ordertrail.actions.outcomes import Written
from ordertrail.actions.workspaces import Workspace
from ordertrail.domain.deal import DealChange, DealName, SentLine
from ordertrail.domain.errors import Refused
from ordertrail.domain.journal import Author
from ordertrail.kit.committer import Batch
from ordertrail.kit.paging import Place
from ordertrail.kit.sqlite import Sqlite
from ordertrail.store import migrations

AT = datetime(2026, 1, 1, tzinfo=UTC)
ME = Author("test")
NUMBERS = itertools.count(1)

CUSTOM_IDS = st.sampled_from(["A", "B", "C", "D"])
CHANGES = st.builds(
    DealChange,
    custom_id=st.none() | CUSTOM_IDS,
    name=st.just("one"),
    stage=st.sampled_from([1, 2]),
    lines=st.sampled_from([(), (SentLine(1, 5, product_custom_id="P"),)]),
)
NAMES = st.builds(DealName, id=st.integers(1, 4)) | st.builds(DealName, custom_id=CUSTOM_IDS)
COMMANDS = st.one_of(
    st.builds(deals.Upsert, CHANGES, st.just(ME)),
    st.builds(deals.Create, CHANGES, st.just(ME)),
    st.builds(deals.Change, NAMES, CHANGES, st.just(ME)),
    st.builds(deals.Change, NAMES, st.builds(DealChange, CUSTOM_IDS), st.just(ME)),
)
BATCHES = st.lists(
    st.lists(COMMANDS, min_size=1, max_size=8)
    | st.lists(st.builds(deals.Delete, NAMES, st.just(ME)), min_size=1, max_size=3),
    max_size=6,
)


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sqlite]:
    file = Sqlite(tmp_path_factory.mktemp("random") / "t.db")
    migrations.apply(file)
    yield file
    file.close()


def new_workspace(database: Sqlite) -> int:
    number = next(NUMBERS)
    made = Workspace(number, f"w{number}", "Random", "EUR", "UTC", AT)
    database.write(lambda tx: workspaces.create(tx, made))
    return number


def carried_out(database: Sqlite, workspace_id: int, commands: Sequence[Any]) -> list[Any]:
    """Hand in one batch; of each command, what became of it, in words that name no id."""
    action = deals.delete if isinstance(commands[0], deals.Delete) else deals.upsert
    batch = Batch(workspace_id, AT, list(commands))
    outcomes = database.write(lambda tx: action(tx, batch))  # type: ignore[arg-type]
    return [type(each) if isinstance(each, Refused) else each for each in outcomes]


def told(database: Sqlite, workspace_id: int) -> list[Any]:
    """All deals without their ids, and how many stages each was in."""
    found = database.read(lambda reader: deals.page(reader, workspace_id, (), Place()).page)
    return [
        (
            each.deal.custom_id,
            each.deal.stage_id,
            [line.product_custom_id for line in each.deal.lines],
            database.read(
                lambda r, i=each.deal.id: stage_changes.page(r, workspace_id, i, Place()).count
            ),
        )
        for each in found.items
    ]


@settings(max_examples=150)
@given(BATCHES)
def test_commands_in_batches_end_as_one_by_one(database: Sqlite, batches: list[list[Any]]) -> None:
    together, alone = new_workspace(database), new_workspace(database)
    ids: dict[int, int] = {}
    first = [deals.Create(DealChange(custom_id), ME) for custom_id in "AB"]
    for commands in [first, *batches]:
        done = carried_out(database, together, commands)
        for command, outcome in zip(commands, done, strict=True):
            [single] = carried_out(database, alone, [renumbered(command, ids)])
            assert isinstance(single, type) is isinstance(outcome, type)
            if isinstance(outcome, type):
                assert outcome is single
            else:
                ids[id_of(outcome)] = id_of(single)
    assert told(database, together) == told(database, alone)


def test_deals_change_places_in_one_batch(database: Sqlite) -> None:
    workspace_id = new_workspace(database)
    carried_out(database, workspace_id, [deals.Create(DealChange(each), ME) for each in "AB"])
    said = [(1, DealChange(stage=2)), (2, DealChange("C")), (1, DealChange("B"))]
    said += [(2, DealChange("A")), (2, DealChange(stage=3))]
    commands: list[Any] = [deals.Change(DealName(number), each, ME) for number, each in said]
    done = carried_out(database, workspace_id, [*commands, deals.Upsert(DealChange("D"), ME)])
    assert [each.thing.deal.custom_id for each in done] == ["A", "C", "B", "A", "A", "D"]
    assert [each[:2] for each in told(database, workspace_id)] == [("D", 1), ("A", 3), ("B", 2)]


def renumbered(command: Any, ids: dict[int, int]) -> Any:
    """The command under the id that its deal has in the other workspace: ids may have gaps."""
    name = getattr(command, "name", None)
    if name is None or name.id is None:
        return command
    other = DealName(ids.get(name.id, 10_000))
    if isinstance(command, deals.Delete):
        return deals.Delete(other, command.author)
    return deals.Change(other, command.change, command.author)


def id_of(outcome: Any) -> int:
    return int(outcome.thing.id if isinstance(outcome, Written) else outcome.id)


STEPS = st.lists(
    st.tuples(
        st.integers(0, 40),
        st.lists(st.integers(1, 400), max_size=5),
        st.lists(st.integers(1, 400), max_size=5),
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=25)
@given(st.integers(0, 330), STEPS)
def test_pages_give_each_deal_once_while_deals_are_written(
    database: Sqlite, first: int, steps: list[tuple[int, list[int], list[int]]]
) -> None:
    workspace_id = new_workspace(database)

    def write(commands: list[Any]) -> None:
        if commands:
            carried_out(database, workspace_id, commands)

    write([deals.Create(DealChange(name="x"), ME)] * first)
    deleted: set[int] = set()
    pages: list[list[int]] = []
    place: Place | None = Place()
    turn = itertools.cycle(steps)
    while place is not None:
        found = database.read(lambda r, at=place: deals.page(r, workspace_id, (), at).page)
        pages.append([each.deal.id for each in found.items])
        place = Place.read(found.next_cursor) if found.next_cursor else None
        new, changed, gone = next(turn)
        write([deals.Create(DealChange(name="new"), ME)] * new)
        write([deals.Change(DealName(each), DealChange(name="y"), ME) for each in changed])
        write([deals.Delete(DealName(each), ME) for each in gone])
        deleted |= set(gone)
    seen = [each for page in pages for each in page]
    assert seen == sorted(set(seen), reverse=True)
    assert set(range(1, first + 1)) - deleted <= set(seen)
    assert all(len(page) == 100 for page in pages[:-1])


def test_a_walk_back_gives_the_same_pages(database: Sqlite) -> None:
    workspace_id = new_workspace(database)
    carried_out(database, workspace_id, [deals.Create(DealChange(name="x"), ME)] * 250)

    def page(cursor: str | None) -> Any:
        place = Place.read(cursor)
        assert place is not None
        return database.read(lambda reader: deals.page(reader, workspace_id, (), place).page)

    there = [page(None)]
    while there[-1].next_cursor:
        there.append(page(there[-1].next_cursor))
    back = [there[-1]]
    while back[-1].previous_cursor:
        back.append(page(back[-1].previous_cursor))
    ids = [[each.deal.id for each in found.items] for found in there]
    assert [[each.deal.id for each in found.items] for found in reversed(back)] == ids
    assert [len(each) for each in ids] == [100, 100, 50]
