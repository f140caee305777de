"""A process's hold on its outbox: opened when it is first needed, and let go around a fork.

A child process shares nothing of an open database with its parent: not the connections, whose
locks it does not hold, and not what the library remembers of them. So no connection is open at
the moment of a fork; parent and child open their own when they next need one.
"""

import os
import threading
import weakref
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from ordertrail.sync.outbox import Outbox
from ordertrail.sync.rim import InThread

T = TypeVar("T")
W = TypeVar("W")


class Keep:
    """An outbox for all threads of a process."""

    def __init__(self, made: Callable[[], Outbox]) -> None:
        self._made = made
        self._in_child: list[Callable[[], object]] = []
        self._gate = _Gate()
        self._outbox: Outbox | None = None
        self._is_open = False
        _FORKS.watch(self)

    def use(self, work: Callable[[Outbox], T], *, is_opening: bool = True) -> T:
        """Return what the work returns; a fork waits until it is done.

        What is done in a transaction of the shop's own does not wait for the outbox to open.
        """
        with self._gate.passing():
            return work(self._opened() if is_opening else self._there())

    def guarding(self, in_thread: InThread) -> InThread:
        """Return how to run work in a thread such that a fork waits until it is done."""

        def guarded(work: Callable[[], W]) -> Awaitable[W]:
            return in_thread(lambda: self.use(lambda _: work()))

        return guarded

    def when_forked(self, call: Callable[[], object]) -> None:
        """Have something called in a child process, before anything else there."""
        self._in_child.append(call)

    def close(self) -> None:
        """Close the outbox; the next use opens it again."""
        self._gate.shut()
        try:
            self._let_go()
        finally:
            self._gate.open()

    def before_fork(self) -> None:
        """Wait until nobody uses the outbox, and let go of it."""
        self._gate.shut()
        self._let_go()

    def after_fork(self) -> None:
        """Let it be used again, in the parent."""
        self._gate.open()

    def after_fork_in_child(self) -> None:
        """Begin anew: no thread of the parent is here, and whoever waited never comes."""
        self._gate = _Gate()
        self._outbox, self._is_open = None, False
        for call in self._in_child:
            call()

    def _opened(self) -> Outbox:
        """Return the outbox; it stays the same one when it is closed and opened again.

        Opening may wait for a transaction of the shop's, so nothing that such a transaction calls
        waits for it.
        """
        outbox = self._outbox
        if self._is_open and outbox is not None:
            return outbox
        outbox = self._there()
        with self._gate.opening:
            if not self._is_open:
                outbox.open()
                self._is_open = True
        return outbox

    def _there(self) -> Outbox:
        with self._gate.making:
            self._outbox = self._outbox or self._made()
            return self._outbox

    def _let_go(self) -> None:
        if self._outbox is not None:
            self._is_open = False
            self._outbox.close()


class _Gate:
    """Lets any number pass, or nobody while it is shut; inside, some things are done one by one."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self.making = threading.Lock()
        self.opening = threading.Lock()
        self._inside = 0
        self._is_shut = False

    @contextmanager
    def passing(self) -> Iterator[None]:
        with self._changed:
            self._changed.wait_for(lambda: not self._is_shut)
            self._inside += 1
        try:
            yield
        finally:
            with self._changed:
                self._inside -= 1
                if self._is_shut:
                    self._changed.notify_all()

    def shut(self) -> None:
        """Let nobody in any more, and return when nobody is inside."""
        with self._changed:
            self._changed.wait_for(lambda: not self._is_shut)
            self._is_shut = True
            self._changed.wait_for(lambda: not self._inside)

    def open(self) -> None:
        with self._changed:
            self._is_shut = False
            self._changed.notify_all()


class _Forks:
    """Asks to be told of forks once, when there is something to let go of."""

    def __init__(self) -> None:
        self._keeps: weakref.WeakSet[Keep] = weakref.WeakSet()
        self._forking: list[Keep] = []
        self._lock = threading.Lock()
        self._is_watching = False

    def watch(self, keep: Keep) -> None:
        with self._lock:
            self._keeps.add(keep)
            if not self._is_watching and hasattr(os, "register_at_fork"):
                os.register_at_fork(
                    before=self._before, after_in_parent=self._after, after_in_child=self._child
                )
                self._is_watching = True

    def _before(self) -> None:
        self._lock.acquire()
        self._forking = list(self._keeps)
        for keep in self._forking:
            keep.before_fork()

    def _after(self) -> None:
        for keep in self._forking:
            keep.after_fork()
        self._lock.release()

    def _child(self) -> None:
        for keep in self._forking:
            keep.after_fork_in_child()
        self._lock.release()


_FORKS = _Forks()
