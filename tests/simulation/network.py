"""The network between the workers and the destination: it loses, delays, refuses and breaks."""

import asyncio
import random
from dataclasses import dataclass
from typing import Any

from simulation.endpoint import Endpoint, Reply
from simulation.faults import CALM, Faults
from simulation.process import Process
from simulation.virtual_time import Loop

QUICK_S = 0.05
TRAVEL_S_MAX = 5.0
VERY_SLOW = 0.3
TIMEOUT_S = 30.0
"""When the client gives up; what it sent has arrived by then, or never will."""


@dataclass(frozen=True)
class Request:
    """One request as it leaves a process."""

    method: str
    target: str
    key: str | None
    said: dict[str, Any]


class Network:
    """Carries requests to one endpoint. What is under way when its sender dies arrives."""

    def __init__(self, loop: Loop, endpoint: Endpoint, chance: random.Random) -> None:
        self.faults: Faults = CALM
        self.calls = self.writes = 0
        self.endpoint = endpoint
        self._loop = loop
        self._chance = chance
        self._away_until = 0.0
        self._locked_until = 0.0

    def go_away(self, seconds: float) -> None:
        """Refuse every connection for so long."""
        self._away_until = self._loop.time() + seconds

    def lock_out(self, seconds: float) -> None:
        """Take no token for so long."""
        self._locked_until = self._loop.time() + seconds

    def calm(self) -> None:
        """End everything that lasts."""
        self.faults = CALM
        self._away_until = self._locked_until = 0.0

    async def exchange(self, process: Process, request: Request) -> Reply:
        """Send the request and return the answer; raises what a socket raises."""
        process.step("sends", request.method, request.target)
        self.calls += 1
        self.writes += request.method != "GET"
        if self._loop.time() < self._away_until:
            await self._loop.pause(self._quick_s())
            raise ConnectionRefusedError("nobody listens")
        answer: asyncio.Future[Reply] = self._loop.create_future()
        self._loop.call_later(self._travel_s(), self._arrive, process, request, answer)
        self._loop.call_later(TIMEOUT_S, _give_up, answer)
        reply = await answer
        if stalled_s := process.stalled_s():
            await self._loop.pause(stalled_s)
        process.step("hears", reply.status)
        return reply

    def _arrive(self, process: Process, request: Request, answer: "asyncio.Future[Reply]") -> None:
        fault = self._fault(request)
        process_name = process.name
        if fault == "request_lost":
            return self._break(answer)
        if fault in _INSTEAD:
            return self._answer(answer, _INSTEAD[fault])
        reply = self.endpoint.take(request.method, request.target, request.key, request.said)
        process.trace.step("destination", process_name, request.target, reply.status, fault or "")
        if fault == "answer_lost":
            return self._break(answer)
        if fault == "fails_after":
            reply = Reply(500, {"detail": "failed afterwards"})
        return self._answer(answer, reply)

    def _fault(self, request: Request) -> str | None:
        if self._loop.time() < self._locked_until:
            return "locked_out"
        dice, faults = self._chance.random(), self.faults
        for name in ("request_lost", "answer_lost", "fails_before", "fails_after"):
            dice -= getattr(faults, name)
            if dice < 0:
                return name
        for name in ("away", "throttled"):
            dice -= getattr(faults, name)
            if dice < 0:
                return name
        return None

    def _break(self, answer: "asyncio.Future[Reply]") -> None:
        """Let the connection break, or the sender wait until it gives up."""
        if self._chance.random() < 0.5:
            self._loop.call_later(self._quick_s(), _fail, answer, ConnectionResetError("broken"))

    def _answer(self, answer: "asyncio.Future[Reply]", reply: Reply) -> None:
        is_slow = self._chance.random() < self.faults.slow
        back_s = self._chance.random() * 2 * TIMEOUT_S if is_slow else self._quick_s()
        self._loop.call_later(back_s, _succeed, answer, reply)

    def _travel_s(self) -> float:
        """How long a request takes; it may arrive after its sender has died or given it back."""
        is_slow = self._chance.random() < self.faults.slow
        longest_s = TIMEOUT_S if self._chance.random() < VERY_SLOW else TRAVEL_S_MAX
        return self._chance.random() * longest_s if is_slow else self._quick_s()

    def _quick_s(self) -> float:
        return self._chance.random() * QUICK_S


_INSTEAD = {
    "fails_before": Reply(500, {"detail": "failed"}),
    "away": Reply(503, {"detail": "be right back"}, {"retry-after": "2"}),
    "throttled": Reply(429, {"detail": "Request was throttled."}, {"Retry-After": "1"}),
    "locked_out": Reply(401, {"detail": "Invalid token."}),
}


def _succeed(answer: "asyncio.Future[Reply]", reply: Reply) -> None:
    if not answer.done():
        answer.set_result(reply)


def _fail(answer: "asyncio.Future[Reply]", error: OSError) -> None:
    if not answer.done():
        answer.set_exception(error)


def _give_up(answer: "asyncio.Future[Reply]") -> None:
    _fail(answer, TimeoutError("no answer in time"))
