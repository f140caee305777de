"""What the tests of keys begin with."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from door import Counted, Door

from served import HandClock, Served


@pytest.fixture
def door(platform: Served) -> Iterator[Door]:
    """A door of its own over the platform's database, on a clock that stands still."""
    readers = Counted(platform.database, threads=1)
    readers.start()
    clock = HandClock(datetime(2026, 3, 1, 12, 30, 40, tzinfo=UTC))
    yield Door(platform.database, readers, platform.running.committer, clock)
    readers.close()
