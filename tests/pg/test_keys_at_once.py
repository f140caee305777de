"""A key that is revoked beside a rotation leaves nothing that opens the door."""

import contextlib
import threading
from datetime import timedelta

import psycopg

from ordertrail.actions import keys
from ordertrail.domain.errors import Conflict
from ordertrail.kit import clock
from ordertrail.kit.database import Tx
from ordertrail.kit.postgres import Postgres
from postgres_server import Server

WAITING = (
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE wait_event_type = 'Lock' AND datname = current_database()"
)


def until_somebody_waits(url: str) -> None:
    pause = threading.Event()
    with psycopg.connect(url, autocommit=True) as connection:
        for _ in range(500):
            if connection.execute(WAITING).fetchone() == (1,):
                return
            pause.wait(0.01)
    raise AssertionError("nobody waits")


def test_a_rotation_that_comes_while_its_key_is_revoked_makes_no_key(postgres: Server) -> None:
    now = clock.utc_now()
    refused: list[Exception] = []
    with (
        postgres.platform() as url,
        contextlib.closing(Postgres(url)) as one,
        contextlib.closing(Postgres(url)) as other,
    ):
        old = one.write(lambda tx: keys.create(tx, keys.new_key(1, "shop", "both", now), "a" * 64))
        asked = keys.Rotation(old.id, "b" * 64, timedelta(days=1))

        def rotate() -> None:
            try:
                other.write(lambda tx: keys.rotate(tx, 1, asked, now))
            except Conflict as error:
                refused.append(error)

        rotating = threading.Thread(target=rotate)

        def revoke(tx: Tx) -> None:
            keys.revoke(tx, 1, old.id, now)
            tx.fetch("SELECT 1")
            rotating.start()
            until_somebody_waits(url)

        one.write(revoke)
        rotating.join(20)
        assert [str(error).partition(" and")[0] for error in refused] == ["key 1 is revoked"]
        live = [key for key in one.read(lambda r: keys.every(r, 1)) if key.revoked_at is None]
        assert live == []
