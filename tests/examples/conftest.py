"""A platform for each shop, in a process of its own."""

from collections.abc import Iterator

import pytest
import served_platform
from served_platform import Platform


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with served_platform.serving(tmp_path_factory.mktemp("platform")) as running:
        yield running
