"""What keeps the tables small: pieces of background work that remove what is no longer needed."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial

from ordertrail.actions import workspaces
from ordertrail.actions.answers import REMEMBERED_FOR
from ordertrail.automation.background import Piece, Turn
from ordertrail.kit.clock import Clock
from ordertrail.kit.database import Dialect, Reader, Tx
from ordertrail.store import answers, partitions, requests, writers
from ordertrail.store.partitions import Kept

ROWS_AT_ONCE_MAX = 1_000
"""How much is removed in one transaction: nobody waits long for it."""

ANSWERS_EVERY_S = 300.0
REQUESTS_EVERY_S = 20.0
PARTITIONS_EVERY_S = 3_600.0
WRITERS_EVERY_S = 3_600.0
WRITERS_KEPT_FOR = timedelta(days=1)


class Upkeep:
    """The work of the pieces, workspace by workspace.

    Of the log of calls each workspace keeps its newest, so many, and none older than what `kept`
    says.
    """

    def __init__(self, dialect: Dialect, kept: Kept, calls_max: int, clock: Clock) -> None:
        self._dialect = dialect
        self._kept = kept
        self._calls_max = calls_max
        self._clock = clock

    def pieces(self) -> Sequence[Piece]:
        """Return the pieces that the database needs."""
        found = [
            Piece("answers", ANSWERS_EVERY_S, self.forget_answers),
            Piece("requests", REQUESTS_EVERY_S, self.trim_requests),
            Piece("partitions", PARTITIONS_EVERY_S, self.tend_partitions),
        ]
        if self._dialect is Dialect.POSTGRES:
            found.append(Piece("writers", WRITERS_EVERY_S, self.remove_writers))
        return found

    def forget_answers(self, turn: Turn) -> int:
        """Forget what writes with an idempotency key were answered, once it is old."""
        before = self._clock() - REMEMBERED_FOR
        return sum(_forget_answers(turn, each, before) for each in _workspaces(turn))

    def trim_requests(self, turn: Turn) -> int:
        """Remove calls from the log that are too many, or too old where no partition goes whole."""
        days = None if self._dialect is Dialect.POSTGRES else self._kept.request_days
        since = self._clock() - timedelta(days=days) if days else None
        return sum(_trim_requests(turn, each, self._calls_max, since) for each in _workspaces(turn))

    def tend_partitions(self, turn: Turn) -> int:
        """Make the partitions of the time ahead; let go of what was kept for long enough."""
        done = partitions.upkeep(turn, self._dialect, self._kept, self._clock())
        return len(done.made) + len(done.dropped) + done.deleted

    def remove_writers(self, turn: Turn) -> int:
        """Remove the tickets of processes that write no more."""
        before = self._clock() - WRITERS_KEPT_FOR
        return sum(_remove_writers(turn, each, before) for each in _workspaces(turn))


def _forget_answers(turn: Turn, workspace_id: int, before: datetime) -> int:
    def are_older(reader: Reader) -> bool:
        return answers.are_older(reader, workspace_id, before)

    def forget(tx: Tx) -> int:
        return answers.forget(tx, workspace_id, before, ROWS_AT_ONCE_MAX)

    done = 0
    while not turn.is_ending and turn.read(are_older):
        done += turn.write(forget)
    return done


def _trim_requests(turn: Turn, workspace_id: int, rows_max: int, since: datetime | None) -> int:
    def beyond(reader: Reader) -> tuple[int, int]:
        return requests.beyond(reader, workspace_id, rows_max, since)

    first, kept = turn.read(beyond)
    below = first
    while below < kept and not turn.is_ending:
        below = min(kept, below + ROWS_AT_ONCE_MAX)
        turn.write(partial(requests.remove, workspace_id=workspace_id, below=below))
    return below - first


def _remove_writers(turn: Turn, workspace_id: int, before: datetime) -> int:
    return turn.write(partial(writers.remove, workspace_id=workspace_id, before=before))


def _workspaces(turn: Turn) -> Sequence[int]:
    return [workspace.id for workspace in turn.read(workspaces.every)]
