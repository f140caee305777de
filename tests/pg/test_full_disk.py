"""A PostgreSQL whose disk is full: callers are told to come back, and may when room is made."""

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from served_process import run

import postgres_server
import served
from postgres_server import Server
from served import Served

DISK_MB = 192
PIECE = 1 << 12
USERS = "/api/public/users/update_or_create/"
BATCH = "/api/ordertrail/v1/batch/"
SIZE = 20
WRITES_MAX = 200
ADVICE = "make room on the disk of its server"


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A small disk of its own."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small disk")
    place = tmp_path_factory.mktemp("disk")
    told = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m,mode=0777", "tmpfs", str(place)]
    if subprocess.run(told, capture_output=True, check=False).returncode:
        pytest.skip("a small disk cannot be mounted here")
    for each in (*place.parents, place):
        if not each.stat().st_mode & 0o001:
            each.chmod(each.stat().st_mode | 0o011)
    yield place
    subprocess.run(["umount", str(place)], check=True)


@pytest.fixture(scope="module")
def cramped(disk: Path) -> Iterator[Server]:
    if not postgres_server.BINARIES:
        pytest.skip(postgres_server.MISSING)
    with postgres_server.running(disk) as server:
        yield server


def fill(disk: Path) -> Path:
    """Fill the disk to its last byte, and return what to remove to make room."""
    ballast = disk / "ballast"
    with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
        for _ in range((DISK_MB << 20) // PIECE):
            file.write(bytes(PIECE))
    assert os.statvfs(disk).f_bfree == 0
    return ballast


def test_a_full_disk_is_told_and_left_behind(disk: Path, cramped: Server) -> None:
    empty = cramped.new_database()
    assert "migrations to run" in run(empty, "doctor").out
    with served.serve_at(cramped.new_database()) as platform:
        token = platform.new_token()
        ballast = fill(disk)
        kept = until_full(platform, token)
        ran = run(empty, "migrate")
        assert ran.code == 75
        assert ADVICE in ran.err
        assert platform.counts()["contacts"] == kept
        ballast.unlink()
        assert written(platform, token, 0) == {200}
        assert platform.counts()["contacts"] == kept + (SIZE if kept < SIZE else 0)
        assert run(empty, "migrate").code == 0


def written(platform: Served, token: str, number: int) -> set[int]:
    """Write a batch and return the statuses of its parts."""
    bodies = [{"custom_id": f"A{number}/{n}", "first_name": "x" * 40} for n in range(SIZE)]
    said = {"operations": [{"path": USERS, "body": body} for body in bodies]}
    reply = platform.call(token, "POST", BATCH, said)
    return {each["status"] for each in reply.json["results"]}


def until_full(platform: Served, token: str) -> int:
    """Write batches until the disk is full, and return how many contacts were kept."""
    for number in range(WRITES_MAX):
        statuses = written(platform, token, number)
        if statuses == {503}:
            break
        assert statuses == {200}
    for n in range(WRITES_MAX):
        reply = platform.call(token, "POST", USERS, {"custom_id": f"B{n}", "first_name": "x" * 40})
        if reply.status == 503:
            break
        assert reply.status == 200
    assert (reply.status, reply.headers["retry-after"]) == (503, "1")
    assert "disk" not in reply.text
    return number * SIZE + n
