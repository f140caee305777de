"""What most tests begin with: a fresh platform on a real database file, and a key to it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import served


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[served.Served]:
    with served.serve(tmp_path) as running:
        yield running


@pytest.fixture
def token(platform: served.Served) -> str:
    return platform.new_token()
