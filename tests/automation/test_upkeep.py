"""Background work keeps the tables small, in every workspace and in small steps."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import served
from ordertrail import app, opening
from ordertrail.kit.committer import Batch, Committer
from ordertrail.kit.database import Tx
from ordertrail.settings import Settings
from ordertrail.store import answers, requests, workspaces, writers
from ordertrail.store.answers import Remembered
from ordertrail.store.requests import Request

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def remembered(tx: Tx, workspace_id: int, count: int, at: datetime) -> None:
    rows = [Remembered(f"{at:%d}-{n}", "f", 200, "{}") for n in range(count)]
    answers.add(tx, workspace_id, rows, at)


def test_old_answers_are_forgotten_in_every_workspace_however_many(tmp_path: Path) -> None:
    with served.serve(tmp_path, served.HandClock(NOW)) as platform:
        platform.new_workspace(2)
        for workspace_id in (1, 2):
            for days, count in ((9, 2_500), (1, 3)):
                at = NOW - timedelta(days=days)
                platform.database.write(
                    lambda tx, w=workspace_id, c=count, at=at: remembered(tx, w, c, at)
                )
        platform.do_background_work()
        assert [row[:2] for row in platform.rows("answers")] == [
            [workspace_id, f"28-{n}"] for workspace_id in (1, 2) for n in range(3)
        ]


def test_each_workspace_keeps_its_newest_calls(tmp_path: Path) -> None:
    call = Request(NOW, "GET", "/", 200, 1, None, "r", None)
    with served.serve(tmp_path, served.HandClock(NOW), request_log_rows_max=1_000) as platform:
        platform.new_workspace(2)
        for workspace_id, count in ((1, 3_500), (2, 700)):
            platform.database.write(
                lambda tx, w=workspace_id, c=count: requests.append(tx, w, [call] * c)
            )
        platform.do_background_work()
        kept = [row[:2] for row in platform.rows("requests")]
        assert kept == [[1, n] for n in range(2_501, 3_501)] + [[2, n] for n in range(1, 701)]


def nothing(_: Tx, batch: Batch[None]) -> list[None]:
    return list(batch.commands)


def test_the_tickets_of_processes_that_are_gone_are_removed(postgres: Any) -> None:
    with postgres.platform() as url:
        settings = Settings(database_url=url)
        database = opening.opened(settings, "uid")
        clock = served.HandClock(NOW)
        committers = [Committer(database, clock=clock, claims=writers) for _ in range(2)]
        for committer in committers:
            committer.start()
            committer.commit_and_wait(1, nothing, [None])
        clock.at += timedelta(days=2)
        committers[1].commit_and_wait(1, nothing, [None])
        assert app.background(settings, database, clock).do_one()
        while app.background(settings, database, clock).do_one():
            pass
        query = "SELECT at FROM writers WHERE workspace_id = 1"
        assert len(database.read(lambda reader: reader.fetch(query))) == 1
        committers[0].commit_and_wait(1, nothing, [None])
        assert len(database.read(lambda reader: reader.fetch(query))) == 2
        for committer in committers:
            committer.close()
        database.close()


@pytest.mark.parametrize("is_on", [True, False])
def test_a_server_does_background_work_unless_it_is_left_to_others(
    tmp_path: Path, is_on: bool
) -> None:
    settings = Settings(database_url=f"sqlite:///{tmp_path}/t.db", background=is_on)
    database = opening.opened(settings, "uid")
    assert database.read(workspaces.every)
    assert (app.parts(settings, database).background is not None) == is_on
    database.close()
