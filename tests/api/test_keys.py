"""Keys have an end, are followed by new ones, and it is kept when they were last used."""

import secrets
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from door import Door, Rides, admit, together

import served
from ordertrail.actions import keys
from ordertrail.domain.errors import NotFound, Unauthorised
from ordertrail.kit.committer import Committer
from ordertrail.kit.sqlite import Sqlite
from served import HandClock, Served

START = datetime(2026, 3, 1, 12, 30, 40, tzinfo=UTC)
ABOUT = "/api/ordertrail/v1/about/"
USERS = "/api/public/users/update_or_create/"


@pytest.fixture
def clock() -> HandClock:
    return HandClock(START)


@pytest.fixture
def platform(tmp_path: Path, clock: HandClock) -> Iterator[Served]:
    with served.serve(tmp_path, clock) as running:
        yield running


def used_at(database: Sqlite, committer: Committer) -> list[datetime | None]:
    """When each key was last used, after a write that all waiting notes have joined."""
    committer.commit_and_wait(1, lambda tx, batch: [None], [None])
    return [key.last_used_at for key in database.read(lambda reader: keys.every(reader, 1))]


# ---- expiry and rotation ----


def test_a_key_works_up_to_the_moment_of_its_end_and_then_says_so(
    platform: Served, clock: HandClock
) -> None:
    end = datetime(2026, 3, 2, tzinfo=UTC)
    token = platform.new_token(expires_at=end)
    clock.at = end - timedelta(microseconds=1)
    assert platform.call(token, "GET", ABOUT).status == 200
    clock.at = end
    for method, target in (("GET", ABOUT), ("POST", USERS)):
        reply = platform.call(token, method, target, {"custom_id": "A"})
        assert reply.status == 401
        assert reply.json["detail"] == "The token expired at 2026-03-02T00:00:00Z. Use a new one."
        assert reply.headers["www-authenticate"] == "Token"
    assert platform.counts()["contacts"] == 0


def test_an_expired_key_that_is_revoked_is_unknown(platform: Served, clock: HandClock) -> None:
    token = platform.new_token(expires_at=START + timedelta(hours=1))
    clock.at += timedelta(hours=2)
    platform.database.write(lambda tx: keys.revoke(tx, 1, 1, clock()))
    assert "Invalid token" in platform.call(token, "GET", ABOUT).json["detail"]


def test_an_expired_key_is_told_so_however_long_it_is_remembered(door: Door) -> None:
    token = door.new_token(expires_at=START + timedelta(seconds=1))
    keyring = door.keyring()
    assert isinstance(together(admit(keyring, token, 0.0))[0], keys.Key)
    door.clock.at += timedelta(seconds=1)
    [refused] = together(admit(keyring, token, 0.1))
    assert isinstance(refused, Unauthorised)
    assert door.readers.reads == 1


def test_both_keys_of_a_rotation_work_until_the_overlap_is_over(
    platform: Served, clock: HandClock
) -> None:
    first, second = platform.new_token("read", networks=["127.0.0.0/8"]), secrets.token_hex(32)
    asked = keys.Rotation(1, second, timedelta(hours=24))
    platform.database.write(lambda tx: keys.rotate(tx, 1, asked, clock()))
    for token in (first, second):
        assert platform.call(token, "GET", ABOUT).status == 200
        assert platform.call(token, "POST", USERS, {"custom_id": "A"}).status == 403
        assert platform.call(token, "GET", ABOUT, client=("192.0.2.1", 1)).status == 403
    clock.at += timedelta(hours=24)
    assert "expired" in platform.call(first, "GET", ABOUT).json["detail"]
    assert platform.call(second, "GET", ABOUT).status == 200


def test_without_an_overlap_the_old_key_ends_at_once(platform: Served) -> None:
    first, second = platform.new_token(), secrets.token_hex(32)
    asked = keys.Rotation(1, second, timedelta())
    platform.database.write(lambda tx: keys.rotate(tx, 1, asked, START))
    assert platform.call(first, "GET", ABOUT).status == 401
    assert platform.call(second, "GET", ABOUT).status == 200


def test_a_key_of_another_workspace_is_not_there_to_be_rotated(platform: Served) -> None:
    platform.new_workspace(2)
    platform.new_token(workspace_id=2)
    asked = keys.Rotation(1, secrets.token_hex(32), timedelta())
    with pytest.raises(NotFound, match="no key 1"):
        platform.database.write(lambda tx: keys.rotate(tx, 1, asked, START))


# ---- last use ----


def test_the_last_use_is_kept_to_the_minute(platform: Served, clock: HandClock) -> None:
    used, unused = platform.new_token(), platform.new_token()
    assert unused
    committer = platform.running.committer
    assert used_at(platform.database, committer) == [None, None]
    platform.call(used, "GET", ABOUT)
    minute = START.replace(second=0)
    assert used_at(platform.database, committer) == [minute, None]
    clock.at = minute + timedelta(seconds=59)
    platform.call(used, "GET", ABOUT)
    assert used_at(platform.database, committer) == [minute, None]
    clock.at = minute + timedelta(minutes=1)
    platform.call(used, "GET", ABOUT)
    assert used_at(platform.database, committer) == [clock.at, None]


def test_a_minute_of_calls_costs_one_note(door: Door) -> None:
    token = door.new_token()
    rides = Rides(door.database)
    for keyring in (door.keyring(committer=rides), door.keyring(committer=rides)):
        for now in range(50):
            door.clock.at = START + timedelta(seconds=now / 10)
            together(admit(keyring, token, float(now)))
    # the second server process begins with what the first one left
    assert rides.noted == [1]


def test_who_is_not_let_in_has_not_used_the_key(platform: Served, clock: HandClock) -> None:
    tokens = [
        platform.new_token("read"),
        platform.new_token(networks=["10.0.0.0/8"]),
        platform.new_token(expires_at=START + timedelta(seconds=1)),
    ]
    clock.at += timedelta(seconds=2)
    for token in tokens:
        assert platform.call(token, "POST", USERS, {"custom_id": "A"}).status in (401, 403)
    assert used_at(platform.database, platform.running.committer) == [None] * 3


def test_an_older_use_that_is_written_later_takes_nothing_back(platform: Served) -> None:
    platform.new_token()
    platform.new_token()
    late = START.replace(second=0)
    for ats in ([late, late - timedelta(minutes=5)], [late - timedelta(minutes=1)]):
        platform.running.committer.commit_and_wait(
            1, keys.note_uses, [keys.Use(1, at) for at in ats]
        )
    assert used_at(platform.database, platform.running.committer) == [late, None]
