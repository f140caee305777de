"""One contact of several: whose values it has, and how much it holds at most."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ordertrail.domain import contact as rules
from ordertrail.domain.attribute import ATTRIBUTES_MAX
from ordertrail.domain.contact import MERGED_ATTRIBUTES_MAX, Contact, ContactChange
from ordertrail.domain.errors import Conflict, Invalid
from ordertrail.domain.tag import Tag

AT = datetime(2026, 3, 1, tzinfo=UTC)
VALUES = st.dictionaries(st.sampled_from("abcde"), st.none() | st.integers(0, 9) | st.booleans())
NAMES = st.none() | st.sampled_from(["x@b.c", "y@b.c"])
TAGS = st.sets(st.integers(1, 4)).map(lambda ids: tuple(Tag(i, f"t{i}") for i in sorted(ids)))


def contact(number: int, made: tuple[Any, ...]) -> Contact:
    custom_id, email, profile, attributes, tags = made
    return Contact(number, f"k{number}", AT, AT, custom_id, email, profile, attributes, tags)


PEOPLE = st.lists(st.tuples(NAMES, NAMES, VALUES, VALUES, TAGS), min_size=2, max_size=5).map(
    lambda made: [contact(number, each) for number, each in enumerate(made, 1)]
)


@given(PEOPLE, st.randoms())
def test_each_value_is_the_parents_or_that_of_the_lowest_id_that_has_one(
    people: list[Contact], chance: Any
) -> None:
    parent = chance.choice(people)
    others = [each for each in people if each is not parent]
    merged, changes = rules.merge(parent, chance.sample(others, len(others)), AT)
    in_order = [parent, *others]
    for kind in ("profile", "attributes"):
        told = getattr(merged, kind)
        for name in {name for each in in_order for name in getattr(each, kind)}:
            said = [getattr(each, kind).get(name) for each in in_order]
            assert told.get(name) is next((v for v in said if v is not None), None)
    for name in ("custom_id", "email"):
        said = [getattr(each, name) for each in in_order]
        assert getattr(merged, name) == next(filter(None, said), None)
    assert set(merged.tags) == {tag for each in people for tag in each.tags}
    assert (merged.id, merged.user_key) == (parent.id, parent.user_key)
    assert changes["merged"] == (None, [each.id for each in others])


def test_a_merged_contact_keeps_more_attributes_than_one_contact_may_be_given() -> None:
    parent, other = (
        Contact(number, f"k{number}", AT, AT, attributes={f"{number}_{n}": n for n in range(400)})
        for number in (1, 2)
    )
    one, changes = rules.merge(parent, [other], AT)
    assert one.attributes == {**parent.attributes, **other.attributes}
    assert changes.keys() == {*other.attributes, "merged"}
    changed, _ = rules.apply(one, ContactChange(attributes={"2_7": "new"}), AT)
    assert changed.attributes == {**one.attributes, "2_7": "new"}
    with pytest.raises(Invalid):
        rules.apply(one, ContactChange(attributes={"another": 1}), AT)


def test_contacts_with_too_many_attributes_together_are_not_merged() -> None:
    parent = Contact(1, "k1", AT, AT)
    full = [
        Contact(
            number,
            f"k{number}",
            AT,
            AT,
            attributes={f"{number}_{n}": n for n in range(ATTRIBUTES_MAX)},
        )
        for number in range(2, 13)
    ]
    one, _ = rules.merge(parent, full[:-1], AT)
    assert len(one.attributes) == MERGED_ATTRIBUTES_MAX
    with pytest.raises(Conflict, match="5,000 attributes"):
        rules.merge(parent, full, AT)
