"""Many writes in one call: carried out in the order given, answered one by one."""

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from ordertrail.api.call import Answer, Call, Streamed
from ordertrail.api.gate import BUSY, answer_to
from ordertrail.api.route import OWN, Addresses, Route
from ordertrail.api.writes import Write, prepared, told_plainly, told_with
from ordertrail.domain.errors import Invalid, NotFound, Refused
from ordertrail.kit.committer import Action, Closed, QueueFull, weight
from ordertrail.kit.snapshot import Snapshot
from ordertrail.wire import batch as wire
from ordertrail.wire import lines
from ordertrail.wire.batch import Operation

PART_MAX = 250
"""How many operations are carried out before other callers have their turn; one that touches many
things counts as so many."""

BYTES_MAX = 8 << 20
_AWAY = 503
_OF_THE_WHOLE = (b"idempotency-key", b"content-type")
"""Headers that a batch has as a whole, and its operations do not."""

_Asked = tuple[Action | None, "_Operation | Answer"]
"""What an operation asks for: who decides it and what, or None with the answer to it."""

_Known = Addresses[Write]


def route(routes: Sequence[Route]) -> Route:
    """Return the route of batches of those of the given routes that are writes."""
    known = Addresses(
        (each.method, each.path, each.does) for each in routes if isinstance(each.does, Write)
    )

    async def handle(call: Call) -> Answer:
        answers = await _answers(call, known, _keyed(call.operation_key, _operations(call)))
        results = [_result(each) for each in answers]
        if call.wants(*lines.TYPES):
            return Answer(Streamed(lines.TYPES[0], _lines(results)))
        return Answer({"results": results})

    return Route(
        "POST",
        f"{OWN}/batch/",
        handle,
        "several of the writes above in one call",
        takes=wire.BatchSent,
        gives=wire.BatchShown,
        bytes_max=BYTES_MAX,
    )


async def _answers(
    call: Call, known: _Known, operations: Sequence[Operation | Invalid]
) -> list[Answer]:
    """Carry the operations out part by part; while one part is written, the next one is read."""
    shared = _without_own_headers(call)
    answers: list[Answer] = []
    away: Answer | None = None
    written: asyncio.Task[tuple[list[Answer], Answer | None]] | None = None
    for start in range(0, len(operations), PART_MAX):
        asked = [_asked(shared, known, each) for each in operations[start : start + PART_MAX]]
        if written is not None:
            said, away = await written
            answers += said
        written = asyncio.create_task(_carried_out(call, asked, away))
        await asyncio.sleep(0)
    if written is not None:
        said, _ = await written
        answers += said
    return answers


def _operations(call: Call) -> list[Operation | Invalid]:
    if call.media_type in lines.TYPES:
        return wire.decode_lines(call.raw_body)
    return wire.decode(call.raw_body)


def _keyed(
    key: str | None, operations: Sequence[Operation | Invalid]
) -> Sequence[Operation | Invalid]:
    """Give each operation without a key one that is made of the batch's, and of its place in it."""
    if key is None:
        return operations
    return [
        replace(each, key=hashlib.sha256(f"{key}:{place}".encode()).hexdigest())
        if isinstance(each, Operation) and each.key is None
        else each
        for place, each in enumerate(operations)
    ]


async def _lines(results: Sequence[dict[str, Any]]) -> AsyncGenerator[bytes, None]:
    for start in range(0, len(results), PART_MAX):
        yield lines.encode(results[start : start + PART_MAX])


def _result(answer: Answer) -> dict[str, Any]:
    result = {"status": answer.status, "body": answer.body}
    return {**result, "warnings": list(answer.warnings)} if answer.warnings else result


@dataclass(frozen=True, slots=True)
class _Operation:
    """One operation: the call that it would be by itself, and the command it makes."""

    write: Write
    call: Call
    command: object


async def _carried_out(
    call: Call, asked: Sequence[_Asked], away: Answer | None
) -> tuple[list[Answer], Answer | None]:
    """Carry out runs of one kind of write as one list each, one run after the other.

    When one cannot be carried out now, those behind it are not either: they may stand on it. That
    answer is returned besides, for what is behind these.
    """
    answers: list[Answer] = []
    for action, run in groupby(asked, key=lambda each: each[0]):
        given: list[Any] = [each for _, each in run]
        if action is None:
            answers += given
            continue
        for part in _parts(given):
            said = [away] * len(part) if away else await _committed(call, action, part)
            away = next((answer for answer in said if answer.status == _AWAY), None)
            answers += said
    return answers, away


def _parts(run: Sequence[_Operation]) -> list[list[_Operation]]:
    """The run in parts that weigh `PART_MAX` at most, or are one operation."""
    parts: list[list[_Operation]] = []
    room = 0
    for each in run:
        heavy = weight(each.command)
        if heavy > room:
            parts.append([])
            room = PART_MAX
        parts[-1].append(each)
        room -= heavy
    return parts


async def _committed(call: Call, action: Action, asked: Sequence[_Operation]) -> list[Answer]:
    try:
        outcomes = await call.platform.committer.commit(
            call.workspace_id, action, [each.command for each in asked]
        )
    except (QueueFull, Closed) as error:
        return [_failed(call, error)] * len(asked)
    return await _told_all(call, asked, outcomes)


async def _told_all(
    call: Call, asked: Sequence[_Operation], outcomes: Sequence[Any]
) -> list[Answer]:
    """The answers to all outcomes; those that take a view of the database share one."""
    answers = [
        _failed(call, outcome)
        if isinstance(outcome, Exception)
        else told_plainly(each.write, each.call, outcome)
        for each, outcome in zip(asked, outcomes, strict=True)
    ]
    open_ = [place for place, answer in enumerate(answers) if answer is None]
    if open_:

        def tell(snapshot: Snapshot) -> list[Answer]:
            return [_told_with(snapshot, asked[place], outcomes[place]) for place in open_]

        try:
            told = await call.read(tell)
        except BUSY as error:
            told = [_failed(call, error)] * len(open_)
        for place, answer in zip(open_, told, strict=True):
            answers[place] = answer
    return [answer for answer in answers if answer is not None]


def _told_with(snapshot: Snapshot, operation: _Operation, outcome: Any) -> Answer:
    try:
        return told_with(snapshot, operation.write, operation.call, outcome)
    except Refused as refused:
        return _failed(operation.call, refused)


def _failed(call: Call, error: Exception) -> Answer:
    return answer_to(error, call.request_id)


def _asked(call: Call, known: _Known, operation: Operation | Invalid) -> _Asked:
    try:
        if isinstance(operation, Invalid):
            raise operation
        found = known.find(operation.path)
        if found is None:
            raise NotFound(f"No such address in a batch: {operation.path[:200]}")
        writes, named = found
        write = writes.get(operation.method)
        if write is None:
            return None, Answer({"detail": _not_allowed(operation.method, writes)}, 405)
        single = _single(call, operation, named)
        action, command = prepared(write, single)
        return action, _Operation(write, single, command)
    except Refused as refused:
        return None, _failed(call, refused)


def _not_allowed(method: str, writes: Mapping[str, Write]) -> str:
    if method.upper() in writes:
        return f"Methods are written in capitals: {method.upper()}."
    return f"Method not allowed here; send one of: {', '.join(sorted(writes))}."


def _single(call: Call, operation: Operation, named: Mapping[str, str]) -> Call:
    """Return the call that the operation would be by itself."""
    headers = call.headers
    if operation.key is not None:
        headers = {**headers, b"idempotency-key": operation.key.encode()}
    return Call(
        call.platform,
        call.key,
        call.scope,
        operation.method,
        operation.path,
        named,
        headers,
        operation.raw_body,
    )


def _without_own_headers(call: Call) -> Call:
    headers = {name: value for name, value in call.headers.items() if name not in _OF_THE_WHOLE}
    return replace(call, headers=headers, scope={**call.scope, "query_string": b""})
