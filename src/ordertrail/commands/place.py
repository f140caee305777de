"""The platform's database, open for as long as one command takes."""

import contextlib
import secrets
from collections.abc import Iterator

from ordertrail import opening
from ordertrail.opening import Place
from ordertrail.settings import Settings


@contextlib.contextmanager
def existing(settings: Settings) -> Iterator[Place]:
    """Give the database that the settings name, prepared; raises Invalid when there is none."""
    opening.existing(settings)
    with made(settings) as database:
        yield database


@contextlib.contextmanager
def made(settings: Settings) -> Iterator[Place]:
    """Give the database that the settings name, prepared; one that is not there is made."""
    database = opening.opened(settings, secrets.token_hex(16))
    try:
        yield database
    finally:
        database.close()
