"""What processes use, as Linux tells it under /proc."""

import os
import re
from pathlib import Path

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def cpu_s(pid: int) -> float:
    """Return the processor time of a process and all that it started, until now."""
    times, children = _processes()
    waiting, spent = [pid], 0.0
    while waiting:
        one = waiting.pop()
        spent += times.get(one, 0.0)
        waiting += children.get(one, [])
    return spent


def resident_mib(pid: int) -> float:
    """Return how much memory a process holds."""
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"^VmRSS:\s+(\d+) kB$", status, re.MULTILINE)
    assert found
    return int(found[1]) / 1024


def _processes() -> tuple[dict[int, float], dict[int, list[int]]]:
    """Every process with its time and that of its children that ended; and who started whom."""
    times: dict[int, float] = {}
    children: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = path.read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        pid, fields = int(path.parent.name), text.rpartition(")")[2].split()
        times[pid] = sum(int(each) for each in fields[11:15]) / _TICKS_PER_S
        children.setdefault(int(fields[1]), []).append(pid)
    return times, children
