"""A real server on a free port, for tests that kill it: prints its address, then serves."""

import asyncio
import socket
import sys
from pathlib import Path

import uvicorn

from ordertrail import app, opening
from ordertrail.actions import keys
from ordertrail.kit import clock
from ordertrail.kit.sqlite import Sqlite
from ordertrail.settings import Settings


def keep_key(database: Sqlite, token: str) -> None:
    """Keep the key, unless an earlier run did."""
    if database.read(lambda reader: keys.find(reader, token)) is None:
        key = keys.new_key(1, "test", "both", clock.utc_now())
        database.write(lambda tx: keys.create(tx, key, token))


async def main(path: Path, token: str) -> None:
    settings = Settings(database_url=f"sqlite:///{path}")
    database = opening.opened(settings, "crash-test")
    keep_key(database, token)
    application = app.create_app(settings, app.parts(settings, database))
    listening = socket.create_server(("127.0.0.1", 0))
    print(listening.getsockname()[1], flush=True)
    config = uvicorn.Config(application, log_level="error", access_log=False)
    await uvicorn.Server(config).serve(sockets=[listening])


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
