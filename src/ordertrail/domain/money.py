"""Money in whole minor units of its ISO 4217 currency. The only place that rounds.

Rounding is half to even, and happens once, when a decimal amount becomes minor units.
"""

import functools
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal, InvalidOperation

from ordertrail.domain.errors import Invalid

_TWO = """
AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD
CAD CDF CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS
GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL
MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK
PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS
TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW ZWG
"""
_NONE = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_THREE = "BHD IQD JOD KWD LYD OMR TND"
_FOUR = "CLF UYW"

EXPONENTS: dict[str, int] = {
    code: exponent
    for exponent, codes in ((2, _TWO), (0, _NONE), (3, _THREE), (4, _FOUR))
    for code in codes.split()
}
"""Decimals of each currency: ISO 4217 list one, as of 2025, without metals."""

NOT_A_CURRENCY = "is not an ISO 4217 currency code"
_DIGITS_MAX = 12
_CONTEXT = Context(prec=40, rounding=ROUND_HALF_EVEN)
_QUANTA = {exponent: Decimal(1).scaleb(-exponent) for exponent in range(7)}


@dataclass(frozen=True, slots=True, order=True)
class Money:
    """An amount of `minor` units: 14990 USD is 149.90 dollars, 14990 JPY is 14990 yen."""

    minor: int
    currency: str

    @property
    def amount(self) -> Decimal:
        """The amount in major units, with all decimals of the currency."""
        return amount(self.minor, self.currency)

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"


def exponent(code: str) -> int:
    """Tell how many decimals a currency has; raises Invalid for a code that is not one."""
    try:
        return EXPONENTS[code]
    except KeyError:
        raise Invalid({"currency": NOT_A_CURRENCY}) from None


def currency(code: object) -> str:
    """Return the code in upper case, or raise Invalid when it names no currency."""
    if not isinstance(code, str):
        raise Invalid({"currency": NOT_A_CURRENCY})
    if code in EXPONENTS:
        return code
    folded = code.strip().upper()
    if folded not in EXPONENTS:
        raise Invalid({"currency": NOT_A_CURRENCY})
    return folded


def minor(value: Decimal | int, code: str, field: str = "value") -> int:
    """Round a decimal amount to whole minor units, half to even.

    Raises Invalid, naming `field`, for what is not finite or not under 10**12.
    """
    checked = within_limit(value, field)
    return int(_CONTEXT.quantize(checked, _QUANTA[exponent(code)]).scaleb(exponent(code)))


def amount(minor_units: int, code: str) -> Decimal:
    """Return minor units as a decimal in major units, exact."""
    return Decimal(minor_units).scaleb(-exponent(code))


def micros(value: Decimal | int, field: str = "value") -> int:
    """Round a unit price to whole millionths of the major unit, half to even.

    Raises Invalid, naming `field`, for what is not finite or not under 10**12.
    """
    return _micros(within_limit(value, field))


@functools.lru_cache(maxsize=50_000)
def _micros(price: Decimal) -> int:
    return int(_CONTEXT.quantize(price, _QUANTA[6]).scaleb(6))


@functools.lru_cache(maxsize=50_000)
def unit_price(price_micros: int, decimals_min: int = 2) -> Decimal:
    """Return millionths as a decimal, exact, with no more trailing zeros than asked for."""
    exact = Decimal(price_micros).scaleb(-6)
    shortest = exact.normalize()
    is_long = -shortest.as_tuple().exponent >= decimals_min  # type: ignore[operator]
    return shortest if is_long else exact.quantize(_QUANTA[decimals_min])


def within_limit(value: Decimal | int, field: str) -> Decimal:
    """Return the value as a Decimal, or raise Invalid when it is not finite or too large."""
    number = value if isinstance(value, Decimal) else Decimal(value)
    if not number.is_finite() or (number.adjusted() >= _DIGITS_MAX and number):
        raise Invalid({field: "must be a number under 1,000,000,000,000"})
    return number


def decimal(text: str | int | Decimal, field: str = "value") -> Decimal:
    """Read a decimal number as written, or raise Invalid naming `field`; floats are refused."""
    if isinstance(text, Decimal):
        return within_limit(text, field)
    if isinstance(text, str) and (not text.isascii() or "_" in text):
        raise Invalid({field: "is not a number"})
    try:
        return within_limit(Decimal(text), field)
    except InvalidOperation:
        raise Invalid({field: "is not a number"}) from None
