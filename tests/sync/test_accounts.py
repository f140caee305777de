"""One person stays one contact when the e-mail changes, and only when somebody vouches for it."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from made_orders import JOHN, PLACED

from ordertrail.domain.identity import Strategy
from ordertrail.domain.order import Customer, Order
from ordertrail.sync import accounts
from ordertrail.sync.accounts import PlannedAccount
from ordertrail.sync.flow import desired
from ordertrail.sync.operations import Kind, Operation
from ordertrail.sync.plan import Planned, PlannedContact, PlannedOrder, plan
from ordertrail.sync.rules import Flow

FLOW = Flow(identity=Strategy.EMAIL)


class Shop:
    """Plans snapshots one after the other, as an outbox does."""

    def __init__(self, flow: Flow = FLOW) -> None:
        self.flow = flow
        self.orders: dict[str, PlannedOrder] = {}
        self.contacts: dict[str, PlannedContact] = {}
        self.accounts: dict[str, PlannedAccount] = {}

    def takes(self, order: Order) -> list[Operation]:
        wanted = desired(order, self.flow)
        assert wanted is not None
        account = self.accounts.get(wanted.account or "")
        person = accounts.person(wanted, account)
        before = Planned(
            self.contacts.get(person, PlannedContact()),
            self.orders.get(order.id, PlannedOrder()),
            account,
        )
        made = plan("shop", order.id, wanted, before)
        self.contacts[person] = made.planned.contact
        self.orders[order.id] = made.planned.order
        if wanted.account and made.planned.account:
            self.accounts[wanted.account] = made.planned.account
        return made.operations


def order(number: int, email: str | None, account: str | None = "17", day: int = 0) -> Order:
    customer = Customer(email, account, first_name="John")
    at = PLACED.placed_at + timedelta(days=day or number)
    return replace(PLACED, id=f"O{number}", customer=customer, placed_at=at)


def merges(operations: list[Operation]) -> list[tuple[str, str]]:
    return [
        (each.call.body["users_list"][0], each.call.body["parent"])
        for each in operations
        if each.kind is Kind.MERGE
    ]


def users(operations: list[Operation]) -> set[Any]:
    return {each.call.body.get("user_custom_id") for each in operations} - {None}


def test_a_changed_email_of_an_account_merges_the_old_contact_into_the_new() -> None:
    shop = Shop()
    first = shop.takes(order(1, "old@example.com"))
    second = shop.takes(order(2, "new@example.com"))
    assert [each.kind for each in second[:3]] == [Kind.CONTACT, Kind.MERGE, Kind.DEAL]
    assert merges(second) == [("old@example.com", "new@example.com")]
    assert {each.lane for each in first + second} == {"old@example.com"}
    assert merges(shop.takes(order(3, "new@example.com"))) == []


def test_an_order_placed_before_the_change_belongs_to_the_new_contact_and_undoes_nothing() -> None:
    shop = Shop()
    shop.takes(order(1, "old@example.com"))
    shop.takes(order(5, "new@example.com"))
    late = shop.takes(order(3, "old@example.com"))
    assert merges(late) == []
    assert users(late) == {"new@example.com"}
    again = shop.takes(replace(order(1, "old@example.com"), cancelled_at=PLACED.placed_at))
    assert users(again) == {"new@example.com"}
    assert "old@example.com" not in str([each.call for each in late + again])


def test_without_an_account_nobody_vouches_for_a_changed_email() -> None:
    shop = Shop()
    shop.takes(order(1, "john@example.com", None))
    stranger = shop.takes(order(1, "mallory@example.com", None))
    assert merges(stranger) == []
    assert users(stranger) == {"mallory@example.com"}


def test_two_guests_are_two_contacts_and_one_that_says_who_it_was_is_merged() -> None:
    shop = Shop()
    first, second = (shop.takes(order(n, None, None)) for n in (1, 2))
    assert (users(first), users(second)) == ({"guest:O1"}, {"guest:O2"})
    named = shop.takes(order(1, "ann@example.com", None))
    assert merges(named) == [("guest:O1", "ann@example.com")]


def test_an_order_of_an_account_without_an_email_is_that_of_its_contact() -> None:
    shop = Shop()
    shop.takes(order(1, "ann@example.com"))
    nameless = shop.takes(order(2, None))
    assert users(nameless) == {"ann@example.com"}
    assert merges(nameless) == []
    assert merges(shop.takes(order(3, "ann@example.com"))) == []


def test_an_account_that_never_said_an_email_is_merged_once_it_does() -> None:
    shop = Shop()
    assert users(shop.takes(order(1, None))) == {"guest:O1"}
    assert merges(shop.takes(order(1, "ann@example.com"))) == [("guest:O1", "ann@example.com")]


def test_with_the_shops_ids_as_identity_a_new_email_is_a_field_like_others() -> None:
    shop = Shop(Flow(identity=Strategy.SHOP_ID))
    shop.takes(order(1, "old@example.com"))
    second = shop.takes(order(2, "new@example.com"))
    assert merges(second) == []
    assert second[0].call.body == {
        "custom_id": "17", "email": "new@example.com", "first_name": "John",
    }  # fmt: skip


def test_an_email_that_comes_back_is_merged_back_under_another_key() -> None:
    shop, keys = Shop(), set()
    for number, email in enumerate(["a@x.example", "b@x.example", "a@x.example", "b@x.example"]):
        found = [e for e in shop.takes(order(number + 1, email)) if e.kind is Kind.MERGE]
        keys |= {each.key for each in found}
    assert len(keys) == 3


EMAILS = st.sampled_from(["a@x.example", "b@x.example", "c@x.example", None])


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 4), EMAILS), min_size=1, max_size=8))
def test_an_account_is_the_contact_of_its_latest_order_with_an_email(
    taken: list[tuple[int, str | None]],
) -> None:
    shop, keys = Shop(), []
    merged: dict[str, str] = {}
    emails = dict(taken)
    for number, email in emails.items():
        operations = shop.takes(order(number, email))
        keys += [each.key for each in operations]
        merged |= dict(merges(operations))
    assert len(keys) == len(set(keys))
    with_email = [number for number, email in emails.items() if email]
    if with_email:
        assert shop.accounts["17"].custom_id == emails[max(with_email)]


def test_john_of_the_other_tests_is_one_account() -> None:
    shop = Shop()
    shop.takes(PLACED)
    assert shop.accounts == {
        JOHN.shop_id: PlannedAccount(
            "john@example.com", shop.accounts["17"].as_of, "john@example.com"
        )
    }
