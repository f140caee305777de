"""An answer that is sent while it is made: whole, or broken off so that it shows."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Mapping
from typing import Any

import pytest

from ordertrail.api.call import Answer, Streamed
from ordertrail.api.gate import stream
from ordertrail.api.trace import Traces
from ordertrail.kit.database import QueryTooSlow


async def _sent(parts: AsyncGenerator[bytes, None]) -> list[Mapping[str, Any]]:
    said: list[Mapping[str, Any]] = []

    async def send(message: Mapping[str, Any]) -> None:
        said.append(message)

    async def receive() -> Mapping[str, Any]:
        return await asyncio.get_running_loop().create_future()  # type: ignore[no-any-return]

    streamed = Streamed("text/csv", parts)
    await stream(send, receive, Answer(streamed), streamed, Traces(is_logged=False).begin([]))
    return said


def sent(parts: AsyncGenerator[bytes, None]) -> list[Mapping[str, Any]]:
    return asyncio.run(_sent(parts))


async def whole() -> AsyncGenerator[bytes, None]:
    yield b"a"
    yield b""
    yield b"b"


def test_it_ends_with_an_empty_part_and_has_no_other(caplog: pytest.LogCaptureFixture) -> None:
    start, *rest = sent(whole())
    assert (b"content-type", b"text/csv") in start["headers"]
    assert [(each["body"], each.get("more_body", False)) for each in rest] == [
        (b"a", True), (b"b", True), (b"", False),
    ]  # fmt: skip
    assert not caplog.records


@pytest.mark.parametrize(
    ("error", "has_trace"), [(QueryTooSlow("too slow"), False), (KeyError("a bug"), True)]
)
def test_what_fails_on_the_way_is_logged_and_the_end_is_never_sent(
    caplog: pytest.LogCaptureFixture, error: Exception, has_trace: bool
) -> None:
    async def broken() -> AsyncGenerator[bytes, None]:
        yield b"a"
        raise error

    with caplog.at_level(logging.ERROR):
        said = sent(broken())
    assert [each["body"] for each in said[1:]] == [b"a"]
    assert said[-1]["more_body"] is True
    [record] = caplog.records
    assert "broke off" in record.message
    assert bool(record.exc_info) is has_trace
