"""A TCP proxy that is bad on purpose: it cuts, stalls, delays and flips bytes, all by a seed."""

import random
import socket
import threading
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Self

CHUNK = 4096
POLL_S = 0.05


@dataclass(frozen=True)
class Harm:
    """Chances of harm, each for one piece of data on its way."""

    cut_request: float = 0.0
    cut_answer: float = 0.0
    stall: float = 0.0
    delay: float = 0.0
    flip_request: float = 0.0
    flip_answer: float = 0.0
    delay_s_max: float = 0.05


class Proxy:
    """Listens on a port of its own and passes everything on, harmed; used as `with`."""

    def __init__(self, port: int, harm: Harm, seed: int = 0) -> None:
        self.harm = harm
        self.done: Counter[str] = Counter()
        self._target = ("127.0.0.1", port)
        self._chance = random.Random(seed)
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._listening.settimeout(POLL_S)
        self.port: int = self._listening.getsockname()[1]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join(5.0)
        self._listening.close()

    def _start(self, work: "object", *args: "object") -> None:
        thread = threading.Thread(target=work, args=args, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._ended.is_set():
            with suppress(TimeoutError):
                near, _ = self._listening.accept()
                try:
                    far = socket.create_connection(self._target, timeout=5.0)
                except OSError:
                    near.close()
                    continue
                self._start(self._pass_on, near, far, "request")
                self._start(self._pass_on, far, near, "answer")

    def _pass_on(self, source: socket.socket, sink: socket.socket, what: str) -> None:
        try:
            source.settimeout(POLL_S)
            while not self._ended.is_set():
                try:
                    data = source.recv(CHUNK)
                except TimeoutError:
                    continue
                if not data:
                    break
                harmed = self._harmed(data, what)
                if harmed is None:
                    break
                sink.sendall(harmed)
        except OSError:
            pass  # the other side is gone already, as is usual here
        finally:
            for end in (source, sink):
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
                end.close()

    def _harmed(self, data: bytes, what: str) -> bytes | None:
        """Return what to pass on; None cuts the connection, after part of it has gone."""
        harm = self.harm
        if self._happens("delay", harm.delay):
            self._ended.wait(self._chance.random() * harm.delay_s_max)
        if self._happens("stall", harm.stall):
            self._ended.wait(60.0)
            return None
        if self._happens(f"cut_{what}", getattr(harm, f"cut_{what}")):
            return None
        if self._happens(f"flip_{what}", getattr(harm, f"flip_{what}")):
            return self._flipped(data, what)
        return data

    def _flipped(self, data: bytes, what: str) -> bytes:
        """Return the data with one byte that is no text any more; of a request, in its body.

        A flip that leaves a request well-formed nobody could notice without a checksum.
        """
        start = data.find(b"\r\n\r\n") + 4 if what == "request" else 0
        if start >= len(data):
            return data
        place = self._chance.randrange(start, len(data))
        return data[:place] + bytes([data[place] ^ 0x80]) + data[place + 1 :]

    def _happens(self, what: str, chance: float) -> bool:
        with self._lock:
            if self._chance.random() >= chance:
                return False
            self.done[what] += 1
            return True
