"""The page of the manual that shows the kept results: `docs/benchmarks.md`."""

import ast
import json
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "bench" / "results" / "kept"
PAGE = ROOT / "docs" / "benchmarks.md"
CASES = (
    *("deals", "batch", "read", "pages", "processes", "growth", "backfill", "soak", "idle"),
    *("outbox", "delivery", "tracker", "steps", "rows"),
)
"""In the order of the page."""

HEAD = """\
# Benchmarks

`make bench` measures all of this again, `make bench ONLY=deals` one case; the results lie in
`bench/results/kept/`, and this page is written from them. The contenders of a case take turns,
round after round, on one machine. The peers are in `bench/peers/`, in the versions of
`bench/peers/peers.lock`. PostgreSQL is Debian's, with every commit flushed, and the same for all.
Machines are shared and noisy: compare the lines of one table, not of two. A spread is the lowest
and the highest of the rounds. A ratio is the contender's figure to ours in the same round, and of
the rounds' ratios the median.
"""


def page() -> str:
    """Return the page as it should be."""
    return "\n".join((HEAD, *(_section(name, found) for name, found in results().items())))


def results() -> dict[str, dict[str, Any]]:
    """Return what is kept, by case."""
    paths = {name: RESULTS / f"{name}.json" for name in CASES}
    return {name: json.loads(path.read_text()) for name, path in paths.items() if path.exists()}


def _section(name: str, found: Mapping[str, Any]) -> str:
    about = ast.get_docstring(ast.parse((ROOT / "bench" / f"{name}.py").read_text()))
    how = found["measured"]
    rounds = "one round" if how["rounds"] == 1 else f"{how['rounds']} rounds"
    return (
        f"## {name}\n\n{about}\n\n"
        f"Measured on {how['on']}: Python {how['python']}, {how['cores']} cores, load"
        f" {how['load_before']:.1f} before, {rounds} of {how['seconds']:g} s.\n\n"
        + "\n".join(table(found))
        + "\n"
    )


def table(found: Mapping[str, Any]) -> list[str]:
    """Return the table of a case as lines of Markdown."""
    rows = [["measured", "contender", "median", "spread", "ratio to ours", "goal"]]
    for key, figure in found["figures"].items():
        label = f"{figure['label']}, {figure['unit']}"
        for each in found["contenders"]:
            if key in each["figures"]:
                rows.append([label, *_row(key, figure, each, found["contenders"])])
                label = ""
    said = [f"| {' | '.join(row)} |" for row in rows]
    return [said[0], "|---|---|--:|--:|--:|---|", *said[1:]]


def _row(
    key: str,
    figure: Mapping[str, Any],
    each: Mapping[str, Any],
    contenders: Sequence[Mapping[str, Any]],
) -> list[str]:
    mine = each["figures"][key]
    spread = f"{_number(mine['min'])} to {_number(mine['max'])}"
    return [
        each["name"],
        _number(mine["median"]),
        "" if mine["min"] == mine["max"] else spread,
        _ratio(key, mine["rounds"], each["beside"], contenders),
        "" if each["beside"] else _goal(figure),
    ]


def _ratio(
    key: str, rounds: Sequence[float], beside: str, contenders: Sequence[Mapping[str, Any]]
) -> str:
    """The median of what the contender was to ours in each round, when they shared the machine."""
    for each in contenders:
        if each["name"] == beside and key in each["figures"]:
            ours = each["figures"][key]["rounds"]
            ratios = [mine / our for mine, our in zip(rounds, ours, strict=True) if our]
            return _number(statistics.median(ratios)) if ratios else ""
    return ""


def _goal(figure: Mapping[str, Any]) -> str:
    for key in ("at_least", "at_most"):
        if figure[key] is not None:
            return f"{key.replace('_', ' ')} {_number(figure[key])}"
    return ""


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
