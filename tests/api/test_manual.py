"""The page that lists the addresses lists those that there are."""

import re
from pathlib import Path

from ordertrail.api.routes import ROUTES

PAGE = Path(__file__).parents[2] / "docs" / "api.md"


def test_the_manual_lists_every_address_and_no_other() -> None:
    listed = re.findall(r"^\| (\w+) \| `([^`]+)` \|", PAGE.read_text(), re.MULTILINE)
    assert listed == [(method, path) for method, path, _ in ROUTES]
