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

Where = Path | str | Callable[[], Any]
"""A file, sqlite:///FILE, postgresql://…, or a function that connects to the shop's database."""


@dataclass(frozen=True, slots=True)
class Home:
    """A database for an outbox, and its name in messages; one that `is_ours` holds nothing else."""

    database: OutboxDatabase
    name: str
    is_ours: bool = False
    checkpointer: Checkpointer | None = None


def found(where: Where) -> Home:
    """Return the database at a place, to be opened; raises Invalid for what is no place."""
    if callable(where):
        return Home(Foreign(where), "the shop's database")
    text = str(where)
    if text.startswith(("postgresql://", "postgres://")):
        try:
            postgres = importlib.import_module("ordertrail.kit.postgres")
        except ModuleNotFoundError:
            advice = "needs pip install 'ordertrail[postgres]'"
            raise Invalid({"outbox": f"on PostgreSQL it {advice}"}) from None
        return Home(postgres.Postgres(text), "the outbox on PostgreSQL")
    if "://" in text and not text.startswith("sqlite:///"):
        raise Invalid({"outbox": "must be a file, sqlite:///FILE or postgresql://…"})
    database = Sqlite(Path(text.removeprefix("sqlite:///")), cache_kib=CACHE_KIB)
    return Home(database, str(database.path), is_ours=True, checkpointer=Checkpointer(database))
