"""What each of the eight types takes, what it keeps, and what it refuses."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ordertrail.domain.attribute import Attribute, ContentType, ValueType
from ordertrail.domain.attribute_values import TEXT_LENGTH_MAX, WHOLE_MAX, converted
from ordertrail.domain.errors import Invalid
from ordertrail.kit import json

CHOICES = ("S", "M", "L", "42", "true")
JSON_VALUES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.lists(st.integers() | st.text(), max_size=3)
    | st.dictionaries(st.text(), st.integers(), max_size=3)
)


def defined(value_type: ValueType, **more: Any) -> Attribute:
    return Attribute(ContentType.DEAL, "a", value_type, is_inferred=False, **more)


def kept(value_type: str, value: Any) -> Any:
    return converted(defined(ValueType(value_type), choices=CHOICES), value)


TAKEN: Mapping[str, list[tuple[Any, Any]]] = {
    "boolean": [
        (True, True),
        (False, False),
        (1, True),
        (0, False),
        ("true", True),
        (" False ", False),
        ("yes", True),
        ("0", False),
    ],
    "integer": [
        (7, 7),
        (-7, -7),
        ("7", 7),
        (" +7 ", 7),
        (Decimal("7.0"), 7),
        (Decimal("7E+2"), 700),
        (WHOLE_MAX - 1, WHOLE_MAX - 1),
    ],
    "float": [
        (7, 7),
        (Decimal("7.25"), Decimal("7.25")),
        ("7.25", Decimal("7.25")),
        (" -1e3 ", Decimal("-1E+3")),
        (Decimal("0.000000000000000001"), Decimal("1E-18")),
    ],
    "string": [
        ("", ""),
        ("Ada", "Ada"),
        (" kept as it is ", " kept as it is "),
        (7, "7"),
        (Decimal("7.50"), "7.50"),
        (Decimal("7E+2"), "700"),
        (True, "true"),
        (False, "false"),
        ("é" * TEXT_LENGTH_MAX, "é" * TEXT_LENGTH_MAX),
    ],
    "date": [
        ("2026-03-31", "2026-03-31"),
        (" 2026-03-31 ", "2026-03-31"),
        ("2026-03-31T10:20:30", "2026-03-31"),
        ("2026-03-31T00:00:00+02:00", "2026-03-31"),
        ("2026-03-31T23:30:00-05:00", "2026-03-31"),
        (1774915200, "2026-03-31"),
        ("1774915200", "2026-03-31"),
    ],
    "datetime": [
        ("2026-03-31T10:20:30Z", "2026-03-31T10:20:30.000000Z"),
        ("2026-03-31T10:20:30", "2026-03-31T10:20:30.000000Z"),
        ("2026-03-31 10:20:30.5+02:00", "2026-03-31T08:20:30.500000Z"),
        ("2026-03-31", "2026-03-31T00:00:00.000000Z"),
        (1774952430, "2026-03-31T10:20:30.000000Z"),
        ("1774952430", "2026-03-31T10:20:30.000000Z"),
        (Decimal("1774952430.25"), "2026-03-31T10:20:30.250000Z"),
        ("1774952430.25", "2026-03-31T10:20:30.250000Z"),
    ],
    "fixed": [("S", "S"), (42, "42"), ("42", "42"), (True, "true")],
    "json": [
        ({"a": [1]}, {"a": [1]}),
        ([1, "2"], [1, "2"]),
        ("text", "text"),
        (7, 7),
        (True, True),
    ],
}

REFUSED: Mapping[str, list[Any]] = {
    "boolean": ["", "maybe", 2, -1, Decimal("1.0"), [], {}, [True]],
    "integer": ["", "7.0", "seven", "1e3", Decimal("7.5"), True, WHOLE_MAX, -WHOLE_MAX, "٣", [7]],
    "float": ["", "7,5", "seven", True, "NaN", "Infinity", 10**12, "1e-400", "1e400", [7], {}],
    "string": ["x" * (TEXT_LENGTH_MAX + 1), ["a"], {"a": 1}],
    "date": ["", "31.03.2026", "2026-02-30", "soon", True, -1, 10**12, ["2026-03-31"], {}],
    "datetime": ["", "31.03.2026", "2026-02-30", "soon", True, -1, 1774952430000, "²", [1], {}],
    "fixed": ["s", "XL", "", 43, False, ["S"], {"S": 1}],
    "json": [],
}


@pytest.mark.parametrize(
    ("value_type", "sent", "wanted"),
    [(kind, sent, wanted) for kind, pairs in TAKEN.items() for sent, wanted in pairs],
)
def test_a_value_that_fits_is_kept_in_one_form(value_type: str, sent: Any, wanted: Any) -> None:
    found = kept(value_type, sent)
    assert found == wanted
    assert isinstance(found, bool) is isinstance(wanted, bool)
    assert isinstance(found, str) is isinstance(wanted, str)


@pytest.mark.parametrize(
    ("value_type", "sent"),
    [(kind, sent) for kind, values in REFUSED.items() for sent in values],
    ids=lambda each: str(each)[:20],
)
def test_a_value_that_does_not_fit_is_refused_by_name(value_type: str, sent: Any) -> None:
    with pytest.raises(Invalid) as refused:
        kept(value_type, sent)
    assert refused.value.fields.keys() == {"a"}


def test_every_type_is_tried() -> None:
    assert TAKEN.keys() == REFUSED.keys() == set(ValueType)


@pytest.mark.parametrize("value_type", ValueType)
def test_null_clears_an_attribute_of_any_type(value_type: ValueType) -> None:
    assert kept(value_type, None) is None


@pytest.mark.parametrize("value_type", ValueType)
def test_an_inferred_type_takes_everything(value_type: ValueType) -> None:
    attribute = Attribute(ContentType.DEAL, "a", value_type)
    for value in ("x" * 999, 7, True, ["x"], {"x": 1}, Decimal("1.5")):
        assert converted(attribute, value) is value


def test_a_choice_of_many_is_a_list_of_choices_each_once() -> None:
    many = defined(ValueType.FIXED, choices=CHOICES, allows_many=True)
    assert converted(many, ["L", "S", "L", 42]) == ["L", "S", "42"]
    assert converted(many, "S") == ["S"]
    assert converted(many, []) == []
    for wrong in (["S", "XL"], [["S"]], {"S": 1}):
        with pytest.raises(Invalid):
            converted(many, wrong)


def test_what_is_refused_names_choices_but_not_without_end() -> None:
    many = defined(ValueType.FIXED, choices=tuple(f"choice {number}" for number in range(100)))
    with pytest.raises(Invalid) as refused:
        converted(many, "none of them")
    assert "choice 0" in refused.value.fields["a"]
    assert len(refused.value.fields["a"]) < 500


@given(st.sampled_from(ValueType), JSON_VALUES)
def test_whatever_is_sent_is_refused_or_kept_as_json_that_fits_again(
    value_type: ValueType, value: Any
) -> None:
    """What was kept can be read from an answer and sent back, and changes nothing."""
    try:
        found = kept(value_type, value)
    except Invalid:
        return
    told = json.loads(json.dumps(found))
    assert told == found
    assert kept(value_type, told) == found


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_moment_is_kept_to_the_microsecond(at: datetime) -> None:
    assert datetime.fromisoformat(kept("datetime", at.isoformat())) == at
