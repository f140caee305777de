"""What runs for long tells what happens to it, and not how its driver tidied up."""

import logging

import pytest

from ordertrail.commands import logs


@pytest.mark.parametrize(
    ("said", "is_told"),
    [
        ("error ignored terminating %r: %s", False),
        ("error ignored exiting %r: %s", True),
        ("error ignored in rollback on %s: %s", True),
    ],
)
def test_of_the_driver_only_the_end_of_what_was_lost_is_left_out(said: str, is_told: bool) -> None:
    record = logging.LogRecord("psycopg", logging.WARNING, "", 0, said, ("it", "lost"), None)
    assert logs.is_news(record) is is_told
