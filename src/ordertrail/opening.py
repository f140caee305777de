"""The platform's database: the one that an address names, on this release's schema."""

import importlib
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Union

from ordertrail.actions import workspaces
from ordertrail.domain.errors import Invalid
from ordertrail.kit import clock
from ordertrail.kit.clock import Clock
from ordertrail.kit.sqlite import ServerLock, Sqlite
from ordertrail.settings import Settings, without_password
from ordertrail.store import migrations, partitions

if TYPE_CHECKING:
    from ordertrail.kit.postgres import Postgres

Place = Union[Sqlite, "Postgres"]
"""A database that the platform may live in."""

_POSTGRES = ("postgresql", "postgres")
_KNOWN = "use sqlite:///FILE or postgresql://USER@HOST/NAME"


def at(settings: Settings) -> Place:
    """Return the database that the settings name, not yet opened.

    Raises Invalid for what is neither SQLite nor PostgreSQL.
    """
    scheme, _, path = settings.database_url.partition("://")
    if scheme in _POSTGRES:
        return _postgres(settings)
    if scheme != "sqlite" or len(path) <= 1 or not path.startswith("/"):
        raise Invalid({"database-url": f"{scheme[:32]!r} is not supported: {_KNOWN}"})
    return Sqlite(Path(path[1:]).expanduser(), settings.read_limit_s)


def existing(settings: Settings) -> Place:
    """Return the database that the settings name; raises Invalid for a file that is not there."""
    database = at(settings)
    if isinstance(database, Sqlite) and not database.path.exists():
        where = f"there is none at {database.path}; `ordertrail serve` makes one"
        raise Invalid({"database": where})
    return database


def prepare(
    database: Place, uid: str, now: Clock = clock.utc_now, lock: ServerLock | None = None
) -> None:
    """Bring a database to this release's schema, and see that a workspace is there.

    The schema of a file is changed only under the server's lock: raises DatabaseRefused when
    another process serves a file that would have to be changed. On PostgreSQL those who come at
    the same time take turns.
    """
    if not isinstance(database, Sqlite):
        if migrations.pending(database):
            migrations.apply(database, now)
        partitions.make_ahead(database, database.dialect, now())
    elif not database.path.exists() or migrations.pending(database):
        _apply_alone(database, now, lock or ServerLock(database.path))
    if not database.read(workspaces.every):
        database.write(lambda tx: workspaces.ensure_default(tx, uid, now()))


def opened(
    settings: Settings, uid: str, now: Clock = clock.utc_now, lock: ServerLock | None = None
) -> Place:
    """Return the database that the settings name, prepared."""
    database = at(settings)
    try:
        prepare(database, uid, now, lock)
    except BaseException:
        database.close()
        raise
    return database


def named(settings: Settings) -> str:
    """Return the database as it can be shown: without the password of an address."""
    database = at(settings)
    if isinstance(database, Sqlite):
        return str(database.path)
    return without_password(settings.database_url)


def prepared_when_needed(database: "Postgres", uid: str, now: Clock = clock.utc_now) -> None:
    """Let a database that is away now be prepared by whoever needs it first, once it is there."""
    database.at_first = partial(prepare, database, uid, now)


def _postgres(settings: Settings) -> "Postgres":
    try:
        postgres = importlib.import_module("ordertrail.kit.postgres")
    except ModuleNotFoundError:
        advice = "PostgreSQL needs pip install 'ordertrail[postgres]'"
        raise Invalid({"database-url": advice}) from None
    found: Postgres = postgres.Postgres(settings.database_url, read_limit_s=settings.read_limit_s)
    return found


def _apply_alone(database: Sqlite, now: Clock, lock: ServerLock) -> None:
    was_held = lock.is_held
    lock.take()
    try:
        migrations.apply(database, now)
    finally:
        if not was_held:
            lock.release()
