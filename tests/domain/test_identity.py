"""Who is who: one e-mail is one contact however it is written, and no guest is another."""

import hashlib
import string

from hypothesis import given
from hypothesis import strategies as st

from ordertrail.domain.identity import Strategy, custom_id, folded_email
from ordertrail.domain.order import Customer

EMAILS = st.emails()
ORDERS = st.text(string.ascii_letters + string.digits + "-#", min_size=1, max_size=20)
BLANKS = st.sampled_from(["", " ", "\t", "\n  "])


def test_the_guides_recommendation_is_the_sha256_of_the_email() -> None:
    wanted = hashlib.sha256(b"john@example.com").hexdigest()
    for spelt in ("john@example.com", " John@Example.COM ", "JOHN@EXAMPLE.COM\n"):
        assert custom_id(Customer(email=spelt), Strategy.EMAIL_SHA256, "1") == wanted


@given(EMAILS, BLANKS, ORDERS, ORDERS, st.sampled_from([Strategy.EMAIL, Strategy.EMAIL_SHA256]))
def test_an_email_is_one_contact_in_every_order_and_spelling(
    email: str, blank: str, first: str, second: str, strategy: Strategy
) -> None:
    spelt = blank + email.upper() + blank
    one = custom_id(Customer(email=email), strategy, first)
    if email.upper().lower() == email.lower():
        assert custom_id(Customer(email=spelt, shop_id="7"), strategy, second) == one
    assert folded_email(one) == one


@given(ORDERS, ORDERS, st.sampled_from(Strategy), BLANKS | st.none())
def test_guests_are_never_merged(
    first: str, second: str, strategy: Strategy, email: str | None
) -> None:
    guest = Customer(email=email)
    same = custom_id(guest, strategy, first) == custom_id(guest, strategy, second)
    assert same is (first == second)


@given(EMAILS, ORDERS)
def test_with_the_shops_own_id_guests_of_one_email_are_apart(email: str, order: str) -> None:
    guest = Customer(email=email)
    first = custom_id(guest, Strategy.SHOP_ID, order)
    assert first != custom_id(guest, Strategy.SHOP_ID, order + "x")
    assert custom_id(Customer(email=email, shop_id="17"), Strategy.SHOP_ID, order) == "17"
