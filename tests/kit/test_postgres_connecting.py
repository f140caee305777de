"""Who waits for a PostgreSQL that is away, and who is told at once."""

import contextlib
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from ordertrail.kit.database import DatabaseAway
from ordertrail.kit.postgres import Postgres
from ordertrail.kit.postgres_connecting import Door


def test_one_tries_a_server_that_is_away_and_the_others_are_told_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as first:
        port = first.getsockname()[1]
    door = Door(f"postgresql://till@127.0.0.1:{port}/shop?sslmode=disable", None)
    with pytest.raises(DatabaseAway, match="see that it runs"):
        door.connect()
    with socket.create_server(("127.0.0.1", port)) as silent, ThreadPoolExecutor(1) as pool:
        trying = pool.submit(door.connect)
        held, _ = silent.accept()
        with pytest.raises(DatabaseAway, match="Connection refused"):
            door.connect()
        assert not trying.done()
        held.close()
        assert isinstance(trying.exception(10), DatabaseAway)


def test_nobody_comes_before_what_has_to_be_done_first(postgres: Any) -> None:
    begun, go_on = threading.Event(), threading.Event()
    done: list[str] = []

    def first() -> None:
        begun.set()
        assert go_on.wait(10)
        database.write(lambda tx: done.append("first"))

    with (
        contextlib.closing(Postgres(postgres.url())) as database,
        ThreadPoolExecutor(2) as pool,
    ):
        database.at_first = first
        pool.submit(database.read, lambda reader: done.append("one"))
        assert begun.wait(10)
        other = pool.submit(database.read, lambda reader: done.append("other"))
        with contextlib.suppress(TimeoutError):
            other.result(0.1)
        assert done == []
        go_on.set()
        other.result(10)
    assert done[0] == "first"
    assert sorted(done) == ["first", "one", "other"]
