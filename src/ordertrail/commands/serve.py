"""`ordertrail serve`: the platform on one address, until it is told to stop."""

import logging
import secrets
import signal
import socket
import sys

import typer
import uvicorn

from ordertrail import app
from ordertrail.actions import people, workspaces
from ordertrail.domain.errors import Invalid
from ordertrail.kit import clock
from ordertrail.kit.sqlite import ServerLock, Sqlite
from ordertrail.settings import Settings

SHUTDOWN_MAX_S = 15
BACKLOG = 2048
PORT_MAX = 65_535


def run(settings: Settings, host: str, port: int, workers: int) -> None:
    """Serve until SIGTERM or Ctrl-C; what was accepted by then is finished."""
    if workers != 1:
        raise Invalid({"workers": "SQLite carries one server process"})
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
    )
    listening = listen(host, port)
    lock = ServerLock(app.database_file(settings.database_url))
    lock.take()
    database = app.open_database(settings, secrets.token_hex(16), lock=lock)
    running = app.parts(settings, database, lock=lock)
    address = url_of(listening)
    lock.tell(address)
    typer.echo(f"Ordertrail serves at {address}")
    if _can_sign_in(database):
        typer.echo(f"The console is at {address}/console/")
    else:
        typer.echo(f"Open the console, this link works once: {new_link(database, address)}")
    sys.stdout.flush()
    config = uvicorn.Config(
        app.create_app(settings, running),
        loop="uvloop",
        http="httptools",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=SHUTDOWN_MAX_S,
    )
    for stop in (signal.SIGTERM, signal.SIGINT):
        # uvicorn raises the signal again once it has shut down; by then all is well
        signal.signal(stop, lambda *_: None)
    uvicorn.Server(config).run(sockets=[listening])


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket, or raise Invalid saying why there can be none."""
    if not 0 <= port <= PORT_MAX:
        raise Invalid({"port": f"must be from 0 to {PORT_MAX}"})
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(BACKLOG)
    except OSError as error:
        listening.close()
        raise Invalid({"port": f"cannot listen on {host}:{port}: {error.strerror}"}) from None
    listening.set_inheritable(True)
    return listening


def url_of(listening: socket.socket) -> str:
    """Return the address that a person types to reach a listening socket."""
    host, port = listening.getsockname()[:2]
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)  # noqa: S104
    return f"http://{shown}:{port}"


def new_link(database: Sqlite, address: str) -> str:
    """Return a link that signs the owner of the first workspace into the console, once."""
    code = secrets.token_urlsafe(24)
    now = clock.utc_now()
    database.write(lambda tx: people.invite_owner(tx, workspaces.DEFAULT_ID, code, now))
    return f"{address}/console/enter?code={code}"


def print_link(settings: Settings) -> None:
    """Print a link that signs the owner in, for the running server or else ORDERTRAIL_URL."""
    path = app.existing_database_file(settings.database_url)
    database = app.open_database(settings, secrets.token_hex(16))
    typer.echo(new_link(database, ServerLock(path).address() or settings.url.rstrip("/")))
    database.close()


def _can_sign_in(database: Sqlite) -> bool:
    owner = database.read(lambda reader: people.owner(reader, workspaces.DEFAULT_ID))
    return owner is not None and owner.password_hash is not None
