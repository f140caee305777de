"""A connection: what a caller may send before it is a request, and how long it may take.

Whoever sends too much, too slowly or no HTTP is told so as far as possible, and the connection
ends. A request whose body never came whole is not carried out, and costs no line in the log.
"""

import asyncio
from collections.abc import Callable, Mapping, Sized
from dataclasses import dataclass
from typing import Any

import httptools
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from ordertrail.api.trace import Traces
from ordertrail.wire import body

HEADERS_MAX = 200
LINGER_S = 5.0
"""How long a caller that is still sending is listened to, so that it gets to read its answer."""

UNREAD_BYTES_MAX = 1 << 20
"""How much of a body is still parsed when its answer is out, so that the connection goes on."""

GOODBYE_S = 5.0
"""How long a caller has to finish its body, or to take its answer, once the server shuts down."""


@dataclass(frozen=True, slots=True)
class Patience:
    """What a connection may hold, and for how long it may be waited for."""

    headers_bytes_max: int
    headers_wait_s: float
    body_wait_s: float
    connections_max: int


class Connection(HttpToolsProtocol):
    """One connection of a caller; `traces` counts what is refused before it is a request."""

    def __init__(self, *parts: Any, patience: Patience, traces: Traces, **named: Any) -> None:
        super().__init__(*parts, **named)
        self._patience = patience
        self._traces = traces
        self._is_in_head = False
        self._is_over = False
        self._room = patience.headers_bytes_max
        self._unread_left = UNREAD_BYTES_MAX
        self._wrong = (400, "This is no HTTP request.")
        self._late: asyncio.TimerHandle | None = None
        self._stalled: asyncio.TimerHandle | None = None

    # ---- the connection ----

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the first request, unless there are too many connections already."""
        super().connection_made(transport)
        self._traces.connections += 1
        self.flow = _Flow(transport, self.pipeline)
        if len(self.connections) > self._patience.connections_max:
            self._is_over = True
            transport.write(self._refusal(503, "Too many connections are open; try again."))
            transport.close()
        else:
            self._wait(self._patience.headers_wait_s)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing more."""
        super().connection_lost(exc)
        self._traces.connections -= 1
        self._unset_keepalive_if_required()
        for timer in (self._late, self._stalled):
            if timer is not None:
                timer.cancel()

    def shutdown(self) -> None:
        """End when what was asked is answered; a caller that lets us wait has a moment left."""
        super().shutdown()
        cycle = self.cycle
        if self.transport.get_write_buffer_size():
            self._stall(GOODBYE_S)
        elif cycle is not None and cycle.more_body and not self._is_over:
            self._wait(GOODBYE_S)

    def pause_writing(self) -> None:
        """Give a caller that does not take its answer a limited time."""
        super().pause_writing()
        self._stall(self._patience.body_wait_s)

    def resume_writing(self) -> None:
        """The caller took what was held back."""
        super().resume_writing()
        if self._stalled is not None:
            self._stalled.cancel()

    def timeout_keep_alive_handler(self) -> None:
        """End an idle connection."""
        self._end()

    # ---- what it says ----

    def data_received(self, data: bytes) -> None:
        """Take what came, no more of a head at a time than a head may have."""
        self._unset_keepalive_if_required()
        if self._is_over:
            return
        if len(data) <= self._room:
            self._feed(data)
        else:
            rest = memoryview(data)
            while rest and not self._is_over:
                size = self._room
                self._feed(rest[:size])
                rest = rest[size:]
        self._wait_for_what_lacks()

    def on_message_begin(self) -> None:
        """A head begins."""
        self._is_in_head = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Begin to answer, unless the head has too many lines."""
        self._is_in_head = False
        self._room = self._patience.headers_bytes_max
        if len(self.headers) > HEADERS_MAX:
            self._wrong = (431, f"A request may have at most {HEADERS_MAX} headers.")
            raise ValueError
        if self._late is not None:
            self._unset_late()
        super().on_headers_complete()
        # What is still to come are trailers. They are no headers, and are let go.
        self.headers = []
        self._unread_left = UNREAD_BYTES_MAX

    def on_response_complete(self) -> None:
        """Go on with the next request; who does not take the last answer has a limited time."""
        super().on_response_complete()
        if self.transport.is_closing():
            if self.transport.get_write_buffer_size():
                self._stall(self._patience.body_wait_s)
        elif self._is_in_head and self._late is None:
            self._wait(self._patience.headers_wait_s)

    def _wait_for_what_lacks(self) -> None:
        cycle = self.cycle
        if self._is_over:
            return
        if cycle is None or cycle.response_complete:
            if self._late is None:
                self._wait(self._patience.headers_wait_s)
        elif cycle.more_body:
            if self._late is None:
                self._wait(self._patience.body_wait_s)
                cycle.transport = _Patient(self.transport, self._linger)  # type: ignore[assignment]
        elif self._late is not None:
            self._unset_late()

    def _feed(self, data: bytes | memoryview) -> None:
        before = self.cycle
        is_in_body = before is not None and before.more_body and not before.response_complete
        had = len(before.body) if is_in_body else None
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            # The request is answered in HTTP/1.1; what follows it may be another protocol.
            self._is_over = True
            self.cycle.keep_alive = False
        except httptools.HttpParserError:
            self._refuse(*self._wrong)
        else:
            if self.cycle is before:
                self._weigh(len(data), had)

    def _weigh(self, size: int, had: int | None) -> None:
        """Count what came and completed no head; nor did it add to the body that `had` so much.

        That is a part of a head, or trailers: httptools keeps both until they end.
        """
        cycle = self.cycle
        if had is not None and (len(cycle.body) > had or not cycle.more_body):
            self._room = self._patience.headers_bytes_max
        elif had is not None or self._is_in_head:
            self._room -= size
            if self._room <= 0:
                most = self._patience.headers_bytes_max
                self._refuse(431, f"Request line and headers may have at most {most} bytes.")
        elif cycle is not None and cycle.response_complete:
            self._unread_left -= size
            if self._unread_left <= 0:
                self._linger()

    # ---- how it ends ----

    def _wait(self, wait_s: float) -> None:
        self._unset_late()
        self._late = self.loop.call_later(wait_s, self._give_up, wait_s)

    def _unset_late(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _stall(self, wait_s: float) -> None:
        if self._stalled is not None:
            self._stalled.cancel()
        self._stalled = self.loop.call_later(wait_s, self.transport.abort)

    def _give_up(self, wait_s: float) -> None:
        cycle = self.cycle
        if self.flow.read_paused:  # it is we who keep the caller waiting
            self._wait(wait_s)
        elif self._is_in_head:
            self._refuse(408, f"The headers did not come within {wait_s:g} s.")
        elif cycle is not None and not cycle.response_complete:
            self._refuse(408, f"The body did not come within {wait_s:g} s.")
        else:
            self._end()

    def _refuse(self, status: int, detail: str) -> None:
        """Read nothing more, and say why behind the answers that are owed, if any."""
        self._is_over = True
        cycle = self.cycle
        is_owed = cycle is not None and not cycle.response_complete
        if is_owed and not cycle.more_body:
            cycle.keep_alive = False
            return
        if is_owed:
            cycle.disconnected = True
            cycle.message_event.set()
            if self.pipeline or cycle.response_started:
                self._end()
                return
        if not self.transport.is_closing():
            self.transport.write(self._refusal(status, detail))
            self._linger()

    def _refusal(self, status: int, detail: str) -> bytes:
        scope: Mapping[str, Any] | None = self.scope  # none before the first request
        known = scope or {"headers": ()}
        trace = self._traces.begin(known["headers"])
        trace.status = status
        self._traces.finish(known.get("method", ""), trace, 0.0)
        said = body.encode({"detail": detail})
        headers = [
            *self.server_state.default_headers,
            (b"content-type", b"application/json"),
            (b"content-length", str(len(said)).encode()),
            (b"x-request-id", trace.request_id.encode()),
            (b"connection", b"close"),
        ]
        lines = b"".join(b"%s: %s\r\n" % header for header in headers)
        return STATUS_LINE[status] + lines + b"\r\n" + said

    def _linger(self) -> None:
        """Say that this was all, and listen to the rest: else it would undo what was said."""
        self._is_over = True
        self._unset_late()
        self.pipeline.clear()
        if not self.transport.is_closing():
            self.transport.write_eof()
            self._late = self.loop.call_later(LINGER_S, self.transport.abort)

    def _end(self) -> None:
        if self.transport.get_write_buffer_size():
            self.transport.abort()
        else:
            self.transport.close()


class _Flow(FlowControl):
    """Reads nothing more while requests wait for their turn: they are kept in memory."""

    def __init__(self, transport: asyncio.Transport, waiting: Sized) -> None:
        super().__init__(transport)
        self._waiting = waiting

    def resume_reading(self) -> None:
        """Read again, unless there is enough to do."""
        if not self._waiting:
            super().resume_reading()


class _Patient:
    """The transport of an answer whose request is not read to its end: closing it lingers."""

    def __init__(self, transport: asyncio.Transport, close: Callable[[], None]) -> None:
        self.write = transport.write
        self.is_closing = transport.is_closing
        self.close = close
