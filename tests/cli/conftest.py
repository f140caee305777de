"""The command line in this process, against a platform in a process of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from live import live
from ran import Shop
from shell import Shell

from processes import Site


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One platform for all: tests tell their orders apart by their ids."""
    made = Site(tmp_path_factory.mktemp("commands") / "site")
    made.serve()
    yield made
    made.close()


@pytest.fixture
def shell(site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(site, tmp_path, capsys)


@pytest.fixture
def away(site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shell:
    """A shell whose endpoint is an address that nobody answers at."""
    return Shell(site, tmp_path, capsys, url="http://127.0.0.1:9")


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """A shop with a platform of its own, which can be made to go wrong."""
    with live(tmp_path) as platform:
        yield Shop(tmp_path, platform)
