"""What drivers of databases raise, told in our words; all of them name their errors alike.

SQLAlchemy and Django wrap what a driver raises, and so hold the driver's own error.
"""

import sys

from ordertrail.kit.database import DatabaseAway, DatabaseRefused
from ordertrail.kit.drivers import ADVICE_BY_STATE, GIVEN_UP, first_line

_DRIVERS = ("sqlite3", "pysqlite3", "psycopg", "psycopg2")
_KINDS = (
    "OperationalError", "InterfaceError", "IntegrityError", "ProgrammingError", "DataError",
    "InternalError", "NotSupportedError", "DatabaseError",
)  # fmt: skip
_ROOTS = (
    *((driver, "Error") for driver in _DRIVERS),
    ("sqlalchemy.exc", "SQLAlchemyError"),
    ("django.db.utils", "Error"),
)
_AWAY = ("OperationalError", "InterfaceError")
_REFUSED = ("DatabaseError", "NotSupportedError")

_FULL = "make room on its disk"
_BUSY = "another one is writing; try again"
_NOT_THERE = "see that it is there, and try again"
_CHECK = "check the file, or its rights"
_SQLITE_AWAY = {5: _BUSY, 6: _BUSY, 10: _NOT_THERE, 13: _FULL, 14: _NOT_THERE}
"""Busy, locked, failed to read or write, full, failed to open: the result codes of SQLite."""
_SQLITE_REFUSED = (3, 8, 11, 26)
"""No permission, read-only, damaged, no database."""
_SQLITE_MISTAKE = 1

_STATES_AWAY = {
    **ADVICE_BY_STATE,
    **dict.fromkeys(GIVEN_UP, "others write the same rows all the time; try again"),
}
_NO_RIGHT = "42501"
_CLOSED = ("closed", "Cannot operate on")


def library_errors() -> tuple[type[Exception], ...]:
    """Return what the libraries raise that somebody has imported."""
    return tuple(
        getattr(sys.modules[module], name) for module, name in _ROOTS if module in sys.modules
    )


def told(error: BaseException) -> BaseException:
    """Return DatabaseAway or DatabaseRefused for what that is; any other error as it is."""
    own = _of_driver(error)
    if own is None:
        return error
    away = _advice(own)
    if away is not None:
        return DatabaseAway(f"the shop's database: {first_line(own)}; {away}")
    if _is_refused(own):
        return DatabaseRefused(f"the shop's database: {first_line(own)}; {_CHECK}")
    return error


def is_given_up(error: BaseException) -> bool:
    """Tell whether a transaction failed because of another one, and may be run again."""
    own = _of_driver(error)
    return own is not None and _state(own) in GIVEN_UP


def _of_driver(error: BaseException) -> BaseException | None:
    """Return the driver's own error behind one that is wrapped; None when there is none."""
    wrapped = getattr(error, "orig", None) if _top(error) == "sqlalchemy" else error.__cause__
    own = wrapped if _top(error) in ("sqlalchemy", "django") else error
    return own if own is not None and _top(own) in _DRIVERS else None


def _advice(error: BaseException) -> str | None:
    """Return what to do about an error that passes; None for one that stays."""
    code = _sqlite_code(error)
    if code is not None:
        return _SQLITE_AWAY.get(code)
    state = _state(error)
    if state in _STATES_AWAY:
        return _STATES_AWAY[state]
    if _kind(error) in _AWAY or all(word in str(error) for word in _CLOSED):
        return _NOT_THERE
    return None


def _is_refused(error: BaseException) -> bool:
    code = _sqlite_code(error)
    if code is not None and code != _SQLITE_MISTAKE:
        return code in _SQLITE_REFUSED
    return _state(error) == _NO_RIGHT or (code is None and _kind(error) in _REFUSED)


def _kind(error: BaseException) -> str | None:
    names = (kind.__name__ for kind in type(error).__mro__)
    return next((name for name in names if name in _KINDS), None)


def _state(error: BaseException) -> str | None:
    return getattr(error, "sqlstate", None) or getattr(error, "pgcode", None)


def _sqlite_code(error: BaseException) -> int | None:
    code: int | None = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


def _top(error: BaseException) -> str:
    return type(error).__module__.partition(".")[0]
