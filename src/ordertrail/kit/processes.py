"""Names of processes, by which others on the same machine can tell that one has ended.

A name holds the machine, the space in which process numbers are counted, the number, and when the
process began, so that a number that is used again is not taken for the process that had it.
"""

import os
import socket
from pathlib import Path

_PROC = Path("/proc")
_STARTED = 19
"""Where a process's beginning stands in its `stat`, counted behind its name."""


def name() -> str:
    """Return the name of this process; one that tells nothing where the system has no /proc."""
    number = os.getpid()
    return f"{socket.gethostname()}/{_space()}/{number}/{_began(number)}"


def is_gone(name: str) -> bool:
    """Tell whether the process of a name has surely ended: it ran here, and is not there."""
    parts = name.split("/")
    if len(parts) != 4 or not parts[2].isdigit():
        return False
    machine, space, number, began = parts
    is_ours = machine == socket.gethostname() and space == _space() != ""
    return is_ours and began != "" and _began(int(number)) != began


def _space() -> str:
    try:
        return str((_PROC / "self" / "ns" / "pid").stat().st_ino)
    except OSError:
        return ""


def _began(number: int) -> str:
    try:
        stat = (_PROC / str(number) / "stat").read_text()
    except OSError:
        return ""
    return stat.rpartition(")")[2].split()[_STARTED]
