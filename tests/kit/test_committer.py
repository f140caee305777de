"""The committer: what waits is one transaction, and everyone gets the answer of his own."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import pytest

from ordertrail.kit.committer import RIDERS_WAIT_S, Batch, Closed, Committer, QueueFull
from ordertrail.kit.database import DatabaseAway, Reader, Tx
from ordertrail.kit.sqlite import Sqlite

T = TypeVar("T")

NOTES = "CREATE TABLE notes (id INTEGER PRIMARY KEY, workspace_id INTEGER, text TEXT UNIQUE) STRICT"


class Counting:
    """The real database, and how many transactions it was asked for."""

    def __init__(self, database: Sqlite) -> None:
        self._database = database
        self.transactions = 0

    def write(self, work: Callable[[Tx], T]) -> T:
        self.transactions += 1
        return self._database.write(work)

    def read(self, work: Callable[[Reader], T]) -> T:
        return self._database.read(work)

    def notes(self) -> list[str]:
        query = "SELECT json_group_array(json_array(text)) FROM (SELECT * FROM notes ORDER BY id)"
        return [text for [text] in self._database.read(lambda reader: reader.rows(query))]


class Gate:
    """An action that holds the committer until it is let go, so that others have to wait."""

    def __init__(self) -> None:
        self._held = threading.Event()
        self._go_on = threading.Event()

    def __call__(self, tx: Tx, batch: Batch[Any]) -> list[None]:
        self._held.set()
        assert self._go_on.wait(10)
        return [None] * len(batch.commands)

    @contextmanager
    def closed(self, committer: Committer, workspace_id: int = 1) -> Iterator[None]:
        with ThreadPoolExecutor(1) as pool:
            pool.submit(committer.commit_and_wait, workspace_id, self, [None])
            assert self._held.wait(10)
            try:
                yield
            finally:
                self._go_on.set()


def write_notes(tx: Tx, batch: Batch[str]) -> list[str]:
    """Write each command as a note; the answer tells the workspace and the size of the batch."""
    for text in batch.commands:
        tx.run(
            "INSERT INTO notes (workspace_id, text) VALUES (:workspace_id, :text)",
            workspace_id=batch.workspace_id,
            text=text,
        )
    return [f"{batch.workspace_id}:{text}:{len(batch.commands)}" for text in batch.commands]


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Counting]:
    file = Sqlite(tmp_path / "notes.db")
    file.write(lambda tx: tx.run(NOTES))
    yield Counting(file)
    file.close()


@contextmanager
def running(database: Counting, **limits: Any) -> Iterator[Committer]:
    committer = Committer(database, **limits)
    committer.start()
    try:
        yield committer
    finally:
        committer.close()


def hand_in(
    committer: Committer, works: Sequence[tuple[int, list[str]]], gate: Gate
) -> list[list[Any]]:
    """Hand in all works while the gate is closed, open it, and return their outcomes."""

    async def accept() -> list[asyncio.Task[list[str]]]:
        tasks = [
            asyncio.ensure_future(committer.commit(workspace_id, write_notes, texts))
            for workspace_id, texts in works
        ]
        await asyncio.wait(tasks, timeout=0)
        return tasks

    async def answers(tasks: list[asyncio.Task[list[str]]]) -> list[list[Any]]:
        return await asyncio.wait_for(asyncio.gather(*tasks), 10)

    with asyncio.Runner() as runner:
        with gate.closed(committer):
            tasks = runner.run(accept())
        return runner.run(answers(tasks))


def test_what_waits_is_one_transaction_and_the_outcomes_are_in_order(database: Counting) -> None:
    with running(database) as committer:
        works = [(1, [f"{n}.a", f"{n}.b"]) for n in range(50)]
        outcomes = hand_in(committer, works, Gate())
    assert outcomes == [[f"1:{n}.a:100", f"1:{n}.b:100"] for n in range(50)]
    assert database.transactions == 2  # the gate's own, and one for all
    assert database.notes() == [text for _, texts in works for text in texts]


def test_a_batch_is_bounded_and_no_work_is_torn(database: Counting) -> None:
    with running(database, batch_max=10) as committer:
        outcomes = hand_in(
            committer, [(1, [f"{n}.{m}" for m in range(4)]) for n in range(6)], Gate()
        )
    sizes = [int(outcome.rpartition(":")[2]) for [outcome, *_] in outcomes]
    assert sizes == [8] * 6
    assert database.transactions == 1 + 3


def test_a_work_larger_than_a_batch_is_taken_whole(database: Counting) -> None:
    with running(database, batch_max=10, waiting_max=20) as committer:
        texts = [str(n) for n in range(50)]
        assert len(committer.commit_and_wait(1, write_notes, texts)) == 50
    assert database.transactions == 1


def test_two_workspaces_never_share_a_batch(database: Counting) -> None:
    with running(database) as committer:
        works = [(n % 3 + 1, [str(n)]) for n in range(30)]
        outcomes = hand_in(committer, works, Gate())
    assert outcomes == [[f"{n % 3 + 1}:{n}:10"] for n in range(30)]
    assert database.transactions == 1 + 3


def test_when_a_batch_fails_only_the_guilty_fails(database: Counting) -> None:
    with running(database) as committer:
        works = [(1, [f"{n}"]) for n in range(10)]
        works[3:3] = [(1, ["same"])]
        works[7:7] = [(1, ["first", "same", "last"])]
        outcomes = hand_in(committer, works, Gate())
        flat = [outcome for each in outcomes for outcome in each]
        failed = [n for n, outcome in enumerate(flat) if isinstance(outcome, Exception)]
        assert [texts for _, texts in works][7] == ["first", "same", "last"]
        assert failed == [8]
        assert "UNIQUE" in str(flat[8])
        assert sorted(database.notes()) == sorted(["same", "first", "last", *map(str, range(10))])
        assert committer.commit_and_wait(1, write_notes, ["after"]) == ["1:after:1"]


def test_an_action_that_raises_fails_alone_and_leaves_nothing(database: Counting) -> None:
    def write_and_raise(tx: Tx, batch: Batch[str]) -> list[str]:
        write_notes(tx, batch)
        raise KeyError("a mistake")

    with running(database) as committer:
        [outcome] = committer.commit_and_wait(1, write_and_raise, ["lost"])
        assert isinstance(outcome, KeyError)
        assert committer.commit_and_wait(1, write_notes, ["kept"]) == ["1:kept:1"]
    assert database.notes() == ["kept"]


def test_when_the_database_is_away_all_are_told_and_nothing_is_tried_again(
    database: Counting,
) -> None:
    def away(tx: Tx, batch: Batch[str]) -> list[str]:
        raise DatabaseAway("gone")

    with running(database) as committer:
        outcomes = committer.commit_and_wait(1, away, ["a", "b", "c"])
    assert [type(outcome) for outcome in outcomes] == [DatabaseAway] * 3
    assert database.transactions == 1


def test_a_full_queue_refuses_at_once_and_takes_again_when_it_is_worked_off(
    database: Counting,
) -> None:
    gate = Gate()

    async def fill(committer: Committer) -> list[asyncio.Task[list[str]]]:
        tasks = [
            asyncio.ensure_future(committer.commit(1, write_notes, [str(n)])) for n in range(7)
        ]
        await asyncio.wait(tasks, timeout=0)
        return tasks

    async def answers(tasks: list[asyncio.Task[list[str]]]) -> list[Any]:
        return await asyncio.gather(*tasks, return_exceptions=True)

    with running(database, waiting_max=4) as committer, asyncio.Runner() as runner:
        with gate.closed(committer):
            tasks = runner.run(fill(committer))
            assert [task.done() for task in tasks] == [False] * 4 + [True] * 3
        outcomes = runner.run(answers(tasks))
        assert [type(outcome) for outcome in outcomes] == [list] * 4 + [QueueFull] * 3
        assert outcomes[4].retry_after_s > 0
        assert committer.commit_and_wait(1, write_notes, ["again"]) == ["1:again:1"]
    assert database.notes() == ["0", "1", "2", "3", "again"]


def test_close_finishes_what_was_accepted_and_takes_nothing_more(database: Counting) -> None:
    gate = Gate()

    async def accept(committer: Committer) -> list[asyncio.Task[list[str]]]:
        tasks = [
            asyncio.ensure_future(committer.commit(n % 2 + 1, write_notes, [str(n)]))
            for n in range(20)
        ]
        await asyncio.wait(tasks, timeout=0)
        return tasks

    async def answers(tasks: list[asyncio.Task[list[str]]]) -> list[Any]:
        return await asyncio.gather(*tasks)

    committer = Committer(database)
    committer.start()
    with asyncio.Runner() as runner:
        with ThreadPoolExecutor(1) as pool:
            with gate.closed(committer):
                tasks = runner.run(accept(committer))
                assert committer.ride(3, write_notes, "rider")
                closing = pool.submit(committer.close)
            closing.result(10)
        assert len(database.notes()) == 21
        assert [len(each) for each in runner.run(answers(tasks))] == [1] * 20
    with pytest.raises(Closed):
        committer.commit_and_wait(1, write_notes, ["late"])
    assert committer.ride(1, write_notes, "late") is False


def test_a_caller_that_goes_away_cancels_nothing(database: Counting) -> None:
    gate = Gate()

    async def accept_and_leave(committer: Committer) -> asyncio.Task[list[str]]:
        leaves, stays = [
            asyncio.ensure_future(committer.commit(1, write_notes, [text]))
            for text in ("left behind", "waited for")
        ]
        await asyncio.wait({leaves, stays}, timeout=0)
        leaves.cancel()
        await asyncio.wait({leaves})
        assert leaves.cancelled()
        return stays

    async def answer(stays: asyncio.Task[list[str]]) -> list[str]:
        return await asyncio.wait_for(stays, 5)

    with running(database) as committer, asyncio.Runner() as runner:
        with gate.closed(committer):
            stays = runner.run(accept_and_leave(committer))
        assert runner.run(answer(stays)) == ["1:waited for:2"]
    assert database.notes() == ["left behind", "waited for"]


def test_a_loop_that_was_closed_meanwhile_harms_nobody(database: Counting) -> None:
    gate = Gate()

    async def accept(committer: Committer) -> None:
        task = asyncio.ensure_future(committer.commit(1, write_notes, ["nobody asks"]))
        await asyncio.wait({task}, timeout=0)

    with running(database) as committer:
        with gate.closed(committer), asyncio.Runner() as runner:
            runner.run(accept(committer))
        assert committer.commit_and_wait(1, write_notes, ["next"])
    assert sorted(database.notes()) == ["next", "nobody asks"]


def test_riders_join_the_next_batch_of_their_workspace(database: Counting) -> None:
    with running(database) as committer:
        gate = Gate()
        with gate.closed(committer):
            for n in range(5):
                assert committer.ride(1, write_notes, f"rider {n}")
        before = database.transactions
        assert committer.commit_and_wait(1, write_notes, ["work"]) in (["1:work:6"], ["1:work:1"])
        assert len(database.notes()) == 6
        assert database.transactions - before <= 2


def test_riders_alone_go_within_about_a_second(database: Counting) -> None:
    gone = threading.Event()

    def write_and_tell(tx: Tx, batch: Batch[str]) -> list[str]:
        gone.set()
        return write_notes(tx, batch)

    assert RIDERS_WAIT_S == 1.0
    with running(database, riders_wait_s=0.05) as committer:
        for n in range(3):
            gone.clear()
            assert committer.ride(1, write_and_tell, f"rider {n}")
            assert gone.wait(5)
    assert len(database.notes()) == 3


def test_a_committer_that_finds_nothing_to_do_goes_on(database: Counting) -> None:
    with running(database, riders_wait_s=0.0) as committer:  # looks again and again
        for n in range(50):
            assert committer.commit_and_wait(1, write_notes, [str(n)]) == [f"1:{n}:1"]


def test_riders_go_within_about_a_second_while_another_workspace_writes(
    database: Counting,
) -> None:
    gone = threading.Event()

    def tell(tx: Tx, batch: Batch[str]) -> list[None]:
        gone.set()
        return [None] * len(batch.commands)

    def nothing(tx: Tx, batch: Batch[str]) -> list[None]:
        return [None] * len(batch.commands)

    async def keep_busy(committer: Committer, until: float) -> None:
        async def write() -> None:
            while not gone.is_set() and time.monotonic() < until:
                await committer.commit(1, nothing, ["x"])

        await asyncio.gather(*(write() for _ in range(8)))

    with running(database, riders_wait_s=0.05) as committer, asyncio.Runner() as runner:
        assert committer.ride(2, tell, "rider")
        runner.run(keep_busy(committer, time.monotonic() + 2))
        assert gone.is_set()


def test_a_rider_that_fails_spoils_no_work(database: Counting) -> None:
    def fail(tx: Tx, batch: Batch[str]) -> list[None]:
        raise ValueError("no room in the log")

    gate = Gate()
    with running(database) as committer:
        with gate.closed(committer):
            assert committer.ride(1, fail, "rider")
        assert committer.commit_and_wait(1, write_notes, ["work"]) == ["1:work:1"]
    assert database.notes() == ["work"]


def test_riders_are_bounded(database: Counting) -> None:
    gate = Gate()
    with running(database, riders_max=3) as committer:
        with gate.closed(committer):
            taken = [committer.ride(1, write_notes, f"rider {n}") for n in range(5)]
        assert taken == [True] * 3 + [False] * 2
    assert len(database.notes()) == 3


def test_nothing_to_do_is_done_at_once(database: Counting) -> None:
    with running(database) as committer:
        assert committer.commit_and_wait(1, write_notes, []) == []
    assert database.transactions == 0


class Heavy(str):
    """A command that touches several things."""

    weight = 5


def test_commands_that_touch_much_fill_a_batch(database: Counting) -> None:
    with running(database, batch_max=10) as committer:
        works = [(1, [Heavy(n)]) for n in "abcd"]
        outcomes = hand_in(committer, [*works, (1, [Heavy(n) for n in "efg"])], Gate())  # type: ignore[list-item]
        assert committer.waiting == 0
    assert outcomes == [[f"1:{n}:2"] for n in "abcd"] + [[f"1:{n}:3" for n in "efg"]]


class OthersWrite:
    """Other processes that hold the workspace until they are let go."""

    def __init__(self) -> None:
        self.is_waited_for = threading.Event()
        self.have_written = threading.Event()
        self.have_written.set()

    def claim(self, tx: Tx, workspace_id: int, name: str, ticket: int, at: datetime) -> None:
        self.is_waited_for.set()
        assert self.have_written.wait(10)

    def is_kept(self, tx: Tx, workspace_id: int, name: str, ticket: int) -> bool:
        return False


def written_while_others_hold(
    committer: Committer, others: OthersWrite, texts: Sequence[str]
) -> list[Any]:
    """Hand in the first text; the rest when the workspace is waited for; return the outcomes."""
    others.have_written.clear()
    others.is_waited_for.clear()
    with ThreadPoolExecutor(len(texts)) as pool:
        first, *rest = texts
        handed = [pool.submit(committer.commit_and_wait, 1, write_notes, [first])]
        assert others.is_waited_for.wait(10)
        handed += [pool.submit(committer.commit_and_wait, 1, write_notes, [each]) for each in rest]
        until = time.monotonic() + 10
        while committer.waiting < len(rest) and time.monotonic() < until:
            threading.Event().wait(0.001)
        others.have_written.set()
        return [outcome for each in handed for outcome in each.result(10)]


def test_what_comes_while_others_hold_the_workspace_joins_the_transaction(
    database: Counting,
) -> None:
    others = OthersWrite()
    with running(database, claims=others) as committer:
        outcomes = written_while_others_hold(committer, others, ["a", "b", "c"])
    assert outcomes == ["1:a:3", "1:b:3", "1:c:3"]
    assert database.transactions == 1
    assert sorted(database.notes()) == ["a", "b", "c"]


def test_of_what_joined_only_the_guilty_fails(database: Counting) -> None:
    others = OthersWrite()
    with running(database, claims=others) as committer:
        committer.commit_and_wait(1, write_notes, ["b"])
        outcomes = written_while_others_hold(committer, others, ["a", "b", "c"])
    assert [isinstance(each, Exception) for each in outcomes] == [False, True, False]
    assert sorted(database.notes()) == ["a", "b", "c"]


def test_when_the_database_goes_away_while_the_guilty_one_is_looked_for_no_more_is_tried(
    database: Counting,
) -> None:
    tried: list[int] = []

    def guilty_then_away(tx: Tx, batch: Batch[str]) -> list[str]:
        tried.append(len(batch.commands))
        if len(tried) == 3:
            raise DatabaseAway("gone")
        if len(batch.commands) > 1:
            raise KeyError("a mistake")
        return write_notes(tx, batch)

    with running(database) as committer:
        outcomes = committer.commit_and_wait(1, guilty_then_away, ["a", "b", "c", "d"])
    assert outcomes[0] == "1:a:1"
    assert [type(outcome) for outcome in outcomes[1:]] == [DatabaseAway] * 3
    assert tried == [4, 1, 1]
    assert database.notes() == ["a"]
