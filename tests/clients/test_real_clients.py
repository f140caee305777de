"""Public clients of the API do their work against this platform; only the address is another."""

import contextlib
import http.client
from collections.abc import Mapping
from pathlib import Path

import pytest
from replay import Replay, Story, stories

import live
from asgi import Reply
from served import Served

STORIES = stories()
FIRST_OF_EACH = list({story.client: story for story in reversed(STORIES)}.values())


@pytest.mark.parametrize("story", STORIES, ids=str)
def test_a_public_client_gets_what_it_needs(platform: Served, token: str, story: Story) -> None:
    def send(method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
        return platform.caller.call(method, target, headers=headers, body=body)

    Replay(send, {"token": token}).play(story)


@pytest.mark.parametrize("story", FIRST_OF_EACH, ids=str)
def test_so_it_does_over_a_socket(tmp_path: Path, story: Story) -> None:
    with live.live(tmp_path) as running:
        connection = http.client.HTTPConnection(running.url.removeprefix("http://"), timeout=10)

        def send(method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
            connection.request(method, target, body or None, dict(headers))
            answer = connection.getresponse()
            return Reply(answer.status, answer.getheaders(), answer.read())

        with contextlib.closing(connection):
            Replay(send, {"token": running.token}, running.url).play(story)


def test_the_manual_names_each_client() -> None:
    manual = (Path(__file__).parents[2] / "docs" / "clients.md").read_text("utf-8")
    named = {row.split("|")[1].strip() for row in manual.splitlines() if row.startswith("| ")}
    known = {story.of.partition(",")[0] for story in STORIES}
    assert known <= named
