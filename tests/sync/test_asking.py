"""Asking a destination: again while it is busy or away, at its pace, and never for ever."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest
from fast_time import FAST

from ordertrail.client import calls
from ordertrail.client.answers import Answer
from ordertrail.client.client import Client
from ordertrail.client.exchange import Request
from ordertrail.domain.errors import Forbidden, NotFound, Refused, Unauthorised, Unavailable
from ordertrail.kit import json
from ordertrail.sync.asking import Alone, Asker
from ordertrail.sync.worker import Pace, There

URL = "https://acme.user.com"
PACE = Pace(rim=FAST, limit_per_s=0)
GOOD = Answer(200, b'{"id": 1}')
AWAY = OSError("the line is dead")


class Script:
    """Answers with one thing after the other, then with the last for ever; notes the paths."""

    def __init__(self, *answers: Answer | OSError) -> None:
        self._answers = list(answers)
        self.paths: list[str] = []

    async def exchange(self, request: Request) -> Answer:
        self.paths.append(request.url.removeprefix(URL))
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, OSError):
            raise answer
        return answer


def asked(script: Script, pace: Pace = PACE, pages_max: int | None = None) -> object:
    """What asking comes to: for a contact, or for a list of stages."""

    async def ask() -> object:
        async with Client(URL, "t", exchange=script.exchange) as client:
            asker = Asker(client, There(URL, None), pace, Alone())
            if pages_max is None:
                return await asker.ask(calls.get_contact("ada"))
            return [each async for each in asker.each(calls.list_stages(), pages_max)]

    return asyncio.run(ask())


@pytest.mark.parametrize(
    "first",
    [
        [Answer(429, b"{}", retry_after_s=2.0)],
        [Answer(503, b"{}")],
        [Answer(500, b"{}"), Answer(502, b"<html>")],
        [AWAY, AWAY],
        [Answer(200, b"<html>a proxy's own page</html>")],
        [Answer(401, b"{}")],
        [Answer(403, b"{}"), Answer(403, b"{}")],
    ],
)
def test_it_asks_again_until_there_is_an_answer(first: Sequence[Answer | OSError]) -> None:
    script = Script(*first, GOOD)
    assert asked(script) == {"id": 1}
    assert len(script.paths) == len(first) + 1


@pytest.mark.parametrize(
    ("status", "error", "times"),
    [(404, NotFound, 1), (400, Refused, 1), (401, Unauthorised, 3), (403, Forbidden, 3)],
)
def test_a_refusal_is_raised_and_that_of_a_key_only_when_it_is_said_again(
    status: int, error: type[Exception], times: int
) -> None:
    script = Script(Answer(status, b"{}"))
    with pytest.raises(error):
        asked(script)
    assert len(script.paths) == times


def test_nobody_is_asked_for_ever() -> None:
    impatient = replace(PACE, endurance=replace(PACE.endurance, away_s_max=20.0))
    script = Script(AWAY)
    with pytest.raises(Unavailable, match="the line is dead"):
        asked(script, impatient)
    assert len(script.paths) > 2
    long = Script(Answer(429, b"{}", retry_after_s=3_000.0))
    with pytest.raises(Unavailable):
        asked(long, impatient)
    assert len(long.paths) == 1


def test_a_limit_is_kept() -> None:
    begun = FAST.stopwatch()

    async def ask() -> None:
        async with Client(URL, "t", exchange=Script(GOOD).exchange) as client:
            pace = replace(PACE, limit_per_s=10.0)
            asker = Asker(client, There(URL, None), pace, Alone())
            await asyncio.gather(*(asker.ask(calls.get_contact(str(n))) for n in range(100)))

    asyncio.run(ask())
    assert FAST.stopwatch() - begun >= 9.0


def page(items: list[int], following: str | None = None) -> Answer:
    return Answer(200, json.dumps({"results": items, "next": following}).encode())


def test_a_list_is_read_page_by_page_or_whole_and_never_without_end() -> None:
    second = f"{URL}/api/public/stages/?cursor=2"
    paged = Script(page([1, 2], second), Answer(503, b"{}"), page([3]))
    assert asked(paged, pages_max=9) == [1, 2, 3]
    assert paged.paths[1:] == ["/api/public/stages/?cursor=2"] * 2
    assert asked(Script(Answer(200, b"[1, 2]")), pages_max=9) == [1, 2]
    assert asked(Script(page([1], second), Answer(404, b"{}")), pages_max=9) == [1]
    with pytest.raises(Refused, match="more than 3 pages"):
        asked(Script(page([1], second)), pages_max=3)


def test_the_next_page_is_asked_of_the_same_endpoint_whatever_host_it_names() -> None:
    script = Script(page([1], "https://evil.example/api/public/stages/?cursor=2"), page([2]))
    assert asked(script, pages_max=9) == [1, 2]
    assert script.paths[1] == "/api/public/stages/?cursor=2"
