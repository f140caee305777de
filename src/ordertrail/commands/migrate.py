"""`ordertrail migrate`: the database on this release's schema."""

import contextlib

import typer

from ordertrail import opening
from ordertrail.kit.sqlite import ServerLock, Sqlite
from ordertrail.settings import Settings
from ordertrail.store import migrations


def run(settings: Settings) -> None:
    """Run the migrations that are missing and say which they were."""
    database = opening.at(settings)
    lock = ServerLock(database.path) if isinstance(database, Sqlite) else None
    if lock is not None:
        lock.take()
    with contextlib.closing(database):
        done = migrations.apply(database)
    if lock is not None:
        lock.release()
    for migration in done:
        typer.echo(f"{migration.version:04} {migration.name.replace('_', ' ')}")
    typer.echo(f"{len(done)} migrations run" if done else "nothing to do")
