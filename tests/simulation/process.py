"""A simulated process: tasks that live and die together, on a machine that may stall or kill it."""

import asyncio
import contextvars
import random
from collections.abc import Callable, Coroutine
from typing import Any

from simulation.trace import Trace
from simulation.virtual_time import HOST, Loop, settle

THREAD_S_MAX = 0.02
ENDING_TURNS_MAX = 200


class Killed(BaseException):
    """The process is gone: nothing of it happens any more."""


class Process:
    """A process; after its death every statement and every call of it raises Killed."""

    def __init__(self, name: str, loop: Loop, trace: Trace, chance: random.Random) -> None:
        self.name = name
        self.died: asyncio.Future[None] = loop.create_future()
        self.loop = loop
        self.trace = trace
        self.chance = chance
        self._tasks: list[asyncio.Task[Any]] = []
        self._steps_to_live: int | None = None
        self._stalled_until = 0.0

    @property
    def is_alive(self) -> bool:
        return not self.died.done()

    def step(self, *what: Any) -> None:
        """Take one step, unless the process is dead, or dies of it."""
        if not self.is_alive:
            raise Killed(self.name)
        self.trace.step(self.name, *what)
        if self._steps_to_live is not None:
            self._steps_to_live -= 1
            if self._steps_to_live <= 0:
                self.kill()
                raise Killed(self.name)

    def kill_after(self, steps: int) -> None:
        """Let the process die at its so-many-th step from now."""
        self._steps_to_live = steps

    def spare(self) -> None:
        """Let the process live, whatever was planned for it."""
        self._steps_to_live = None
        self._stalled_until = 0.0

    def kill(self) -> None:
        """End the process here and now; its tasks are told, and can do nothing about it."""
        if not self.is_alive:
            return
        self.trace.step(self.name, "is killed")
        self.died.set_result(None)
        self._end_tasks()

    def stall(self, seconds: float) -> None:
        """Let nothing of it touch the disk or the network for so long."""
        self._stalled_until = max(self._stalled_until, self.loop.time() + seconds)

    def stalled_s(self) -> float:
        """Return for how long it is still stalled."""
        return max(self._stalled_until - self.loop.time(), 0.0)

    def run(self, loop: Loop, work: Callable[[], Any]) -> "asyncio.Future[Any]":
        """Run what was handed to a thread, a little later or after the stall."""
        future: asyncio.Future[Any] = loop.create_future()
        loop.call_later(
            self.stalled_s() + self.chance.random() * THREAD_S_MAX, settle, future, work
        )
        return future

    def start(self, work: Coroutine[Any, Any, Any]) -> "asyncio.Task[Any]":
        """Begin the work as this process."""
        context = contextvars.copy_context()
        context.run(HOST.set, self)
        return self.loop.create_task(work, context=context)

    def adopt(self, task: "asyncio.Task[Any]") -> None:
        """Remember a task as one of this process."""
        self._tasks = [each for each in self._tasks if not each.done()]
        self._tasks.append(task)

    async def gone(self) -> None:
        """Wait until nothing of the dead process runs any more."""
        for _ in range(ENDING_TURNS_MAX):
            running = [each for each in self._tasks if not each.done()]
            if not running:
                return
            self._end_tasks()
            await asyncio.wait(running, timeout=1.0)
        self.trace.require(False, f"{self.name} does not end when it is cancelled", running)

    def _end_tasks(self) -> None:
        for task in self._tasks:
            if not task.done():
                task.cancel()


def task_of_process(
    loop: asyncio.AbstractEventLoop, work: Any, context: contextvars.Context | None = None
) -> "asyncio.Task[Any]":
    """Make a task, and let the process that it belongs to know it."""
    host = (context.get(HOST) if context is not None else None) or HOST.get()
    task = asyncio.Task(work, loop=loop, context=context)
    if isinstance(host, Process):
        host.adopt(task)
    return task
