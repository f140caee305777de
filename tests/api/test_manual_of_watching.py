"""The manual of watching a server names the figures and limits that there are."""

import re
from pathlib import Path

import house
from house_source import Module
from ordertrail.api.connection import GOODBYE_S, HEADERS_MAX
from ordertrail.api.trace import REQUEST_ID_LENGTH_MAX
from ordertrail.commands.serve import FILES_RESERVED, SHUTDOWN_MAX_S
from served import Served

ROOT = Path(__file__).parents[2]
MANUAL = (ROOT / "docs" / "watching.md").read_text("utf-8")


def test_it_lists_every_figure_and_no_other(platform: Served, token: str) -> None:
    platform.call(token, "GET", "/api/public/stages/")
    said = platform.caller.call("GET", "/metrics").text
    kinds = dict(re.findall(r"^# TYPE (ordertrail_\w+) (\w+)$", said, re.MULTILINE))
    assert kinds.keys() == set(re.findall(r"^\| `(ordertrail_\w+)`", MANUAL, re.MULTILINE))


def test_the_limits_and_settings_that_it_names_are_there() -> None:
    source = (ROOT / "src" / "ordertrail" / "settings.py").read_text("utf-8")
    known = set(house.environment_names(Module("settings.py", source)))
    assert set(re.findall(r"ORDERTRAIL_\w+", MANUAL)) <= known
    for words in (
        f"and {HEADERS_MAX} lines",
        f"up to {REQUEST_ID_LENGTH_MAX} printable",
        f"less {FILES_RESERVED} ",
        f"within {SHUTDOWN_MAX_S} seconds",
        f"{GOODBYE_S:g} seconds left",
    ):
        assert words in MANUAL
