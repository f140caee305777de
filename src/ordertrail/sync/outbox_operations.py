"""The outbox's rows of operations: what waits, what became of it, how much there is."""

# ruff: noqa: S608 -- statements are put together from constants of this package

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ordertrail.client.calls import Call
from ordertrail.kit import clock, json
from ordertrail.kit.database import Reader, Tx
from ordertrail.sync.outbox_sql import TO, rows, sent
from ordertrail.sync.plan import Kind

_WAITING = rows(
    "id, key, lane, source, order_id, step, kind, method, path, body",
    f"(SELECT * FROM operations WHERE destination = {TO} AND state = 'waiting'"
    f" AND lane > :after AND lane NOT IN (SELECT value FROM json_each(:busy))"
    f" ORDER BY lane, id LIMIT :limit)",
)
_SETTLE = (
    f"UPDATE operations SET state = s.state, attempts = s.attempts, reason = s.reason,"
    f" finished_at = :at, body = CASE s.state WHEN 'done' THEN '' ELSE body END"
    f" FROM {sent('id state attempts reason')} s WHERE operations.id = s.id"
)
_PARK_FOLLOWERS = (
    "UPDATE operations SET state = 'parked', reason = 'waits for ' || p.key, finished_at = :at"
    " FROM (SELECT * FROM operations WHERE id IN (SELECT value FROM json_each(:ids))) p"
    " WHERE operations.destination = p.destination AND operations.lane = p.lane"
    " AND operations.id > p.id AND operations.state = 'waiting'"
    " AND operations.source = p.source AND operations.order_id = p.order_id"
)
_RETRY = (
    f"UPDATE operations SET state = 'waiting', reason = NULL, finished_at = NULL"
    f" WHERE destination = {TO} AND state = 'parked'"
)
_PARKED_STATES = rows(
    "id, source, order_id, kind, json(body)",
    f"(SELECT * FROM operations WHERE destination = {TO} AND state = 'parked'"
    f" AND kind IN ('contact', 'deal') ORDER BY source, order_id, id)",
)
_FOLD = f"UPDATE operations SET body = f.body FROM {sent('id body')} f WHERE operations.id = f.id"
_REPLACE = (
    "UPDATE operations SET state = 'done', body = '', reason = 'replaced by one that says it all'"
    " WHERE id IN (SELECT value FROM json_each(:ids))"
)
_CHANGED = "SELECT json_array(json_array(changes()))"
_COUNTS = (
    f"SELECT json_array(json_array("
    f"(SELECT count(*) FROM operations WHERE destination = {TO}),"
    f" (SELECT count(*) FROM operations WHERE destination = {TO} AND state = 'waiting'),"
    f" (SELECT count(*) FROM operations WHERE destination = {TO} AND state = 'parked'),"
    f" (SELECT count(*) FROM quarantine WHERE destination = {TO})))"
)
_PARKED = rows(
    "key, kind, source, order_id, attempts, reason",
    f"(SELECT * FROM operations WHERE destination = {TO} AND state = 'parked'"
    f" ORDER BY source, order_id, id LIMIT :limit)",
)
_DESTINATIONS = rows("key", "(SELECT key FROM destinations ORDER BY id)")


@dataclass(frozen=True, slots=True)
class Waiting:
    """An operation that is still to be made; its body is JSON text."""

    id: int
    key: str
    lane: str
    source: str
    order_id: str
    step: int
    kind: Kind
    method: str
    path: str
    body: str

    @property
    def call(self) -> Call:
        """The call to make."""
        return Call(self.method, self.path, json.loads(self.body))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an operation: it is done, or parked for a reason."""

    operation: Waiting
    attempts: int
    parked_because: str | None = None

    @property
    def is_blocking(self) -> bool:
        """Whether later operations of the order have to wait for this one."""
        return self.parked_because is not None and self.operation.kind in (Kind.CONTACT, Kind.DEAL)


@dataclass(frozen=True, slots=True)
class Parked:
    """An operation that was refused, or that waits for one that was."""

    key: str
    kind: Kind
    source: str
    order_id: str
    attempts: int
    reason: str


@dataclass(frozen=True, slots=True)
class Counts:
    """How many operations of a destination there are, by state, and how many orders are not."""

    accepted: int
    waiting: int
    parked: int
    quarantined: int

    @property
    def done(self) -> int:
        """Operations that were carried out: accepted == waiting + done + parked."""
        return self.accepted - self.waiting - self.parked


def waiting(
    reader: Reader, destination: str, after: str, busy: Collection[str], limit: int
) -> list[Waiting]:
    """Return operations of the lanes behind `after`, lane by lane, leaving out busy lanes."""
    found = reader.rows(
        _WAITING, destination=destination, after=after, busy=list(busy), limit=limit
    )
    return [
        Waiting(number, key, lane, source, order_id, step, Kind(kind), *call)
        for number, key, lane, source, order_id, step, kind, *call in found
    ]


def settle(tx: Tx, outcomes: Sequence[Outcome], at: datetime) -> int:
    """Keep what became of operations; a parked contact or deal parks the order's later ones.

    Returns how many later ones that are.
    """
    micros = clock.to_micros(at)
    kept = []
    for each in outcomes:
        state = "done" if each.parked_because is None else "parked"
        kept.append([each.operation.id, state, each.attempts, each.parked_because])
    tx.run(_SETTLE, rows=kept, at=micros)
    blocking = [each.operation.id for each in outcomes if each.is_blocking]
    if not blocking:
        return 0
    tx.run(_PARK_FOLLOWERS, ids=blocking, at=micros)
    return _changed(tx)


def retry(tx: Tx, destination: str) -> int:
    """Let everything that is parked wait again, and return how much that is.

    Of one order's parked deals the first says what all of them say, so that a later one can mend
    what was wrong with an earlier one; likewise of what it says of one contact.
    """
    parked_of: dict[tuple[str, ...], list[tuple[int, dict[str, Any]]]] = {}
    for number, source, order_id, kind, body in tx.rows(_PARKED_STATES, destination=destination):
        whose = source, order_id, kind, body["custom_id"]
        parked_of.setdefault(whose, []).append((number, body))
    several = [same for same in parked_of.values() if len(same) > 1]
    if several:
        folded = [[same[0][0], json.dumps(_fold(body for _, body in same))] for same in several]
        tx.run(_FOLD, rows=folded)
        tx.run(_REPLACE, ids=[number for same in several for number, _ in same[1:]])
    tx.run(_RETRY, destination=destination)
    return _changed(tx)


def counts(reader: Reader, destination: str) -> Counts:
    """Count the operations, and the orders in quarantine."""
    (found,) = reader.rows(_COUNTS, destination=destination)
    return Counts(*found)


def parked(reader: Reader, destination: str, limit: int) -> list[Parked]:
    """Return parked operations, order by order."""
    found = reader.rows(_PARKED, destination=destination, limit=limit)
    return [Parked(key, Kind(kind), *rest) for key, kind, *rest in found]


def destinations(reader: Reader) -> list[str]:
    """Return every destination that an order was ever accepted for."""
    return [key for (key,) in reader.rows(_DESTINATIONS)]


def _fold(bodies: Iterable[dict[str, Any]]) -> dict[str, Any]:
    said: dict[str, Any] = {}
    for body in bodies:
        said |= body
    return said


def _changed(tx: Tx) -> int:
    ((count,),) = tx.rows(_CHANGED)
    return int(count)
