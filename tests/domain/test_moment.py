"""Times are read by one rule, wherever they are said."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ordertrail.domain import moment

NOON = datetime(2026, 2, 3, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "said",
    [
        1_770_120_000,
        Decimal("1770120000.0"),
        "1770120000",
        " 1770120000 ",
        "2026-02-03T12:00:00Z",
        "2026-02-03T12:00:00",
        "2026-02-03 13:00+01:00",
        "20260203T120000Z",
    ],
)
def test_one_time_may_be_said_in_many_ways(said: object) -> None:
    assert moment.read(said) == NOON


@pytest.mark.parametrize(
    "said",
    [
        None,
        True,
        1.5,
        -1,
        "-1",
        10**11,
        "1e9",
        "",
        "noon",
        "2026-13-01",
        "١٢٣",
        Decimal("NaN"),
        [],
        {},
    ],
)
def test_what_is_no_time_is_none(said: object) -> None:
    assert moment.read(said) is None


def test_a_day_begins_at_midnight_in_utc() -> None:
    assert moment.read("2026-02-03") == NOON - timedelta(hours=12)


@given(st.integers(min_value=0, max_value=moment.SECONDS_MAX - 1), st.integers(0, 999_999))
def test_what_is_written_is_read_back(seconds: int, micros: int) -> None:
    at = datetime.fromtimestamp(seconds, UTC).replace(microsecond=micros)
    assert moment.read(moment.iso(at)) == at


@given(st.text(max_size=40))
def test_any_text_is_read_or_none(text: str) -> None:
    at = moment.read(text)
    assert at is None or at.tzinfo is UTC
