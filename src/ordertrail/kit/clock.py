"""The only place that asks what time it is; everything else is told.

Times are kept as whole microseconds since 1970 UTC, which both databases hold as integers.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Clock = Callable[[], datetime]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def utc_now() -> datetime:
    """Return the present moment, aware, in UTC."""
    return datetime.now(UTC)


def to_micros(at: datetime) -> int:
    """Return an aware datetime as whole microseconds since 1970 UTC."""
    return (at - _EPOCH) // _MICROSECOND


def from_micros(micros: int) -> datetime:
    """Return the UTC datetime of whole microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=micros)


def optional_micros(at: datetime | None) -> int | None:
    """Return the microseconds of a datetime that may be missing."""
    return None if at is None else to_micros(at)


def optional_moment(micros: int | None) -> datetime | None:
    """Return the datetime of microseconds that may be missing."""
    return None if micros is None else from_micros(micros)
