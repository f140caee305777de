"""Where an outbox may live: a file of its own, PostgreSQL, or the shop's own database."""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ordertrail.domain.errors import Invalid
from ordertrail.kit.checkpoint import Checkpointer
from ordertrail.kit.foreign import Foreign
from ordertrail.kit.sqlite import Sqlite
from ordertrail.sync.outbox_sql import OutboxDatabase

CACHE_KIB = 16_384
_POSTGRESQL = ("postgresql://", "postgres://")
_SQLITE = "sqlite:///"

Where = Path | str | Callable[[], Any]
"""A file, sqlite:///FILE, postgresql://…, or a function that connects to the shop's database."""


@dataclass(frozen=True, slots=True)
class Home:
    """A database for an outbox, and its name in messages; one that `is_ours` holds nothing else."""

    database: OutboxDatabase
    name: str
    is_ours: bool = False
    checkpointer: Checkpointer | None = None


def file_of(where: Where) -> Path | None:
    """Return the file that an outbox is; None where it lives in a database with other things.

    Raises Invalid for what is no place.
    """
    if callable(where):
        return None
    text = str(where)
    if text.startswith(_POSTGRESQL):
        return None
    if "://" in text and not text.startswith(_SQLITE):
        raise Invalid({"outbox": "must be a file, sqlite:///FILE or postgresql://…"})
    return Path(text.removeprefix(_SQLITE))


def found(where: Where) -> Home:
    """Return the database at a place, to be opened; raises Invalid for what is no place."""
    if callable(where):
        return Home(Foreign(where), "the shop's database")
    path = file_of(where)
    if path is None:
        try:
            postgres = importlib.import_module("ordertrail.kit.postgres")
        except ModuleNotFoundError:
            advice = "needs pip install 'ordertrail[postgres]'"
            raise Invalid({"outbox": f"on PostgreSQL it {advice}"}) from None
        return Home(postgres.Postgres(str(where)), "the outbox on PostgreSQL")
    database = Sqlite(path, cache_kib=CACHE_KIB)
    return Home(database, str(database.path), is_ours=True, checkpointer=Checkpointer(database))
