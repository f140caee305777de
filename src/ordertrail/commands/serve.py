"""`ordertrail serve`: the platform on one address, until it is told to stop."""

import gc
import logging
import resource
import secrets
import signal
import socket
import sys
from functools import partial

import typer
import uvicorn

from ordertrail import app, opening
from ordertrail.actions import people, workspaces
from ordertrail.api.connection import Connection, Patience
from ordertrail.commands import logs, place
from ordertrail.commands.listening import join, listen, reserve, url_of
from ordertrail.commands.supervising import Supervisor, hold_signals
from ordertrail.domain.errors import Invalid
from ordertrail.kit import clock
from ordertrail.kit.database import DatabaseAway
from ordertrail.kit.sqlite import ServerLock, Sqlite
from ordertrail.opening import Place
from ordertrail.settings import Settings

_log = logging.getLogger("ordertrail.serve")

SHUTDOWN_MAX_S = 15
SHUTDOWN_SPARE_S = 5
"""What several processes are given beyond their own limit before they are ended."""

FILES_RESERVED = 100
"""Files that connections leave to the database and to what else the process has open."""

FILES_MAX = 1_000_000
GARBAGE_MIN = 50_000
"""How many new objects are looked through for cycles at once: a batch of writes makes as many, and
next to none of them are in one."""


def run(settings: Settings, host: str, port: int, workers: int) -> None:
    """Serve until SIGTERM or Ctrl-C; what was accepted by then is finished.

    Raises Invalid for several processes on SQLite, and when nothing can listen there.
    """
    logs.to_standard_error()
    if workers < 1:
        raise Invalid({"workers": "must be 1 or more"})
    own = _own_doors(settings, host, workers)
    if workers > 1:
        _serve_by_several(settings, workers, reserve(host, port), own)
        return
    listening = listen(host, port)
    database, lock = _opened(settings, url_of(listening))
    _serve(settings, database, [listening, *own], lock, is_heard=True)


def _own_doors(settings: Settings, host: str, workers: int) -> list[socket.socket]:
    """Listen where each process is asked for figures of its own; nowhere if not set."""
    first = settings.metrics_port
    return [] if first is None else [listen(host, first + number) for number in range(workers)]


def _serve_by_several(
    settings: Settings, workers: int, at: socket.socket, own: list[socket.socket]
) -> None:
    """Serve by several processes, which share an address and PostgreSQL."""
    if isinstance(opening.at(settings), Sqlite):
        advice = "one process serves a SQLite file; say --database postgresql://… for more"
        raise Invalid({"workers": advice})
    hold_signals()
    database, _ = _opened(settings, url_of(at))
    _say_where(database, url_of(at))
    database.close()

    def work(number: int) -> None:
        database, _ = _opened(settings, url_of(at))
        _serve(settings, database, [join(at), *own[number : number + 1]])

    Supervisor(work, workers, SHUTDOWN_MAX_S + SHUTDOWN_SPARE_S).run()


def _serve(
    settings: Settings,
    database: Place,
    sockets: list[socket.socket],
    lock: ServerLock | None = None,
    *,
    is_heard: bool = False,
) -> None:
    """Serve in this process until it is told to stop; say where, if there is anybody to hear it."""
    running = app.parts(settings, database, lock=lock)
    config = configured(settings, app.create_app(settings, running), open_files_max())
    server = uvicorn.Server(config)

    def stop(*_: object) -> None:
        """Heed a signal that comes before uvicorn listens to it, and after it has shut down."""
        server.should_exit = True

    for told in (signal.SIGTERM, signal.SIGINT):
        signal.signal(told, stop)
    if is_heard:
        _say_where(database, url_of(sockets[0]))
    _spare_the_collector()
    server.run(sockets=sockets)


def _opened(settings: Settings, address: str) -> tuple[Place, ServerLock | None]:
    """Return the database, prepared, or waited for when PostgreSQL is away, and a file's lock."""
    database, uid = opening.at(settings), secrets.token_hex(16)
    if isinstance(database, Sqlite):
        lock = ServerLock(database.path)
        lock.take()
        opening.prepare(database, uid, lock=lock)
        lock.tell(address)
        return database, lock
    try:
        opening.prepare(database, uid)
    except DatabaseAway as error:
        _log.warning("%s. Until then callers are told to come back.", error)
        opening.prepared_when_needed(database, uid)
    except BaseException:
        database.close()
        raise
    return database, None


def _say_where(database: Place, address: str) -> None:
    typer.echo(f"Ordertrail serves at {address}")
    try:
        if _can_sign_in(database):
            typer.echo(f"The console is at {address}/console/")
        else:
            typer.echo(f"Open the console, this link works once: {new_link(database, address)}")
    except DatabaseAway:
        typer.echo(f"It waits for its database: {address}/readyz tells when it is there")
    sys.stdout.flush()


def _spare_the_collector() -> None:
    """Leave what was imported alone for good, and look through what is new less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_MIN)


def configured(settings: Settings, application: app.App, files_max: int) -> uvicorn.Config:
    """Return how uvicorn is to serve the application, given how many files may be open."""
    patience = Patience(
        headers_bytes_max=settings.headers_bytes_max,
        headers_wait_s=settings.headers_wait_s,
        body_wait_s=settings.body_wait_s,
        connections_max=max(1, files_max - FILES_RESERVED),
    )
    connection = partial(Connection, patience=patience, traces=application.traces)
    return uvicorn.Config(
        application,
        loop="uvloop",
        http=connection,  # type: ignore[arg-type]
        ws="none",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_keep_alive=settings.idle_wait_s,
        timeout_graceful_shutdown=SHUTDOWN_MAX_S,
    )


def open_files_max() -> int:
    """Raise the limit of open files as far as this process may, and return it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = FILES_MAX if hard == resource.RLIM_INFINITY else min(hard, FILES_MAX)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    return most


def new_link(database: Place, address: str) -> str:
    """Return a link that signs the owner of the first workspace into the console, once."""
    code = secrets.token_urlsafe(24)
    now = clock.utc_now()
    database.write(lambda tx: people.invite_owner(tx, workspaces.DEFAULT_ID, code, now))
    return f"{address}/console/enter?code={code}"


def print_link(settings: Settings) -> None:
    """Print a link that signs the owner in, for the running server or else ORDERTRAIL_URL."""
    with place.existing(settings) as database:
        served = ServerLock(database.path).address() if isinstance(database, Sqlite) else ""
        typer.echo(new_link(database, served or settings.url.rstrip("/")))


def _can_sign_in(database: Place) -> bool:
    owner = database.read(lambda reader: people.owner(reader, workspaces.DEFAULT_ID))
    return owner is not None and owner.password_hash is not None
