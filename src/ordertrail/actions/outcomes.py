"""One outcome a command: what was done, or why it was refused."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from ordertrail.domain.errors import Refused

C = TypeVar("C")
R = TypeVar("R")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Written(Generic[T]):
    """A thing as it is now, whether it is new, and what was not taken as it was sent.

    `new_tags` are the names of tags that nobody used before.
    """

    thing: T
    is_new: bool = False
    warnings: tuple[str, ...] = ()
    new_tags: tuple[str, ...] = ()


def of_each(commands: Sequence[C], decide: Callable[[C], R]) -> list[R | Refused]:
    """Decide command by command; one that is refused leaves its neighbours alone."""
    outcomes: list[R | Refused] = []
    for command in commands:
        try:
            outcomes.append(decide(command))
        except Refused as refused:
            outcomes.append(refused)
    return outcomes
