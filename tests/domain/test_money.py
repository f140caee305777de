"""Money: whole minor units of every ISO currency, rounded once, half to even."""

from decimal import ROUND_HALF_EVEN, Decimal, localcontext

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ordertrail.domain import money
from ordertrail.domain.errors import Invalid
from ordertrail.domain.money import Money

CODES = st.sampled_from(sorted(money.EXPONENTS))
LIMIT = 10**12
AMOUNTS = st.decimals(-LIMIT + 1, LIMIT - 1, allow_nan=False, allow_infinity=False)


def test_the_currencies_have_the_decimals_of_iso_4217() -> None:
    wanted = {"USD": 2, "EUR": 2, "PLN": 2, "JPY": 0, "KRW": 0, "KWD": 3, "BHD": 3, "CLF": 4}
    assert {code: money.exponent(code) for code in wanted} == wanted
    assert set(money.EXPONENTS.values()) == {0, 2, 3, 4}
    assert len(money.EXPONENTS) > 150
    assert all(len(code) == 3 and code.isupper() for code in money.EXPONENTS)


@given(CODES, st.integers(-(10**14), 10**14))
def test_minor_units_come_back_from_their_amount(code: str, minor: int) -> None:
    amount = money.amount(minor, code)
    if abs(amount) < LIMIT:
        assert money.minor(amount, code) == minor
    assert Money(minor, code).amount == amount
    assert -amount.as_tuple().exponent == money.exponent(code)  # type: ignore[operator]


@given(CODES, AMOUNTS)
def test_an_amount_is_rounded_half_to_even_once(code: str, amount: Decimal) -> None:
    with localcontext(prec=60):
        step = Decimal(1).scaleb(-money.exponent(code))
        exact = amount.quantize(step, ROUND_HALF_EVEN)
        assert money.minor(amount, code) == int(exact.scaleb(money.exponent(code)))
        assert abs(money.amount(money.minor(amount, code), code) - amount) <= step / 2


@pytest.mark.parametrize(
    ("amount", "code", "minor"),
    [
        ("0.125", "USD", 12),
        ("0.135", "USD", 14),
        ("-0.125", "USD", -12),
        ("80.6", "USD", 8060),
        ("11.5120", "USD", 1151),
        ("10000", "JPY", 10000),
        ("0.5", "JPY", 0),
        ("1.5", "JPY", 2),
        ("1.2345", "KWD", 1234),
        ("1.00005", "CLF", 10000),
        ("-0", "USD", 0),
    ],
)
def test_known_amounts(amount: str, code: str, minor: int) -> None:
    assert money.minor(Decimal(amount), code) == minor


@given(st.decimals(-LIMIT + 1, LIMIT - 1, places=6))
def test_a_unit_price_keeps_six_decimals_and_shows_at_least_two(price: Decimal) -> None:
    shown = money.unit_price(money.micros(price))
    assert shown == price
    assert shown.as_tuple().exponent <= -2  # type: ignore[operator]


@pytest.mark.parametrize(
    "wrong",
    ["1000000000000", "-1000000000000", "NaN", "sNaN", "Infinity", "-Infinity", "1e9999999"],
)
def test_what_is_not_finite_or_too_large_is_refused_by_name(wrong: str) -> None:
    for read in (
        lambda: money.decimal(wrong, "price"),
        lambda: money.minor(Decimal(wrong), "USD", "price"),
        lambda: money.micros(Decimal(wrong), "price"),
    ):
        with pytest.raises(Invalid) as refused:
            read()
        assert list(refused.value.fields) == ["price"]


def test_the_largest_amounts_fit() -> None:
    most = Decimal(LIMIT) - Decimal("0.0001")
    assert money.minor(most, "CLF") == LIMIT * 10**4 - 1
    assert money.minor(-most, "CLF") == -LIMIT * 10**4 + 1
    assert money.micros(most) < 2**63


@pytest.mark.parametrize("text", ["1_000", "\u0661\u0662", "1\u0660", "\uff11", "1\u2009000"])
def test_a_number_is_written_in_plain_digits(text: str) -> None:
    with pytest.raises(Invalid, match=r"^price: is not a number$"):
        money.decimal(text, "price")


@given(st.text(max_size=20))
@example("1,50")
@example("")
@example("0x10")
@example("1e99999999999999999999")
def test_any_text_is_a_number_or_refused(text: str) -> None:
    try:
        read = money.decimal(text, "price")
    except Invalid as refused:
        named = list(refused.fields)
    else:
        named = ["price"]
        assert read.is_finite()
    assert named == ["price"]


@given(st.text(max_size=6) | st.integers() | st.none())
def test_a_code_is_a_currency_or_refused(code: object) -> None:
    known = isinstance(code, str) and code.strip().upper() in money.EXPONENTS
    if known:
        assert money.currency(code) in money.EXPONENTS
    else:
        with pytest.raises(Invalid, match="currency"):
            money.currency(code)


def test_an_unknown_currency_is_never_taken_for_nothing() -> None:
    for ask in (money.exponent, lambda code: money.minor(1, code)):
        with pytest.raises(Invalid, match=r"^currency: is not an ISO 4217 currency code$"):
            ask("XXX")


@pytest.mark.parametrize(
    ("micros", "code", "shown"),
    [
        (1_500_000_000, "JPY", "1500"),
        (12_500_000, "JPY", "12.5"),
        (1_500_000, "KWD", "1.500"),
        (1_500_000, "USD", "1.50"),
        (0, "JPY", "0"),
    ],
)
def test_a_unit_price_has_the_decimals_of_its_currency_and_more_if_it_needs_them(
    micros: int, code: str, shown: str
) -> None:
    assert str(money.unit_price(micros, money.exponent(code))) == shown
