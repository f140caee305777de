"""Contacts and products: what is sent is kept, and older news does not undo newer."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ordertrail.domain import contact as contacts
from ordertrail.domain import product as products
from ordertrail.domain.absent import ABSENT
from ordertrail.domain.contact import LENGTHS_MAX, PROFILE, Contact, ContactChange
from ordertrail.domain.errors import Invalid
from ordertrail.domain.product import Product

T0 = datetime(2026, 1, 1, tzinfo=UTC)
NOW = T0 + timedelta(days=30)
ANN = Contact(
    1, "key", T0, T0, "A", "ann@shop.test", {"first_name": "Ann", "city": "York"}, {"size": "L"}
)
CUP = Product(1, "P", T0, T0)
FIELDS = st.dictionaries(st.sampled_from(["city", "region"]), st.sampled_from(["York", None, 5]))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (ContactChange("A"), {}),
        (ContactChange("A", "ann@shop.test", {"city": "York"}, {"size": "L"}), {}),
        (ContactChange("A", profile={"region": None}), {}),
        (ContactChange("A", "b@shop.test"), {"email": ("ann@shop.test", "b@shop.test")}),
        (ContactChange("A", None), {"email": ("ann@shop.test", None)}),
        (ContactChange("A", profile={"city": None}), {"city": ("York", None)}),
        (ContactChange("A", attributes={"age": 5}), {"age": (None, 5)}),
        (ContactChange("B"), {"custom_id": ("A", "B")}),
    ],
)
def test_only_what_was_sent_is_touched(
    change: ContactChange, told: dict[str, tuple[Any, Any]]
) -> None:
    changed, changes = contacts.apply(ANN, change, NOW)
    assert changes == told
    assert (changed is ANN) is (not told)
    assert changed.updated_at == (NOW if told else T0)
    assert changed.profile["first_name"] == "Ann"


@given(FIELDS, FIELDS)
def test_the_same_change_again_is_no_change(
    profile: dict[str, Any], attributes: dict[str, Any]
) -> None:
    change = ContactChange("A", ABSENT, profile, attributes)
    once, _ = contacts.apply(ANN, change, NOW)
    again, changes = contacts.apply(once, change, NOW + timedelta(days=1))
    assert again is once
    assert changes == {}


@pytest.mark.parametrize("name", sorted({*LENGTHS_MAX, *PROFILE} - {"custom_id", "email"}))
def test_a_text_that_is_too_long_is_refused_at_its_edge(name: str) -> None:
    longest = LENGTHS_MAX.get(name, contacts.LENGTH_MAX)
    contacts.check(ContactChange("A", profile={name: "x" * longest}))
    with pytest.raises(Invalid) as refused:
        contacts.check(ContactChange("A", profile={name: "x" * (longest + 1)}))
    assert refused.value.fields == {name: f"must have at most {longest} characters"}


def test_one_must_tell_who_it_is() -> None:
    contacts.check(ContactChange(None, "a@b.c"))
    for nobody in (ContactChange(), ContactChange(None, None), ContactChange(None, "")):
        with pytest.raises(Invalid, match="custom_id, or at least email"):
            contacts.check(nobody)


def test_every_wrong_field_is_named() -> None:
    with pytest.raises(Invalid) as refused:
        contacts.check(ContactChange("x" * 256, "nobody", {"city": "x" * 65}))
    assert refused.value.fields.keys() == {"custom_id", "email", "city"}


def test_a_contact_has_something_to_be_called_by() -> None:
    assert ANN.name == "Ann"
    assert Contact(5, "k", T0, T0, email="b@shop.test").name == "b@shop.test"
    assert Contact(5, "k", T0, T0).name == "Contact 5"


NEWS = st.lists(
    st.tuples(st.integers(0, 20), st.dictionaries(st.just("name"), st.sampled_from("abc"))),
    max_size=8,
)


def described(news: list[tuple[int, dict[str, str]]]) -> Product:
    product = CUP
    for day, details in news:
        product, _ = products.describe(product, details, {}, T0 + timedelta(days=day), NOW)
    return product


@given(NEWS)
def test_the_newest_word_on_a_product_stands_whatever_came_last(
    news: list[tuple[int, dict[str, str]]],
) -> None:
    once_a_day = list({day: (day, details) for day, details in news if details}.values())
    newest = max(once_a_day, default=None)
    for order in (once_a_day, once_a_day[::-1], sorted(once_a_day), sorted(once_a_day)[::-1]):
        product = described(order)
        assert product.details == (newest[1] if newest else {})
        assert product.described_at == (T0 + timedelta(days=newest[0]) if newest else None)


def test_a_description_of_nothing_new_changes_nothing() -> None:
    told, changes = products.describe(CUP, {"name": "Cup"}, {"size": "L"}, T0, NOW)
    assert changes == {"name": (None, "Cup"), "size": (None, "L")}
    assert told.updated_at == NOW
    later = T0 + timedelta(days=1)
    again, changes = products.describe(told, {"name": "Cup"}, {}, later, later)
    assert (changes, again.updated_at, again.described_at) == ({}, NOW, later)
    assert products.describe(told, {}, {}, later, later) == (told, {})
    assert products.describe(told, {"name": "Mug"}, {}, T0, NOW)[0].name == "Mug"
    assert products.describe(again, {"name": "Old"}, {}, T0, NOW) == (again, {})


@pytest.mark.parametrize("name", ["order", " Order ", "ADD TO CART"])
def test_an_event_type_is_read_in_any_case(name: str) -> None:
    assert products.event_type(name) == name.strip().lower()


@given(st.text(max_size=20) | st.none() | st.integers())
def test_only_the_types_of_the_api_are_event_types(name: object) -> None:
    if not isinstance(name, str) or name.strip().lower() not in products.EVENT_TYPES:
        with pytest.raises(Invalid, match=r"event_type.*purchase"):
            products.event_type(name)


def test_a_value_that_differs_in_its_depth_is_another_one() -> None:
    at = datetime(2026, 1, 2, tzinfo=UTC)
    before = Contact(1, "key", at, at, custom_id="A", attributes={"a": {"x": [1]}})
    said = ContactChange(custom_id="A", attributes={"a": {"x": [True]}})
    changed, changes = contacts.apply(before, said, at)
    assert changed.attributes["a"]["x"][0] is True
    assert changes.keys() == {"a"}
