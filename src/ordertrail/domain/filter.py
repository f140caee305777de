"""Filters: what the things of a list must be like, field by field."""

import enum
import re
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from ordertrail.domain import moment

FILTERS_MAX = 20
VALUE_LENGTH_MAX = 1_000

_NUMBER = re.compile(r"[+-]?[0-9]{1,18}(\.[0-9]{1,18})?", re.ASCII)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


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
    text = value.strip()
    if as_number(text) is None and not _DAY.match(text):
        return None
    # A blank before the offset is a plus that was not encoded.
    return moment.read(re.sub(r" (?=[0-9]{2}:?[0-9]{2}$)", "+", text) if "T" in text else text)
