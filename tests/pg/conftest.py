"""A cluster that a module may stop, start and fill as it likes."""

from collections.abc import Iterator

import pytest

import postgres_server
from postgres_server import Server


@pytest.fixture(scope="module")
def cluster() -> Iterator[Server]:
    if not postgres_server.BINARIES:
        pytest.skip(postgres_server.MISSING)
    with postgres_server.running() as server:
        yield server
