"""What each of the eight types of attributes takes, and the form in which it is kept."""

import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from ordertrail.domain import moment, money
from ordertrail.domain.attribute import Attribute, ValueType
from ordertrail.domain.errors import Invalid

TEXT_LENGTH_MAX = 256
"""The longest text of an attribute that was defined as a string."""

WHOLE_MAX = 10**18
DECIMALS_MAX = 18
_CHOICES_SHOWN_MAX = 20
_DIGITS = re.compile(r"\s*[+-]?[0-9]{1,18}\s*", re.ASCII)
_TRUE = ("true", "1", "yes")
_FALSE = ("false", "0", "no")


def converted(attribute: Attribute, value: Any) -> Any:
    """Return the value as an attribute of this definition keeps it; null clears any of them.

    An inferred type takes every value. Raises Invalid, naming the attribute, for what a defined
    one cannot hold.
    """
    if value is None or attribute.is_inferred:
        return value
    if attribute.value_type is ValueType.FIXED:
        return _choice(attribute, value)
    return _READERS[attribute.value_type](attribute.name, value)


def _boolean(name: str, value: Any) -> bool:
    said = str(value).strip().lower() if isinstance(value, bool | int | str) else ""
    if said in _TRUE or said in _FALSE:
        return said in _TRUE
    raise Invalid({name: "must be true or false"})


def _whole(name: str, value: Any) -> int:
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        value = int(value)
    if isinstance(value, Decimal) and value == value.to_integral_value():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) >= WHOLE_MAX:
        raise Invalid({name: "must be a whole number"})
    return value


def _float(name: str, value: Any) -> Decimal | int:
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        raise Invalid({name: "must be a number"})
    number = money.decimal(value, name)
    exponent = number.as_tuple().exponent
    if isinstance(exponent, int) and abs(exponent) > DECIMALS_MAX:
        raise Invalid({name: f"must be a number of at most {DECIMALS_MAX} decimals"})
    return value if isinstance(value, int) else number


def _text(name: str, value: Any) -> str:
    if isinstance(value, bool):
        value = "true" if value else "false"
    if isinstance(value, int | Decimal):
        value = f"{value:f}" if isinstance(value, Decimal) else str(value)
    if not isinstance(value, str) or len(value) > TEXT_LENGTH_MAX:
        raise Invalid({name: f"must be text of at most {TEXT_LENGTH_MAX} characters"})
    return value


def _day(name: str, value: Any) -> str:
    """The date as it is written: the start of a day somewhere is not the day before in UTC."""
    if isinstance(value, str):
        for read in (date.fromisoformat, _date_of_time):
            try:
                return read(value.strip()).isoformat()
            except ValueError:
                continue
    return _at(name, value, "must be a date such as 2026-03-31").date().isoformat()


def _date_of_time(text: str) -> date:
    return datetime.fromisoformat(text).date()


def _moment(name: str, value: Any) -> str:
    return moment.iso(_at(name, value, "must be a time in ISO 8601, or UNIX seconds"))


def _at(name: str, value: Any, wanted: str) -> datetime:
    at = moment.read(value)
    if at is None:
        raise Invalid({name: wanted})
    return at


def _anything(_name: str, value: Any) -> Any:
    return value


def _choice(attribute: Attribute, value: Any) -> Any:
    chosen = value if isinstance(value, list) and attribute.allows_many else [value]
    texts = [_spelling(each) for each in chosen]
    if any(each not in attribute.choices for each in texts):
        shown = ", ".join(attribute.choices[:_CHOICES_SHOWN_MAX])
        raise Invalid({attribute.name: f"must be one of: {shown}"})
    return list(dict.fromkeys(texts)) if attribute.allows_many else texts[0]


def _spelling(value: Any) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | str | Decimal) else None


_READERS: dict[ValueType, Callable[[str, Any], Any]] = {
    ValueType.BOOLEAN: _boolean,
    ValueType.DATE: _day,
    ValueType.DATETIME: _moment,
    ValueType.FLOAT: _float,
    ValueType.INTEGER: _whole,
    ValueType.JSON: _anything,
    ValueType.STRING: _text,
}
