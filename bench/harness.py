"""How a case is measured: its contenders in turn, round after round; medians and spreads are kept.

Machines are shared and noisy, so that only contenders of one run may be compared with each other.
"""

import os
import platform
import statistics
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

Measured = Mapping[str, float]


@dataclass(frozen=True)
class Figure:
    """One thing that is measured, and what we want of it."""

    label: str
    unit: str
    at_least: float | None = None
    at_most: float | None = None


@dataclass(frozen=True)
class Contender:
    """One that is measured; `beside` names the one that it is compared with, unless it is ours."""

    name: str
    measure: Callable[[], Measured]
    beside: str = ""


@dataclass(frozen=True)
class Case:
    """What is measured, of whom: `contenders` opens them for rounds of so many seconds each."""

    figures: Mapping[str, Figure]
    contenders: Callable[[float], AbstractContextManager[Sequence[Contender]]]
    rounds: int = 3


def run(
    case: Case, seconds: float, rounds: int | None, told: Callable[[str], None]
) -> dict[str, Any]:
    """Measure every contender once a round, and return what is to be kept."""
    count = rounds or case.rounds
    load = os.getloadavg()[0]
    with case.contenders(seconds) as contenders:
        measured: list[list[Measured]] = [[] for _ in contenders]
        for number in range(1, count + 1):
            for contender, values in zip(contenders, measured, strict=True):
                values.append(contender.measure())
                told(f"{number}/{count} {contender.name}: {_line(values[-1])}")
    return {
        "measured": {
            "on": f"{datetime.now(UTC):%Y-%m-%d}",
            "python": platform.python_version(),
            "cores": os.cpu_count(),
            "load_before": round(load, 2),
            "rounds": count,
            "seconds": seconds,
        },
        "figures": {key: asdict(figure) for key, figure in case.figures.items()},
        "contenders": [
            {"name": each.name, "beside": each.beside, "figures": _spreads(values)}
            for each, values in zip(contenders, measured, strict=True)
        ],
    }


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that such a share of them does not exceed."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


def _spreads(values: Sequence[Measured]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for key in values[0]:
        rounds = [float(f"{each[key]:.4g}") for each in values]
        median = float(f"{statistics.median(rounds):.4g}")
        found[key] = {"median": median, "min": min(rounds), "max": max(rounds), "rounds": rounds}
    return found


def _line(measured: Measured) -> str:
    return ", ".join(f"{key} {value:,.4g}" for key, value in measured.items())
