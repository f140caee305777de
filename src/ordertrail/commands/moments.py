"""Spans and moments as people write them: `24h`, `90d`, `2027-01-31`."""

import re
from datetime import UTC, datetime, timedelta

from ordertrail.domain.errors import Invalid

_SPAN = re.compile(r"([0-9]{1,5})([mhdw])")
_UNITS = {
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
_SPANS = "say minutes, hours, days or weeks, as in 30m, 24h, 90d, 2w"


def span(option: str, text: str) -> timedelta:
    """Return the span that is written; raises Invalid naming the option."""
    found = timedelta() if text == "0" else _span(text)
    if found is None:
        raise Invalid({option: f"{text[:40]!r} is no span; {_SPANS}, or 0"})
    return found


def moment(option: str, text: str, now: datetime) -> datetime:
    """Return the moment that is written, or that lies a span ahead of now, in UTC.

    A date is its first moment, and a time without a zone is meant in UTC. Raises Invalid naming
    the option.
    """
    ahead = _span(text)
    if ahead is not None:
        return now + ahead
    try:
        at = datetime.fromisoformat(text)
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        reason = f"{text[:40]!r} is no time; {_SPANS}; or 2027-01-31, 2027-01-31T18:00Z"
        raise Invalid({option: reason}) from None


def _span(text: str) -> timedelta | None:
    found = _SPAN.fullmatch(text)
    return int(found[1]) * _UNITS[found[2]] if found else None
