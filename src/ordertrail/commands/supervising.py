"""Several processes that do the same: started, started again when one dies, stopped together."""

import contextlib
import logging
import os
import signal
import threading
import time
from collections.abc import Callable

PAUSE_FIRST_S = 0.5
PAUSE_MAX_S = 30.0
STEADY_S = 60.0
"""A process that lived for so long is started again as if it were the first time."""

_HEEDED = (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD)

_log = logging.getLogger("ordertrail.processes")


def hold_signals() -> None:
    """Keep what this process is told from now on until a supervisor heeds it."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _HEEDED)


def pause_after(lived_s: float, last_pause_s: float) -> float:
    """Return how long to wait before a process is started again: longer from time to time."""
    if lived_s >= STEADY_S:
        return PAUSE_FIRST_S
    return min(max(2 * last_pause_s, PAUSE_FIRST_S), PAUSE_MAX_S)


class Supervisor:
    """Runs `work` in so many processes, each given its number, until told to stop.

    Make and run it before threads are started and connections are opened: processes are forked.
    One whose parent is gone stops as if it were told to.
    """

    def __init__(self, work: Callable[[int], None], count: int, stop_max_s: float) -> None:
        self._work = work
        self._stop_max_s = stop_max_s
        self._due_at = dict.fromkeys(range(count), 0.0)
        self._pauses_s = dict.fromkeys(range(count), 0.0)
        self._running: dict[int, tuple[int, float]] = {}
        self._parent_lives, self._closed_with_parent = os.pipe()

    def run(self) -> None:
        """Return when SIGTERM or Ctrl-C came and all processes have ended, or were ended."""
        hold_signals()
        told = 0
        while told not in (signal.SIGTERM, signal.SIGINT):
            self._start_due()
            told = self._wait(min(self._due_at.values(), default=time.monotonic() + PAUSE_MAX_S))
            for number, how, lived_s in self._ended():
                pause_s = pause_after(lived_s, self._pauses_s[number])
                self._pauses_s[number] = pause_s
                self._due_at[number] = time.monotonic() + pause_s
                _log.error(
                    "process %d of the server ended (%s); it is started again in %g s",
                    number, how, pause_s,
                )  # fmt: skip
        self._stop()

    def _start_due(self) -> None:
        now = time.monotonic()
        for number in [each for each, at in self._due_at.items() if at <= now]:
            del self._due_at[number]
            pid = os.fork()
            if not pid:
                self._be(number)
            self._running[pid] = number, now

    def _be(self, number: int) -> None:
        """Do the work in this process, and end it."""
        code = 1
        try:
            os.close(self._closed_with_parent)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _HEEDED)
            threading.Thread(target=self._follow_parent, daemon=True).start()
            self._work(number)
            code = 0
        except BaseException as error:
            _log.critical("process %d of the server failed", number, exc_info=error)
        finally:
            os._exit(code)

    def _follow_parent(self) -> None:
        os.read(self._parent_lives, 1)
        os.kill(os.getpid(), signal.SIGTERM)

    def _wait(self, until: float) -> int:
        """Wait for a signal, and return which it was; 0 when none came in time."""
        found = signal.sigtimedwait(_HEEDED, max(0.0, until - time.monotonic()))
        return found.si_signo if found else 0

    def _ended(self) -> list[tuple[int, str, float]]:
        """Return the number of each process that ended, how, and how long it had lived."""
        found = []
        for pid, (number, started) in list(self._running.items()):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                del self._running[pid]
                code = os.waitstatus_to_exitcode(status)
                how = f"exit code {code}" if code >= 0 else signal.Signals(-code).name
                found.append((number, how, time.monotonic() - started))
        return found

    def _stop(self) -> None:
        self._tell(signal.SIGTERM)
        until = time.monotonic() + self._stop_max_s
        while self._running and time.monotonic() < until:
            self._wait(until)
            self._ended()
        self._tell(signal.SIGKILL)
        for pid in self._running:
            os.waitpid(pid, 0)

    def _tell(self, told: signal.Signals) -> None:
        for pid in self._running:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, told)
