"""`ordertrail work`: background work alone, until it is told to stop."""

import logging
import secrets
import signal
import sys
from collections.abc import Sequence

import typer

from ordertrail import app, opening
from ordertrail.automation.background import Piece
from ordertrail.commands import logs
from ordertrail.domain.errors import Invalid
from ordertrail.kit.database import DatabaseAway
from ordertrail.kit.sqlite import Sqlite
from ordertrail.settings import Settings

_log = logging.getLogger("ordertrail.work")


def run(settings: Settings, more: Sequence[Piece] = ()) -> None:
    """Do the work, and more, until SIGTERM or Ctrl-C, and then finish the piece in hand.

    Raises Invalid for SQLite, which one process has to itself.
    """
    logs.to_standard_error()
    database = opening.at(settings)
    if isinstance(database, Sqlite):
        advice = "`ordertrail serve` does the work of a SQLite file; only PostgreSQL is shared"
        raise Invalid({"database": advice})
    working = app.background(settings, database, more=more)

    def stop(*_: object) -> None:
        working.tell_to_stop()

    for told in (signal.SIGTERM, signal.SIGINT):
        signal.signal(told, stop)
    try:
        opening.prepare(database, secrets.token_hex(16))
    except DatabaseAway as error:
        _log.warning("%s. Until then nothing is done.", error)
        opening.prepared_when_needed(database, secrets.token_hex(16))
    typer.echo("Ordertrail does background work")
    sys.stdout.flush()
    working.run()
    database.close()
