"""A server may have as many files open as the system lets it."""

import resource
from collections.abc import Iterator

import pytest

from ordertrail.commands.serve import FILES_MAX, open_files_max


@pytest.fixture
def limits() -> Iterator[tuple[int, int]]:
    """The limits of this process, which are put back."""
    found = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield found
    resource.setrlimit(resource.RLIMIT_NOFILE, found)


def test_the_limit_of_open_files_is_raised(limits: tuple[int, int]) -> None:
    _, hard = limits
    resource.setrlimit(resource.RLIMIT_NOFILE, (512, hard))
    most = open_files_max()
    assert most == (FILES_MAX if hard == resource.RLIM_INFINITY else min(hard, FILES_MAX))
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == (most, hard)
