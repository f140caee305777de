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
from ordertrail.wire import body

OPERATIONS_MAX = 1_000
BYTES_MAX = 8 << 20

_Asked = tuple[Write | None, object]
"""What an operation asks for: a write with its command, or None with why it is refused."""


def handler(writes: Mapping[str, Write]) -> Handler:
    """Return the handler of batches of these writes, which are given by their addresses."""
    known = [(_pattern(path), write) for path, write in writes.items()]

    async def handle(call: Call) -> Answer:
        asked = [_asked(call, known, each) for each in _operations(call.body())]
        answers = await _carried_out(call, asked)
        return Answer({"results": [{"status": e.status, "body": e.body} for e in answers]})

    return handle


async def _carried_out(call: Call, asked: Sequence[_Asked]) -> list[Answer]:
    """Carry out runs of one kind of write as one list each, one run after the other."""
    answers: list[Answer] = []
    for write, run in groupby(asked, key=lambda each: each[0]):
        commands = [command for _, command in run]
        if write is None:
            answers += [_refused(command) for command in commands]
            continue
        try:
            outcomes = await call.platform.committer.commit(
                call.workspace_id, write.action, commands
            )
        except Exception as error:
            outcomes = [error] * len(commands)
        answers += [_told(write, outcome) for outcome in outcomes]
    return answers


def _told(write: Write, outcome: Any) -> Answer:
    return _refused(outcome) if isinstance(outcome, Exception) else write.answer(outcome)


def _refused(error: Any) -> Answer:
    return answer_to(error, "of a batch")


def _operations(said: Mapping[str, Any]) -> list[Any]:
    operations = said.get("operations")
    if not isinstance(operations, list):
        raise Invalid({"operations": "must be a list"})
    if len(operations) > OPERATIONS_MAX:
        raise Invalid({"operations": f"must have at most {OPERATIONS_MAX} items"})
    return operations


def _asked(call: Call, known: Sequence[tuple[re.Pattern[str], Write]], said: Any) -> _Asked:
    try:
        write, names = _found(known, said)
        return write, write.command(_single(call, said, names))
    except Refused as refused:
        return None, refused


def _found(
    known: Sequence[tuple[re.Pattern[str], Write]], said: Any
) -> tuple[Write, dict[str, str]]:
    if not isinstance(said, dict):
        raise Invalid({"operation": "must be an object with method, path and body"})
    path = said.get("path")
    if said.get("method", "POST") != "POST" or not isinstance(path, str):
        raise Invalid({"method": "must be POST, with a path"})
    whole = path if path.endswith("/") else path + "/"
    for pattern, write in known:
        if found := pattern.fullmatch(whole):
            return write, {name: unquote(value) for name, value in found.groupdict().items()}
    raise NotFound(f"No such address in a batch: {path[:200]}")


def _single(call: Call, said: Mapping[str, Any], names: Mapping[str, str]) -> Call:
    """Return the call that the operation would be by itself."""
    key = said.get("key")
    headers = {name: value for name, value in call.headers.items() if name != b"idempotency-key"}
    if key is not None:
        headers[b"idempotency-key"] = body.identifier("key", key).encode("utf-8")
    content = said.get("body")
    if not isinstance(content, dict):
        raise Invalid({"body": "must be a JSON object"})
    scope = {**call.scope, "path_params": names}
    return replace(call, scope=scope, headers=headers, said=content)


def _pattern(path: str) -> re.Pattern[str]:
    escaped = re.escape(path).replace(r"\{custom_id\}", "(?P<custom_id>.+)")
    return re.compile(escaped)
