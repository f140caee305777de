"""`ordertrail migrate`: the database on this release's schema."""

import contextlib

import typer

from ordertrail import opening
from ordertrail.domain.errors import Invalid
from ordertrail.kit.sqlite import ServerLock, Sqlite
from ordertrail.opening import Place
from ordertrail.settings import Settings
from ordertrail.store import migrations, sharding


def run(settings: Settings, *, distribute: bool = False) -> None:
    """Run the migrations that are missing and say which they were; then spread the tables, if told.

    Raises Invalid, before anything is changed, where tables cannot be spread.
    """
    database = opening.at(settings)
    with contextlib.closing(database):
        if distribute:
            _see_that_it_spreads(database)
        lock = ServerLock(database.path) if isinstance(database, Sqlite) else None
        if lock is not None:
            lock.take()
        done = migrations.apply(database)
        said = database.write(sharding.distribute) if distribute else []
    if lock is not None:
        lock.release()
    for migration in done:
        typer.echo(f"{migration.version:04} {migration.name.replace('_', ' ')}")
    for statement in said:
        typer.echo(statement)
    typer.echo(f"{len(done)} migrations run" if done else "nothing to do")


def _see_that_it_spreads(database: Place) -> None:
    if isinstance(database, Sqlite):
        raise Invalid({"distribute": "only PostgreSQL with Citus spreads, not SQLite"})
    database.read(sharding.see_that_it_is_there)
