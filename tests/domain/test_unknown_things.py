"""What is told of a thing that is not there."""

import pytest

from ordertrail.domain.contact import ContactName
from ordertrail.domain.errors import unknown


@pytest.mark.parametrize(
    ("name", "of", "told"),
    [
        (7, "", "no contact with the id 7"),
        (7, "user_", "no contact with the user_id 7"),
        (ContactName(7), "", "no contact with the id 7"),
        (ContactName(7, "ada"), "", "no contact with this custom_id"),
        (ContactName(custom_id="ada"), "user_", "no contact with this user_custom_id"),
        (ContactName(user_key="k"), "", "no such contact"),
    ],
)
def test_it_is_told_by_the_name_that_counts_and_an_id_of_the_shop_is_not_repeated(
    name: ContactName | int, of: str, told: str
) -> None:
    assert str(unknown("contact", name, of)) == told
