"""Wires the server: one database, one committer, readers, the API and the console."""

import contextlib
import sys
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from ordertrail.actions import workspaces
from ordertrail.api import docs
from ordertrail.api.call import Limits, Platform
from ordertrail.api.health import Readiness, alive
from ordertrail.api.metrics import Measured, Metrics
from ordertrail.api.routes import Api
from ordertrail.api.trace import NOWHERE, Trace, Traces
from ordertrail.automation.background import Background, Piece
from ordertrail.automation.upkeep import Upkeep
from ordertrail.console.desk import Desk
from ordertrail.console.routes import routes
from ordertrail.kit import clock, processes
from ordertrail.kit.checkpoint import Checkpointer
from ordertrail.kit.clock import Clock
from ordertrail.kit.committer import Committer
from ordertrail.kit.readers import Readers
from ordertrail.kit.sqlite import ServerLock, Sqlite
from ordertrail.opening import Place
from ordertrail.settings import Settings
from ordertrail.store import writers
from ordertrail.store.partitions import Kept
from ordertrail.version import VERSION

_DESCRIBED = (docs.PREFIX, docs.DOCUMENT)

SWITCH_INTERVAL_S = 0.0005
"""How long a thread keeps the interpreter while another waits: the committer waits on each step."""

SHARED_READERS = 4
"""How many reads PostgreSQL is asked at a time: each waits for the way there and back."""


@dataclass(frozen=True, slots=True)
class Running:
    """The parts of a server, from first connection to last.

    Keys and pages are read by threads of their own: a slow page holds no call up.
    """

    database: Place
    committer: Committer
    readers: Readers
    key_readers: Readers
    page_readers: Readers
    checkpointer: Checkpointer | None
    background: Background | None
    lock: ServerLock | None

    def start(self) -> None:
        """Take the lock and start the threads."""
        if self.lock is not None:
            self.lock.take()
        sys.setswitchinterval(SWITCH_INTERVAL_S)
        self.committer.start()
        for readers in (self.readers, self.key_readers, self.page_readers):
            readers.start()
        if self.checkpointer is not None:
            self.checkpointer.start()
        if self.background is not None:
            self.background.start()

    def stop(self) -> None:
        """Finish what was accepted, then let go of everything."""
        if self.background is not None:
            self.background.stop()
        self.committer.close()
        for readers in (self.readers, self.key_readers, self.page_readers):
            readers.close()
        if self.checkpointer is not None:
            self.checkpointer.stop()
        self.database.close()
        if self.lock is not None:
            self.lock.release()


def parts(
    settings: Settings,
    database: Place,
    now: Clock = clock.utc_now,
    lock: ServerLock | None = None,
) -> Running:
    """Return the parts of a server on an open database, not yet started.

    A file is served by one process, which looks rows up by itself and keeps the file's log small;
    PostgreSQL is shared, and answers more reads at a time.
    """
    file = database if isinstance(database, Sqlite) else None
    return Running(
        database=database,
        committer=Committer(
            database,
            clock=now,
            waiting_max=settings.waiting_max,
            claims=None if file else writers,
        ),
        readers=Readers(database, threads=2 if file else SHARED_READERS, near=file),
        key_readers=Readers(database, threads=1),
        page_readers=Readers(database),
        checkpointer=Checkpointer(file) if file else None,
        background=background(settings, database, now) if settings.background else None,
        lock=(lock or ServerLock(file.path)) if file else None,
    )


def background(
    settings: Settings, database: Place, now: Clock = clock.utc_now, more: Sequence[Piece] = ()
) -> Background:
    """Return what does an installation's background work, and more, not yet started."""
    kept = Kept(settings.request_log_days_max, settings.journal_days_max)
    upkeep = Upkeep(database.dialect, kept, settings.request_log_rows_max, now)
    return Background(database, [*upkeep.pieces(), *more], processes.name())


class App:
    """The ASGI application: the API under `/api/`, the console and the rest beside it."""

    def __init__(self, api: Api, web: Starlette, traces: Traces) -> None:
        self._api = api
        self._web = web
        self.traces = traces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request to the face that it is for, and tell what became of it."""
        if scope["type"] != "http":
            await self._web(scope, receive, send)
            return
        started = time.perf_counter()
        trace = scope["trace"] = self.traces.begin(scope["headers"])
        try:
            if scope["path"].startswith("/api/") and not scope["path"].startswith(_DESCRIBED):
                await self._api(scope, receive, send)
            else:
                await self._web(scope, receive, _tracing(send, trace))
                trace.route = getattr(scope.get("route"), "path", NOWHERE)
        finally:
            self.traces.finish(scope["method"], trace, time.perf_counter() - started)


def _tracing(send: Send, trace: Trace) -> Send:
    """Return a `send` that puts the request's id into the answer, and keeps its status."""

    async def traced(message: Message) -> None:
        if message["type"] == "http.response.start":
            trace.status = message["status"]
            told = (b"x-request-id", trace.request_id.encode())
            message = {**message, "headers": [*message["headers"], told]}
        await send(message)

    return traced


def create_app(settings: Settings, running: Running, now: Clock = clock.utc_now) -> App:
    """Return the ASGI application; it starts and stops the parts with itself."""
    platform = Platform(
        committer=running.committer,
        readers=running.readers,
        key_readers=running.key_readers,
        clock=now,
        version=VERSION,
        limits=Limits(body_bytes_max=settings.body_bytes_max),
        logs_requests=settings.request_log,
    )

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        running.start()
        yield
        running.stop()

    desk = Desk(running.committer, running.page_readers, now, workspaces.DEFAULT_ID, VERSION)
    traces = Traces(is_logged=settings.access_log)
    readers = {
        "api": running.readers,
        "keys": running.key_readers,
        "pages": running.page_readers,
    }
    measured = Measured(VERSION, traces, running.committer, readers)
    pages = [
        Route("/healthz", alive),
        Route("/readyz", Readiness(running.readers, running.committer).answer),
        Route("/metrics", Metrics(measured, is_open=settings.metrics_open).answer),
        *docs.routes(VERSION),
        *routes(desk),
    ]
    web = Starlette(routes=pages, lifespan=lifespan)
    return App(Api(platform), web, traces)
