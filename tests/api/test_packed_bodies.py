"""A body may be sent packed by gzip; what it becomes is held to the same limits."""

import gzip
import json
import random
import zlib

import pytest

from served import Served

USERS = "/api/public/users/update_or_create/"
PACKED = {"Content-Encoding": "gzip"}
ADA = json.dumps({"custom_id": "ada", "city": "Hull"}).encode()


def padded(size: int) -> bytes:
    """A body of exactly so many bytes that gzip cannot make much smaller."""
    noise = random.Random(1).randbytes(size).hex()
    start, end = b'{"custom_id": "ada", "noise": "', b'"}'
    return start + noise[: size - len(start) - len(end)].encode() + end


@pytest.mark.parametrize("coding", ["gzip", "GZIP", " x-gzip "])
@pytest.mark.parametrize(
    "body", [gzip.compress(ADA), gzip.compress(ADA[:9]) + gzip.compress(ADA[9:])]
)
def test_a_packed_body_is_what_it_unpacks_to(
    platform: Served, token: str, coding: str, body: bytes
) -> None:
    headers = {"Content-Encoding": coding}
    assert platform.call(token, "POST", USERS, body=body, headers=headers).json["created"]
    assert platform.call(token, "GET", "/api/public/users-by-id/ada/").json["city"] == "Hull"


def test_a_packed_body_may_be_as_large_as_a_plain_one_and_no_larger(
    platform: Served, token: str
) -> None:
    bytes_max = platform.settings.body_bytes_max
    for size, status in ((bytes_max, 200), (bytes_max + 1, 413)):
        body = gzip.compress(padded(size))
        reply = platform.call(token, "POST", USERS, body=body, headers=PACKED)
        assert reply.status == status, size


def test_a_bomb_is_refused_before_it_is_unpacked(platform: Served, token: str) -> None:
    packer = zlib.compressobj(9, wbits=31)
    million = b" " * (1 << 20)
    bomb = b"".join(packer.compress(million) for _ in range(100)) + packer.flush()
    assert len(bomb) <= platform.settings.body_bytes_max
    reply = platform.call(token, "POST", USERS, body=bomb, headers=PACKED)
    assert (reply.status, list(reply.json["errors"])) == (413, ["body"])


WHOLE = gzip.compress(ADA)


@pytest.mark.parametrize(
    "body",
    [
        b"plain",
        ADA,
        WHOLE[:5],
        WHOLE[:-1],
        WHOLE[:-8] + b"\0" * 8,
        WHOLE + b"rest",
        WHOLE + WHOLE[:9],
        zlib.compress(ADA),
        gzip.compress(padded(900_000))[:-3],
    ],
    ids=len,
)
def test_what_cannot_be_unpacked_is_400(platform: Served, token: str, body: bytes) -> None:
    reply = platform.call(token, "POST", USERS, body=body, headers=PACKED)
    assert (reply.status, list(reply.json["errors"])) == (400, ["body"])
    assert platform.counts()["contacts"] == 0


@pytest.mark.parametrize("coding", ["br", "deflate", "gzip, gzip", "zstd", "nonsense"])
def test_another_coding_is_415_and_told_which_one_is_taken(
    platform: Served, token: str, coding: str
) -> None:
    headers = {"Content-Encoding": coding}
    reply = platform.call(token, "POST", USERS, body=ADA, headers=headers)
    assert reply.status == 415
    assert "gzip" in reply.json["detail"]
    assert reply.headers["accept-encoding"] == "gzip"


def test_no_body_at_all_is_no_body_however_it_is_said_to_be_packed(
    platform: Served, token: str
) -> None:
    reply = platform.call(token, "GET", "/api/ordertrail/v1/about/", headers=PACKED)
    assert reply.status == 200


def test_a_request_sent_again_packed_is_the_same_request(platform: Served, token: str) -> None:
    key = {"Idempotency-Key": "once"}
    first = platform.call(token, "POST", USERS, body=ADA, headers=key)
    again = platform.call(token, "POST", USERS, body=WHOLE, headers={**key, **PACKED})
    assert (again.status, again.json) == (first.status, first.json)
