"""Passes on what a client and PostgreSQL say, and cuts the client off at a COMMIT when told to."""

import contextlib
import enum
import socket
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

COMMIT = b"COMMIT\0"
DONE = b"COMMIT\0Z"
"""What the server says of a commit that was done."""

BEGIN = b"BEGIN "
READ = b"READ ONLY"
PIECE = 65_536


class Cut(enum.Enum):
    """What the server gets to hear of a COMMIT whose client is cut off."""

    NOTHING = "nothing"
    ALL = "all"
    LATER = "later"
    ANSWERED = "answered"
    """All, and the client hears that it was done before it is cut off."""


class Relay:
    """Listens on a port of its own; used as `with`."""

    def __init__(self, port: int) -> None:
        self._target = ("127.0.0.1", port)
        self._next: list[Cut] = []
        self._reads = False
        self._changing = threading.Lock()
        self._later: Callable[[], None] = lambda: None
        self._ends_when_done = False
        self.cuts = 0
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]

    def through(self, url: str) -> str:
        """Return the address of a database by way of this relay."""
        return url.replace(f":{self._target[1]}/", f":{self.port}/")

    def cut(self, *how: Cut, later: Callable[[], None] = lambda: None, reads: bool = False) -> None:
        """Cut the next commits of writes, or of reads, one for each `how`.

        With LATER the server hears of it when `later` has returned.
        """
        with self._changing:
            self._next += how
            self._later = later
            self._reads = reads

    def __enter__(self) -> Self:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with contextlib.suppress(OSError):  # wakes up who listens
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                server = socket.create_connection(self._target)
                for each in (client, server):
                    each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                for work in (self._ask, self._answer):
                    threading.Thread(target=work, args=[client, server], daemon=True).start()

    def _ask(self, client: socket.socket, server: socket.socket) -> None:
        is_read = False
        with contextlib.suppress(OSError):
            while said := client.recv(PIECE):
                if BEGIN in said:
                    is_read = READ in said
                how = self._due(is_read) if COMMIT in said else None
                if how is not None:
                    self._cut(how, said, client, server)
                    return
                server.sendall(said)
        server.close()

    def _due(self, is_read: bool) -> Cut | None:
        with self._changing:
            if not self._next or is_read is not self._reads:
                return None
            self.cuts += 1
            return self._next.pop(0)

    def _cut(self, how: Cut, said: bytes, client: socket.socket, server: socket.socket) -> None:
        if how is Cut.ANSWERED:
            self._ends_when_done = True
            server.sendall(said)
            return
        client.shutdown(socket.SHUT_RDWR)
        if how is Cut.LATER:
            self._later()
        if how is not Cut.NOTHING:
            server.sendall(said)
        server.shutdown(socket.SHUT_WR)

    def _answer(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while said := server.recv(PIECE):
                with contextlib.suppress(OSError):
                    client.sendall(said)
                if self._ends_when_done and DONE in said:
                    self._ends_when_done = False
                    client.shutdown(socket.SHUT_RDWR)
        client.close()
        server.close()
