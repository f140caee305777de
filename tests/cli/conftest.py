"""The command line in this process, against a platform behind a real socket."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from ran import Shop

from live import live


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """A shop with a platform of its own, which can be made to go wrong."""
    with live(tmp_path) as platform:
        yield Shop(tmp_path, platform)
