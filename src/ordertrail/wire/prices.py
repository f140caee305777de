"""Prices as shops write them: a number, or a text with a currency and with separators."""

import re
import unicodedata
from decimal import Decimal

from ordertrail.domain.errors import Invalid
from ordertrail.domain.money import EXPONENTS
from ordertrail.wire import body

SIGNS = frozenset("zł Kč kr kr. Ft lei Fr. лв лв. US$ CA$ A$ AU$ NZ$ HK$ R$".split())
"""Signs of currencies that are more than one character."""

_WRITTEN = re.compile(
    r"(?P<before>[^\d\s]*)\s*(?P<number>\d(?:[\d.,' ]*\d)?)\s*(?P<after>[^\d\s]*)"
)
_SPACES = str.maketrans("\u00a0\u202f\u2019", "  '")
_GROUPED = re.compile(r"\d{1,3}(?:([,. '])\d{3})(?:\1\d{3})*(?:(?!\1)[.,]\d+)?", re.ASCII)
_PLAIN = re.compile(r"\d+(?:[.,]\d+)?", re.ASCII)
_EITHER = re.compile(r"[1-9]\d{0,2}[.,]\d{3}", re.ASCII)
"""Thousands to one half of the world, and three decimals to the other."""


def price(field: str, value: object) -> Decimal:
    """Read a number that can be kept with all its digits, also from text such as `€1,299.00`.

    Raises Invalid for what can be read in two ways, such as `1,299`.
    """
    if isinstance(value, str):
        value = _number(field, value)
    return body.exact(field, value)


def _number(field: str, text: str) -> str:
    """Return the number in the text in our own spelling, or the text when it is no price."""
    written = _WRITTEN.fullmatch(text.translate(_SPACES).strip())
    if written is None or not _is_currency(written["before"] + written["after"]):
        return text
    number = written["number"]
    has_point_alone = number == text.strip() and "," not in number
    if _EITHER.fullmatch(number) and not has_point_alone:
        raise Invalid({field: f"{number} may be thousands or decimals: send a number"})
    if _PLAIN.fullmatch(number):
        return number.replace(",", ".")
    return _ungrouped(number) if _GROUPED.fullmatch(number) else text


def _ungrouped(number: str) -> str:
    """Drop the separators of thousands: all of them, but a last one that is unlike the first."""
    separators = [each for each in number if not each.isdigit()]
    whole, _, decimals = number.rpartition(separators[-1])
    if separators[-1] == separators[0]:
        whole, decimals = number, "0"
    return f"{re.sub('[^0-9]', '', whole)}.{decimals}"


def _is_currency(said: str) -> bool:
    """Whether this is the sign or the code of a currency, or nothing."""
    is_sign = len(said) == 1 and unicodedata.category(said) == "Sc"
    return not said or is_sign or said in SIGNS or said in EXPONENTS
