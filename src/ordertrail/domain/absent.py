"""Absent is not empty: a field that was not sent differs from one that was sent as null."""

import enum
from typing import Final, Literal


class Absent(enum.Enum):
    """The type of `ABSENT`, for annotations."""

    ABSENT = "absent"

    def __repr__(self) -> str:
        return "ABSENT"

    def __bool__(self) -> Literal[False]:
        return False


ABSENT: Final = Absent.ABSENT
