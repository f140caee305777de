"""Attributes: types grow with what is sent, lose nothing, and do not depend on the order."""

from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ordertrail.domain import attribute
from ordertrail.domain.attribute import Attribute, ContentType, ValueType
from ordertrail.domain.errors import Invalid

TYPES = st.sampled_from(ValueType)
VALUES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.decimals(allow_nan=False)
    | st.dates().map(str)
    | st.datetimes().map(str)
    | st.datetimes().map(lambda at: at.isoformat() + "Z")
    | st.text(max_size=30)
    | st.lists(st.integers(), max_size=2)
    | st.dictionaries(st.text(max_size=3), st.integers(), max_size=2)
)
SENT = st.lists(st.dictionaries(st.sampled_from(["a", "b", "c"]), VALUES, max_size=3), max_size=6)
DEAL = ContentType.DEAL


@given(TYPES, TYPES, TYPES)
def test_widening_does_not_depend_on_the_order(a: ValueType, b: ValueType, c: ValueType) -> None:
    assert attribute.widen(a, a) is a
    assert attribute.widen(a, b) is attribute.widen(b, a)
    assert attribute.widen(attribute.widen(a, b), c) is attribute.widen(a, attribute.widen(b, c))


@given(TYPES, TYPES)
def test_widening_never_loses(a: ValueType, b: ValueType) -> None:
    wider = attribute.widen(a, b)
    assert attribute.widen(wider, a) is attribute.widen(wider, b) is wider
    if ValueType.JSON in (a, b):
        assert wider is ValueType.JSON


def test_the_narrowest_type_that_holds_both_is_taken() -> None:
    assert attribute.widen(ValueType.DATE, ValueType.DATETIME) is ValueType.DATETIME
    assert attribute.widen(ValueType.INTEGER, ValueType.FLOAT) is ValueType.FLOAT
    assert attribute.widen(ValueType.BOOLEAN, ValueType.FLOAT) is ValueType.STRING
    assert attribute.widen(ValueType.STRING, ValueType.JSON) is ValueType.JSON


@pytest.mark.parametrize(
    ("value", "value_type"),
    [
        (True, "boolean"),
        (1, "float"),
        (Decimal("9.99"), "float"),
        ("SUMMER15", "string"),
        ("2026-01-02", "date"),
        ("2026-01-02T03:04:05Z", "datetime"),
        ("2026-01-02 03:04", "datetime"),
        ("20240101112", "string"),
        ("1234567890", "string"),
        ("2026-13-01", "string"),
        ("2026", "string"),
        ([1], "json"),
        ({"a": 1}, "json"),
        ("", "string"),
    ],
)
def test_a_value_shows_its_type(value: object, value_type: str) -> None:
    assert attribute.infer(value) == value_type


@given(SENT)
def test_what_is_learnt_holds_every_value_and_does_not_depend_on_the_order(
    sent: list[dict[str, Any]],
) -> None:
    learnt = attribute.learn(DEAL, {}, sent)
    for values in sent:
        for name, value in values.items():
            if value is not None:
                kept = learnt[name].value_type
                assert attribute.widen(kept, attribute.infer(value)) is kept
    for other in list(permutations(sent))[:24]:
        assert attribute.learn(DEAL, {}, other) == learnt


@given(SENT, SENT)
def test_learning_in_two_steps_ends_where_one_step_does(
    first: list[dict[str, Any]], second: list[dict[str, Any]]
) -> None:
    once = attribute.learn(DEAL, {}, [*first, *second])
    known = attribute.learn(DEAL, {}, first)
    known = {**known, **attribute.learn(DEAL, known, second)}
    assert known == once
    assert attribute.learn(DEAL, known, [*first, *second]) == {}


def test_a_type_that_a_person_chose_is_kept() -> None:
    chosen = Attribute(DEAL, "cost", ValueType.INTEGER, is_inferred=False, id=1)
    assert attribute.learn(DEAL, {"cost": chosen}, [{"cost": "a lot"}]) == {}


def test_a_widened_attribute_keeps_its_id() -> None:
    known = Attribute(DEAL, "cost", ValueType.FLOAT, id=7)
    [wider] = attribute.learn(DEAL, {"cost": known}, [{"cost": "a lot"}]).values()
    assert (wider.id, wider.value_type) == (7, ValueType.STRING)


def test_what_is_far_too_long_for_a_name_is_refused_and_not_remembered() -> None:
    before = attribute._standard_name.cache_info().currsize
    for name in ("x" * 129, "x" * 64 + " " * 65):
        with pytest.raises(Invalid, match="1 to 64 characters") as refused:
            attribute.standard_name(name)
        assert list(refused.value.fields) == ["x" * 64]
    assert attribute._standard_name.cache_info().currsize == before
    assert attribute.standard_name("x" * 64 + " " * 64) == "x" * 64


@given(st.text(max_size=80))
def test_a_name_is_folded_for_good_or_refused(name: str) -> None:
    try:
        folded = attribute.standard_name(name)
    except Invalid:
        return
    assert 0 < len(folded) <= 64
    assert attribute.standard_name(folded) == folded


def test_what_is_taken_away_makes_room_for_what_is_sent() -> None:
    full = {f"a{n}": n for n in range(attribute.ATTRIBUTES_MAX)}
    assert "new" in attribute.changed(full, {"new": 1}, ["a0"])
    with pytest.raises(Invalid):
        attribute.changed(full, {"new": 1}, ["unknown"])
