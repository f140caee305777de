"""Connections to PostgreSQL: made so that a dead one is noticed, and told of in our words.

What the address says of keepalives and time limits counts; what it leaves open is set here. The
other side is given up when it has been silent for about ten seconds: otherwise whoever waits for a
host that is gone would wait for a quarter of an hour.
"""

import threading
from collections.abc import Callable, Sequence
from typing import Any, Final

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.types.numeric import Int8Dumper
from psycopg.types.string import TextLoader

from ordertrail.kit.database import DatabaseAway, DatabaseRefused
from ordertrail.kit.drivers import ADVICE_BY_STATE, LET_MORE_IN, SEE_IT_RUNS, first_line

Connection = psycopg.Connection[Any]

_PATIENCE: Final = {
    "connect_timeout": "5",
    "keepalives_idle": "4",
    "keepalives_interval": "2",
    "keepalives_count": "3",
    "tcp_user_timeout": "10000",
    "fallback_application_name": "ordertrail",
}
_NOT_LET_IN = (
    "password",
    "authentication",
    "does not exist",
    "no such database",
    "no such user",
    "pg_hba.conf",
    "no encryption",
)
_NO_ROOM = ("No space left", "could not write init file")
_ALL_TAKEN = ("too many", "connection slots", "no more connections")
_UNREADABLE = (
    "the address of PostgreSQL cannot be read; percent-encode what is special in user and password"
)
"""What libpq says of such an address may repeat the password in it."""


class Door:
    """Lets everybody connect, but one at a time while the server is known to be away.

    The others are told at once: they need not wait for what the one finds out.
    """

    def __init__(self, url: str, prepare_threshold: int | None) -> None:
        self._url = url
        self.prepare_threshold = prepare_threshold
        self._trying = threading.Lock()
        self.away = ""
        """Why the last attempt to connect failed; empty when it did not."""

    def connect(self) -> Connection:
        """Return a new connection; raises DatabaseAway or DatabaseRefused."""
        away = self.away
        if not away:
            return self._try()
        if not self._trying.acquire(blocking=False):
            raise DatabaseAway(away)
        try:
            return self._try()
        finally:
            self._trying.release()

    def _try(self) -> Connection:
        try:
            made = connected(self._url, self.prepare_threshold)
        except DatabaseAway as error:
            self.away = str(error)
            raise
        self.away = ""
        return made


def connected(url: str, prepare_threshold: int | None) -> Connection:
    """Return a connection; nothing is prepared on it when a pooler stands between.

    A pooler may give each transaction another connection of its own, which knows nothing of what
    was prepared on the one before, or knows another statement by the same name.
    """
    made = _explained(lambda: _made(url, prepare_threshold))
    made.adapters.register_dumper(int, Int8Dumper)  # one type whatever the number, one plan
    for name in ("json", "jsonb"):
        made.adapters.register_loader(name, TextLoader)
    return made


def _made(url: str, prepare_threshold: int | None) -> Connection:
    if url.count("@") > 1:
        raise psycopg.ProgrammingError(_UNREADABLE)
    told: dict[str, Any] = {**_PATIENCE, **conninfo_to_dict(url)}
    made = psycopg.connect(**told, autocommit=True, prepare_threshold=prepare_threshold)
    try:
        found = made.execute("SELECT pg_backend_pid()", prepare=False).fetchone()
    except BaseException:
        made.close()
        raise
    if found != (made.info.backend_pid,):
        made.prepare_threshold = None
    return made


def _explained(connect: Callable[[], Connection]) -> Connection:
    try:
        return connect()
    except psycopg.ProgrammingError:
        raise DatabaseRefused(_UNREADABLE) from None
    except psycopg.OperationalError as error:
        reason = first_line(error)
        if _says(reason.rpartition("FATAL:")[2], _NOT_LET_IN):
            advice = "check user, password and name of the database in its address"
            raise DatabaseRefused(f"PostgreSQL: {reason}; {advice}") from None
        raise DatabaseAway(f"PostgreSQL: {reason}; {_advice(reason)}") from error


def _advice(reason: str) -> str:
    if _says(reason, _ALL_TAKEN):
        return LET_MORE_IN
    return ADVICE_BY_STATE["53100"] if _says(reason, _NO_ROOM) else SEE_IT_RUNS


def _says(reason: str, these: Sequence[str]) -> bool:
    return any(words in reason for words in these)
