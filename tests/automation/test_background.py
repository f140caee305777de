"""A piece of background work is one process's at a time, and another's when that one is gone."""

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ordertrail import opening
from ordertrail.automation.background import LEASE_S, POLL_S, Background, LeaseLost, Piece, Turn
from ordertrail.kit.database import Database, Tx
from ordertrail.settings import Settings

WAIT_S = 20.0


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    if request.param == "sqlite":
        with prepared(f"sqlite:///{tmp_path}/t.db") as file:
            yield file
        return
    with request.getfixturevalue("postgres").platform() as url, prepared(url) as shared:
        yield shared


@contextlib.contextmanager
def prepared(url: str) -> Iterator[Any]:
    with contextlib.closing(opening.opened(Settings(database_url=url), "uid")) as database:
        yield database


def note(what: str) -> Callable[[Tx], None]:
    """Leave a trace in the database."""
    return lambda tx: tx.run(
        "INSERT INTO sequences (workspace_id, name, last) VALUES (1, :name, 1)"
        " ON CONFLICT (workspace_id, name) DO UPDATE SET last = sequences.last + 1",
        name=f"note: {what}",
    )


def notes(database: Database) -> dict[str, int]:
    query = "SELECT name, last FROM sequences WHERE workspace_id = 1 AND name LIKE 'note: %'"
    found = database.read(lambda reader: reader.fetch(query))
    return {str(name).removeprefix("note: "): last for name, last in found}


def writing(what: str, every_s: float = 3_600.0) -> Piece:
    def work(turn: Turn) -> int:
        turn.write(note(what))
        return 1

    return Piece("p", every_s, work)


def test_a_piece_is_done_by_one_of_many_and_once_in_its_time(database: Database) -> None:
    several = [Background(database, [writing(f"{n}")], f"{n}") for n in range(4)]
    assert [each.do_one() for each in several] == [True, False, False, False]
    assert notes(database) == {"0": 1}


def test_many_that_come_at_once_do_a_piece_once(database: Database) -> None:
    several = [Background(database, [writing("done")], f"{n}") for n in range(8)]
    together = threading.Barrier(len(several))

    def come(each: Background) -> None:
        together.wait(WAIT_S)
        each.do_one()

    threads = [threading.Thread(target=come, args=(each,)) for each in several]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT_S)
    assert notes(database) == {"done": 1}


def test_what_is_due_for_the_longest_time_comes_first_and_each_piece_has_its_turn(
    database: Database,
) -> None:
    done: list[str] = []

    def piece(name: str) -> Piece:
        return Piece(name, 0.0, lambda turn: done.append(turn.lease.name) or 1)

    both = Background(database, [piece("a"), piece("b")], "one")
    assert all(both.do_one() for _ in range(6))
    assert sorted(done[:2]) == ["a", "b"]
    assert done == done[:2] * 3


class GoneError(BaseException):
    """The process ends here, without a word to anybody."""


def gone(turn: Turn) -> int:
    raise GoneError


def test_the_piece_of_one_that_died_is_done_by_another_when_the_lease_is_over(
    database: Database,
) -> None:
    other = Background(database, [writing("other")], "other")
    with pytest.raises(GoneError):
        Background(database, [Piece("p", 0.0, gone)], "dead").do_one()
    assert not other.do_one()
    database.write(lambda tx: tx.run("UPDATE leases SET until = 1 WHERE workspace_id = 1"))
    with pytest.raises(GoneError):
        Background(database, [Piece("p", 0.0, gone)], "dead", lease_s=0.0).do_one()
    assert other.do_one()
    assert notes(database) == {"other": 1}
    assert LEASE_S + POLL_S < 30


def test_one_that_comes_back_after_its_lease_writes_nothing_more(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    other = Background(database, [writing("other")], "other")

    def paused(turn: Turn) -> int:
        turn.write(note("before"))
        assert other.do_one()
        turn.write(note("after"))
        return 1

    late = Background(database, [Piece("p", 0.0, paused)], "late", lease_s=0.0)
    assert late.do_one()
    assert notes(database) == {"before": 1, "other": 1}
    assert "another process has the work of this one: p: turn 1 is over" in caplog.text
    assert not late.do_one()


def test_one_that_comes_back_while_another_works_is_told_that_its_turn_is_over(
    database: Database,
) -> None:
    found: list[Turn] = []

    def paused(turn: Turn) -> int:
        found.append(turn)
        if len(found) < 2:
            assert Background(database, [Piece("p", 0.0, paused)], "other").do_one()
            return 0
        with pytest.raises(LeaseLost):
            found[0].hold()
        turn.hold()
        return 0

    assert Background(database, [Piece("p", 0.0, paused)], "late", lease_s=0.0).do_one()
    assert [turn.lease.turn for turn in found] == [1, 2]


def test_a_lease_is_held_anew_by_each_of_the_pieces_transactions(database: Database) -> None:
    other = Background(database, [writing("other")], "other")

    def until(_: Tx) -> int:
        query = "SELECT until FROM leases WHERE workspace_id = 1"
        return int(database.read(lambda reader: reader.fetch(query))[0][0])

    def work(turn: Turn) -> int:
        first = until(turn)
        turn.hold()
        assert until(turn) > first
        assert not other.do_one()
        return 0

    assert Background(database, [Piece("p", 3_600.0, work)], "one").do_one()


def test_nobody_takes_a_piece_while_its_holder_commits(postgres: Any) -> None:
    with postgres.platform() as url, prepared(url) as database, prepared(url) as elsewhere:
        other = Background(elsewhere, [writing("other")], "other")

        def slow(tx: Tx) -> None:
            assert not other.do_one()
            note("slow")(tx)

        def work(turn: Turn) -> int:
            turn.write(slow)
            return 1

        assert Background(database, [Piece("p", 3_600.0, work)], "one", lease_s=0.0).do_one()
        assert notes(database) == {"slow": 1}


def test_a_piece_that_fails_is_logged_and_leaves_the_others_alone(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(turn: Turn) -> int:
        turn.write(note("before"))
        return 1 // 0

    pieces = [Piece("a", 3_600.0, fail), Piece("b", 3_600.0, writing("b").work)]
    both = Background(database, pieces, "one")
    assert [both.do_one() for _ in range(3)] == [True, True, False]
    assert notes(database) == {"before": 1, "b": 1}
    assert "background work a failed" in caplog.text
    assert "ZeroDivisionError" in caplog.text


def test_told_to_stop_it_finishes_the_piece_in_hand(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def work(turn: Turn) -> int:
        begun.set()
        assert go_on.wait(WAIT_S)
        assert turn.is_ending
        turn.write(note("done"))
        return 3

    working = Background(database, [Piece("p", 0.0, work)], "one")
    with caplog.at_level(logging.INFO):
        working.start()
        assert begun.wait(WAIT_S)
        working.tell_to_stop()
        go_on.set()
        working.stop()
    assert notes(database) == {"done": 1}
    assert "p: turn 1 did 3" in caplog.text


def test_the_work_goes_on_after_an_error_that_nobody_foresaw(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with prepared(f"sqlite:///{tmp_path}/t.db") as file:
        working = Background(file, [writing("done")], "one", poll_s=0.01, failure_wait_s=0.01)
        file.write(lambda tx: tx.run("ALTER TABLE leases RENAME TO hidden"))
        working.start()
        try:
            until(lambda: "background work failed" in caplog.text)
            file.write(lambda tx: tx.run("ALTER TABLE hidden RENAME TO leases"))
            until(lambda: notes(file) == {"done": 1})
        finally:
            working.stop()


def until(is_so: Callable[[], bool]) -> None:
    pause = threading.Event()
    for _ in range(1_000):
        if is_so():
            return
        pause.wait(0.02)
    raise AssertionError("it never came to be")
