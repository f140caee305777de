"""Writes as values: how a call becomes a command, who decides it, how the outcome is told.

A single call and each operation of a batch go through the same.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from ordertrail.actions import answers
from ordertrail.actions.answers import Once, Remembered
from ordertrail.api.call import Answer, Call, Handler, raw_answer, raw_text
from ordertrail.kit.committer import Action
from ordertrail.kit.snapshot import Snapshot

Tell = Callable[[Call, Snapshot, Any], Answer]


@dataclass(frozen=True, slots=True)
class Write:
    """One kind of write; `command` raises Refused for a call that makes none.

    `tell` makes the answer of the outcome, with a view of the database; `plain` does so without
    one, where that is enough, and returns None where it is not. A write that `knows_keys` does
    not repeat itself under an idempotency key; for any other, its answer is remembered.
    """

    command: Callable[[Call], object]
    action: Action
    tell: Tell
    plain: Callable[[Call, Any], Answer | None] = lambda _call, _outcome: None
    knows_keys: bool = False


def simple(
    command: Callable[[Call], object],
    action: Action,
    answer: Callable[[Any], Answer],
    *,
    knows_keys: bool = False,
) -> Write:
    """Return a write whose answer needs nothing but the outcome."""
    return Write(
        command,
        action,
        lambda _call, _snapshot, outcome: answer(outcome),
        lambda _call, outcome: answer(outcome),
        knows_keys,
    )


def answered(
    command: Callable[[Call], object], action: Action, answer: Callable[[Call, Any], Answer]
) -> Write:
    """Return a write whose answer needs the call and the outcome, and no view of the database."""
    return Write(command, action, lambda call, _snapshot, outcome: answer(call, outcome), answer)


def prepared(write: Write, call: Call) -> tuple[Action, object]:
    """Return who decides the call's command, and the command."""
    command = write.command(call)
    key = call.operation_key
    if key is None or write.knows_keys:
        return write.action, command

    def answer(snapshot: Snapshot, outcome: Any) -> tuple[int, str, tuple[str, ...]]:
        told = write.tell(call, snapshot, outcome)
        return told.status, raw_text(told), _warnings(outcome)

    return answers.once(write.action), Once(key, _fingerprint(call), command, answer)


async def told(write: Write, call: Call, outcome: Any) -> Answer:
    """Return the answer to the outcome of a write that was carried out."""
    answer = told_plainly(write, call, outcome)
    if answer is None:
        answer = await call.look(lambda snapshot: told_with(snapshot, write, call, outcome))
    return answer


def told_plainly(write: Write, call: Call, outcome: Any) -> Answer | None:
    """Return the answer to the outcome of a write; None when it takes a view of the database."""
    if isinstance(outcome, Remembered):
        return _warned(raw_answer(outcome.status, outcome.body), call, outcome.warnings)
    answer = write.plain(call, outcome)
    return None if answer is None else _warned(answer, call, _warnings(outcome))


def told_with(snapshot: Snapshot, write: Write, call: Call, outcome: Any) -> Answer:
    """Return the answer to the outcome of a write, by a view of the database."""
    return _warned(write.tell(call, snapshot, outcome), call, _warnings(outcome))


def alone(write: Write) -> Handler:
    """Return the handler of a call that makes one such write."""

    async def handle(call: Call) -> Answer:
        action, command = prepared(write, call)
        if not isinstance(command, Once):
            return await told(write, call, await call.commit(action, command))
        running, name = call.platform.running, (call.workspace_id, command.operation_key)
        if name in running:
            raise answers.still_running()
        running.add(name)
        try:
            return await told(write, call, await call.commit(action, command))
        finally:
            running.discard(name)

    return handle


def _warnings(outcome: Any) -> tuple[str, ...]:
    found: tuple[str, ...] = getattr(outcome, "warnings", ())
    return found


def _warned(answer: Answer, call: Call, warnings: tuple[str, ...]) -> Answer:
    every = (*call.warnings, *warnings)
    return replace(answer, warnings=every) if every else answer


def _fingerprint(call: Call) -> str:
    """What tells a request from another one: its method, address, query, version and body."""
    digest = hashlib.sha256()
    query = call.scope["query_string"].decode("latin-1")
    for part in (call.method, call.path, query, str(call.version)):
        digest.update(f"{len(part)}:{part}".encode())
    digest.update(call.raw_body)
    return digest.hexdigest()
