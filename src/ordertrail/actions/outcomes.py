"""One outcome a command: what was done, or why it was refused."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from ordertrail.domain.errors import Refused

C = TypeVar("C")
R = TypeVar("R")


def of_each(commands: Sequence[C], decide: Callable[[C], R]) -> list[R | Refused]:
    """Decide command by command; one that is refused leaves its neighbours alone."""
    outcomes: list[R | Refused] = []
    for command in commands:
        try:
            outcomes.append(decide(command))
        except Refused as refused:
            outcomes.append(refused)
    return outcomes
