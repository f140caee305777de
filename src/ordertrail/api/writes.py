"""Writes as values: how a call becomes a command, who decides it, how the outcome is told.

A single call and each operation of a batch go through the same three.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ordertrail.api.call import Answer, Call, Handler
from ordertrail.kit.committer import Action


@dataclass(frozen=True, slots=True)
class Write:
    """One kind of write; `command` raises Refused for a call that makes none."""

    command: Callable[[Call], object]
    action: Action
    answer: Callable[[Any], Answer]


def alone(write: Write) -> Handler:
    """Return the handler of a call that makes one such write."""

    async def handle(call: Call) -> Answer:
        return write.answer(await call.commit(write.action, write.command(call)))

    return handle
