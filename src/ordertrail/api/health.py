"""Whether the server can do its work, for whoever sends it requests or starts it again."""

import asyncio
import logging
from collections.abc import Awaitable, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from ordertrail.actions import workspaces
from ordertrail.kit import json
from ordertrail.kit.committer import Batch, Closed, Committer, QueueFull
from ordertrail.kit.database import DatabaseAway, DatabaseRefused, QueryTooSlow, Tx
from ordertrail.kit.readers import Readers, TooManyReads

_log = logging.getLogger("ordertrail.api")
ANSWER_WAIT_S = 1.0
_BUSY = (Closed, QueryTooSlow, QueueFull, TooManyReads)


async def alive(_: Request) -> Response:
    """GET /healthz: the process answers."""
    return PlainTextResponse("ok")


class Readiness:
    """GET /readyz: the database answers a read and the committer takes a write, each in time."""

    def __init__(self, readers: Readers, committer: Committer) -> None:
        self._readers = readers
        self._committer = committer
        self._asking: asyncio.Task[dict[str, str]] | None = None

    async def answer(self, _: Request) -> Response:
        """Answer 200, or 503 and what is wrong; who asks meanwhile gets the same answer."""
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._troubles())
        troubles = await asyncio.shield(self._asking)
        if not troubles:
            return Response(json.dumps({"status": "ready"}), media_type="application/json")
        told = "; ".join(f"{name}: {trouble}" for name, trouble in troubles.items())
        said = {"detail": f"Not ready: {told}.", "errors": {k: [v] for k, v in troubles.items()}}
        return Response(json.dumps(said), 503, {"retry-after": "1"}, "application/json")

    async def _troubles(self) -> dict[str, str]:
        write = self._committer.commit(workspaces.DEFAULT_ID, _write_nothing, [None])
        database, committer = await asyncio.gather(
            _trouble(self._readers.read(workspaces.every)), _trouble(write)
        )
        found = {"database": database, "committer": committer}
        return {name: trouble for name, trouble in found.items() if trouble}


async def _trouble(asked: Awaitable[Sequence[Any]]) -> str:
    """What keeps the answer away, without a word of where the data is; empty when it comes."""
    try:
        async with asyncio.timeout(ANSWER_WAIT_S):
            outcomes = await asked
    except TimeoutError:
        return f"no answer within {ANSWER_WAIT_S:g} s"
    except _BUSY as error:
        return str(error)
    except DatabaseAway as error:
        _log.warning("not ready: %s", error)
        return "cannot be reached"
    except DatabaseRefused as error:
        _log.error("not ready: %s", error)
        return "cannot be used as it is; the server's log says why"
    if outcomes and isinstance(outcomes[0], Exception):
        return "cannot write to the database"
    return ""


def _write_nothing(_: Tx, batch: Batch[None]) -> list[None]:
    """Take the turn of a write, and leave everything as it is."""
    return list(batch.commands)
