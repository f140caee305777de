"""`ordertrail migrate`: the database on this release's schema."""

import typer

from ordertrail import app
from ordertrail.kit.sqlite import ServerLock, Sqlite
from ordertrail.settings import Settings
from ordertrail.store import migrations


def run(settings: Settings) -> None:
    """Run the migrations that are missing and say which they were."""
    path = app.database_file(settings.database_url)
    lock = ServerLock(path)
    lock.take()
    database = Sqlite(path)
    done = migrations.apply(database)
    database.close()
    lock.release()
    for migration in done:
        typer.echo(f"{migration.version:04} {migration.name.replace('_', ' ')}")
    typer.echo(f"{len(done)} migrations run" if done else "nothing to do")
