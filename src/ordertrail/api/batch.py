"""Many writes in one call: carried out in the order given, answered one by one."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any
from urllib.parse import unquote

from ordertrail.api.call import Answer, Call, Handler
from ordertrail.api.gate import answer_to
from ordertrail.api.writes import Write
from ordertrail.domain.errors import Invalid, NotFound, Refused
from ordertrail.kit.committer import Closed, QueueFull
from ordertrail.wire import batch as wire
from ordertrail.wire.batch import Operation

PART_MAX = 250
"""How many operations are carried out before other callers have their turn."""

_AWAY = 503

_Asked = tuple[Write | None, Any]
"""What an operation asks for: a write with its command, or None with the answer to it."""

_Known = Sequence[tuple[re.Pattern[str], Write]]


def handler(writes: Mapping[str, Write]) -> Handler:
    """Return the handler of batches of these writes, which are given by their addresses."""
    known = [(_pattern(path), write) for path, write in writes.items()]

    async def handle(call: Call) -> Answer:
        answers: list[Answer] = []
        away: Answer | None = None
        operations = wire.decode(call.raw_body)
        for start in range(0, len(operations), PART_MAX):
            part = operations[start : start + PART_MAX]
            asked = [_asked(call, known, each) for each in part]
            told, away = await _carried_out(call, asked, away)
            answers += told
        return Answer({"results": [{"status": e.status, "body": e.body} for e in answers]})

    return handle


async def _carried_out(
    call: Call, asked: Sequence[_Asked], away: Answer | None
) -> tuple[list[Answer], Answer | None]:
    """Carry out runs of one kind of write as one list each, one run after the other.

    When one cannot be carried out now, those behind it are not either: they may stand on it. That
    answer is returned besides, for what is behind these.
    """
    answers: list[Answer] = []
    for write, run in groupby(asked, key=lambda each: each[0]):
        given = [command for _, command in run]
        if write is None:
            answers += given
        elif away is not None:
            answers += [away] * len(given)
        else:
            told = await _committed(call, write, given)
            away = next((answer for answer in told if answer.status == _AWAY), None)
            answers += told
    return answers, away


async def _committed(call: Call, write: Write, commands: Sequence[Any]) -> list[Answer]:
    committer = call.platform.committer
    try:
        outcomes = await committer.commit(call.workspace_id, write.action, commands)
    except (QueueFull, Closed) as error:
        return [_failed(error)] * len(commands)
    return [
        _failed(outcome) if isinstance(outcome, Exception) else write.answer(outcome)
        for outcome in outcomes
    ]


def _failed(error: Exception) -> Answer:
    return answer_to(error, "of a batch")


def _asked(call: Call, known: _Known, operation: Operation | Invalid) -> _Asked:
    try:
        if isinstance(operation, Invalid):
            raise operation
        write, names = _found(known, operation.path)
        if operation.method != "POST":
            return None, Answer({"detail": "Method not allowed here; send one of: POST."}, 405)
        return write, write.command(_single(call, operation, names))
    except Refused as refused:
        return None, _failed(refused)


def _found(known: _Known, path: str) -> tuple[Write, dict[str, str]]:
    whole = path if path.endswith("/") else path + "/"
    for pattern, write in known:
        if found := pattern.fullmatch(whole):
            return write, {name: unquote(value) for name, value in found.groupdict().items()}
    raise NotFound(f"No such address in a batch: {path[:200]}")


def _single(call: Call, operation: Operation, names: dict[str, str]) -> Call:
    """Return the call that the operation would be by itself."""
    headers = {name: value for name, value in call.headers.items() if name != b"idempotency-key"}
    if operation.key is not None:
        headers[b"idempotency-key"] = operation.key.encode()
    scope = {**call.scope, "path_params": names}
    return replace(call, scope=scope, headers=headers, raw_body=operation.raw_body)


def _pattern(path: str) -> re.Pattern[str]:
    escaped = re.escape(path).replace(r"\{custom_id\}", "(?P<custom_id>.+)")
    return re.compile(escaped)
