"""What one cell of a shop's file means, whether it was text or came with a type.

Every function here raises ValueError with a reason that can be shown: it repeats at most
`SHOWN_CHARS_MAX` characters of the cell.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from decimal import Decimal

SHOWN_CHARS_MAX = 32
QUANTITY_MAX = 1_000_000_000
PRICE_DIGITS_MAX = 18  # with QUANTITY_MAX, a line's value is exact in Decimal's own 28 digits

_WHOLE = re.compile(r"([+-]?[0-9]{1,18})(\.0*)?")
_PRICE = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,2})?")
_DIGITS = re.compile(r"[0-9]{1,19}")
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?"
    r" ?(Z|[+-][0-9]{2}:?[0-9]{2})?"
)
_YEAR_MIN, _YEAR_MAX = 2, 9998
_NUMBER = re.compile(r"([0-9]{1,18})(\.0*)?")


def text(cell: object) -> str | None:
    """Return the text without space around it; None when nothing is left."""
    if cell is not None and not isinstance(cell, str | int | float):
        raise ValueError(f"{_shown(cell)} is not text")
    written = _written(cell)
    if "\0" in written:
        raise ValueError("holds a NUL character")
    return written or None


def required_text(cell: object) -> str:
    """Return the text without space around it, which must not be empty."""
    found = text(cell)
    if found is None:
        raise ValueError("is empty")
    return found


def quantity(cell: object) -> int:
    """Return a whole number, negative or not; `6.0` is one."""
    found = _WHOLE.fullmatch(_written(cell))
    if not found:
        raise ValueError(f"{_shown(cell)} is not a whole number")
    if abs(int(found[1])) > QUANTITY_MAX:
        raise ValueError(f"must be at most {QUANTITY_MAX}")
    return int(found[1])


def price(cell: object) -> Decimal:
    """Return a decimal number exactly as written; a float stands for its shortest decimal."""
    written = _written(cell)
    if not _PRICE.fullmatch(written):
        raise ValueError(f"{_shown(cell)} is not a price")
    found = Decimal(written)
    if len(found.as_tuple().digits) > PRICE_DIGITS_MAX:
        raise ValueError(f"has more than {PRICE_DIGITS_MAX} digits")
    return found


def customer_number(cell: object) -> str | None:
    """Return the digits of a customer's number: `17850.0` is `17850`; None when empty."""
    written = _written(cell)
    if not written:
        return None
    found = _NUMBER.fullmatch(written)
    if not found:
        raise ValueError(f"{_shown(cell)} is no number of a customer")
    return found[1]


def wall_time(zone: tzinfo) -> Callable[[object], datetime]:
    """Return a reader of `YYYY-MM-DD HH:MM:SS` on the clocks of `zone`, giving UTC.

    An hour that the clocks show twice is the first of the two; one that they skip is counted on
    from the hour before.
    """

    def read(cell: object) -> datetime:
        try:
            local = _local(cell)
        except ValueError:
            raise ValueError(f"{_shown(cell)} is not a time as 2010-12-31 23:59:59") from None
        if local.tzinfo is not None:
            raise ValueError(f"{_shown(cell)} must be the shop's local time, without a zone")
        return local.replace(tzinfo=zone).astimezone(UTC)

    return read


def moment(zone: tzinfo | None) -> Callable[[object], datetime]:
    """Return a reader of `YYYY-MM-DD HH:MM[:SS]` with its zone, or on the clocks of `zone`.

    The `T` of ISO 8601 may stand for the space. Without a `zone`, a time must say its own.
    """

    def read(cell: object) -> datetime:
        written = _written(cell)
        try:
            found = (
                datetime.fromisoformat(written.replace(" ", "T", 1).replace(" ", ""))
                if _MOMENT.fullmatch(written)
                else None
            )
        except ValueError:
            found = None
        if found is None:
            raise ValueError(f"{_shown(cell)} is not a time as 2026-03-01T10:00:00Z")
        if found.tzinfo is None and zone is None:
            raise ValueError(f"{_shown(cell)} needs a time zone, as 2026-03-01T10:00:00Z")
        if not _YEAR_MIN <= found.year <= _YEAR_MAX:
            raise ValueError(f"{_shown(cell)} is not a time that every zone has")
        return (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)

    return read


def whole(most: int) -> Callable[[object], int]:
    """Return a reader of whole numbers from 0 to `most`, which has at most 19 digits."""

    def read(cell: object) -> int:
        found = _DIGITS.fullmatch(_written(cell))
        if not found:
            raise ValueError(f"{_shown(cell)} is not a whole number from 0")
        if int(found[0]) > most:
            raise ValueError(f"must be at most {most}")
        return int(found[0])

    return read


def _local(cell: object) -> datetime:
    if isinstance(cell, datetime):
        return cell
    return datetime.strptime(_written(cell), "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007


def _written(cell: object) -> str:
    if cell is None or cell != cell:
        return ""
    return repr(cell) if isinstance(cell, float) else str(cell).strip()


def _shown(cell: object) -> str:
    return repr(str(cell)[:SHOWN_CHARS_MAX]) if _written(cell) else "an empty cell"
