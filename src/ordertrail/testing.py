"""For the tests of a shop: the pytest fixture `ordertrail_tracker`.

pytest finds it by itself wherever Ordertrail is installed. It costs nothing where it is not used.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

import ordertrail

if TYPE_CHECKING:
    from ordertrail.sync.tracker import FakeTracker


@pytest.fixture
def ordertrail_tracker() -> "Iterator[FakeTracker]":
    """A tracker without a network, which is asked afterwards what would have been sent.

    Its settings are those of `Tracker.fake()`; a shop with others makes its own.
    """
    with ordertrail.Tracker.fake() as tracker:
        yield tracker
