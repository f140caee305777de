"""What is written into a cell is what is read from it, and never a formula."""

import csv
import io
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ordertrail.wire import csv_rows
from ordertrail.wire.columns import Column, Kind

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)
NUMBERS = st.integers(-(10**18) + 1, 10**18 - 1) | st.decimals(
    -(10**12), 10**12, places=6, allow_nan=False
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def read_back(kind: Kind, value: Any) -> Any:
    columns = [Column("first"), Column("a", kind)]
    raw = csv_rows.lines(columns, [{"first": "x", "a": value}])
    [[_, text]] = csv.reader(io.StringIO(raw.decode(), newline=""), strict=True)
    return csv_rows.value(kind, text)


@given(TEXTS)
@example("''=x")
@example("'")
@example("\r\n")
@example('"')
@example("-1")
def test_a_text_comes_back_and_no_spreadsheet_takes_it_for_a_formula(text: str) -> None:
    assert read_back(Kind.TEXT, text) == text
    assert not csv_rows.cell(Kind.TEXT, text).startswith(FORMULA)


@pytest.mark.parametrize("kind", [Kind.WHOLE, Kind.DECIMAL, Kind.FLAG, Kind.JSON, Kind.LINES])
@given(text=TEXTS)
@example(text="12")
@example(text="true")
@example(text="[1]")
def test_a_text_in_a_column_of_something_else_stays_a_text(kind: Kind, text: str) -> None:
    assert read_back(kind, text) == text
    assert not csv_rows.cell(kind, text).startswith(FORMULA)


@given(NUMBERS)
@example(Decimal("1E+5"))
@example(Decimal("-0.000001"))
def test_a_number_comes_back(number: int | Decimal) -> None:
    found = read_back(Kind.DECIMAL, number)
    assert found == number
    assert not isinstance(found, float | str)


@pytest.mark.parametrize("flag", [True, False])
def test_true_and_false_come_back(flag: bool) -> None:
    assert read_back(Kind.FLAG, flag) is flag


@given(JSON.filter(lambda value: value not in (None, []) and not isinstance(value, str)))
def test_json_comes_back(value: Any) -> None:
    assert read_back(Kind.JSON, value) == value


@pytest.mark.parametrize("text", ["1e5", "0x1", " 1", "1,5", "\u0661", "1_000", "--1", "."])
def test_what_is_no_plain_number_is_left_for_the_field_to_refuse(text: str) -> None:
    assert csv_rows.value(Kind.DECIMAL, text) == text
