"""Times as they are said: UNIX seconds, or ISO 8601, which is in UTC where it names no zone."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

SECONDS_MAX = 10**11
"""What is no less than this is not meant in seconds."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECONDS = re.compile(r"[0-9]{1,18}(\.[0-9]{1,18})?", re.ASCII)


def read(value: object) -> datetime | None:
    """Return the time that a number or a text says, or None when it says none."""
    if isinstance(value, str):
        text = value.strip()
        if not _SECONDS.fullmatch(text):
            return _of_text(text)
        value = Decimal(text)
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    seconds = Decimal(value)
    if not seconds.is_finite() or not 0 <= seconds < SECONDS_MAX:
        return None
    return _EPOCH + timedelta(microseconds=int(seconds * 1_000_000))


def iso(at: datetime) -> str:
    """Return a time as the API writes it: UTC, with microseconds and Z."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")[:-6] + "Z"


def _of_text(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
