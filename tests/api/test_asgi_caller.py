"""The caller that the tests use does what a server does."""

from pathlib import Path

import pytest

import served
from ordertrail.kit.database import DatabaseRefused
from served import Served


def test_the_health_page_answers_while_the_platform_serves(platform: Served) -> None:
    reply = platform.caller.call("GET", "/healthz")
    assert (reply.status, reply.text) == (200, "ok")


def test_a_path_arrives_decoded_and_a_body_whole(platform: Served, token: str) -> None:
    reply = platform.call(
        token,
        "POST",
        "/api/public/users/update_or_create/",
        body=[b'{"custom_id": "a', b"@b", b'.c"}'],
    )
    assert reply.status == 200, reply.text
    assert platform.call(token, "GET", "/api/public/users-by-id/a%40b.c/").json["id"] == 1


@served.about_files
def test_a_second_start_on_the_same_file_is_refused(platform: Served, tmp_path: Path) -> None:
    with pytest.raises(DatabaseRefused, match="another process"), served.serve(tmp_path):
        pass
