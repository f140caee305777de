"""Filters: what the things of a list must be like, field by field."""

import enum
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

FILTERS_MAX = 20
VALUE_LENGTH_MAX = 1_000

_NUMBER = re.compile(r"[+-]?[0-9]{1,18}(\.[0-9]{1,18})?", re.ASCII)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_SECONDS_MAX = 10**11
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Op(enum.StrEnum):
    """How a field is held against a value; those with an i take upper for lower case."""

    EXACT = "exact"
    GTE = "gte"
    GT = "gt"
    LTE = "lte"
    LT = "lt"
    STARTSWITH = "startswith"
    ISTARTSWITH = "istartswith"
    ENDSWITH = "endswith"
    IENDSWITH = "iendswith"
    CONTAINS = "contains"
    ICONTAINS = "icontains"


@dataclass(frozen=True, slots=True)
class Filter:
    """One condition; the value is text as it was sent, whatever the field holds.

    `sent_as` is the name in a query that it came under, where that is not the field's.
    """

    field: str
    op: Op
    value: str
    sent_as: str = ""


def as_number(value: str) -> Decimal | None:
    """Return the number that the text is, or None."""
    return Decimal(value) if _NUMBER.fullmatch(value.strip()) else None


def as_moment(value: str) -> datetime | None:
    """Return the time that the text is, as UNIX seconds or in ISO 8601, or None."""
    seconds = as_number(value)
    if seconds is not None:
        if not 0 <= seconds < _SECONDS_MAX:
            return None
        return _EPOCH + timedelta(microseconds=int(seconds * 1_000_000))
    # A blank before the offset is a plus that was not encoded.
    text = re.sub(r" (?=[0-9]{2}:?[0-9]{2}$)", "+", value.strip()) if "T" in value else value
    try:
        at = datetime.fromisoformat(text) if _DAY.match(text) else None
        if at is None:
            return None
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
