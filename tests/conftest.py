"""What most tests begin with: a fresh platform on a real database file, and a key to it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

import served
from postgres_server import postgres

__all__ = ["postgres"]

# How fast examples are made depends on the machine, and in a fresh clone on tables not made yet.
settings.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("again", settings.get_profile("suite"), max_examples=20)
settings.load_profile("again" if served.ON_POSTGRES else "suite")


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[served.Served]:
    with served.serve(tmp_path) as running:
        yield running


@pytest.fixture
def token(platform: served.Served) -> str:
    return platform.new_token()
