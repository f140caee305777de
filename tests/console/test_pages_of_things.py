"""The page of one thing: what it belongs to, and the way to a contact by all it is known by."""

from typing import Any

import pytest
from visits import Seen, look_at

import served
from ordertrail.domain.journal import Subject
from ordertrail.domain.tag import Tag
from ordertrail.kit.database import Tx
from ordertrail.store import tags


@pytest.fixture
def seen(platform: served.Served, token: str) -> Seen:
    return look_at(platform, token)


@pytest.fixture
def people(seen: Seen) -> list[dict[str, Any]]:
    """Ada, and a guest who ordered and turned out to be her."""
    ada = {"custom_id": "ada", "email": "ada@example.com", "first_name": "Ada"}
    guest = {"custom_id": "guest-7", "email": "Old@Example.com", "phone_number": "+48 600 1"}
    made = [seen.call("POST", "users/", body) for body in (ada, guest)]
    seen.call("POST", "deals/", {"custom_id": "D", "name": "Order D", "user_custom_id": "guest-7"})
    return made


@pytest.fixture
def merged(seen: Seen, people: list[dict[str, Any]]) -> list[dict[str, Any]]:
    seen.call("POST", "users/merge/", {"parent": 1, "users_list": [2]})
    return people


def found(seen: Seen, text: str, kind: str = "contacts") -> list[int]:
    page = seen.browser.get(f"/console/{kind}.json?q={text}").json
    assert page["count"] == len(page[kind])
    return [each["id"] for each in page[kind]]


@pytest.mark.usefixtures("merged")
@pytest.mark.parametrize("twin", ["", ".json"])
def test_the_address_of_a_merged_contact_leads_to_the_page_of_its_parent(
    seen: Seen, twin: str
) -> None:
    reply = seen.browser.get(f"/console/contacts/2{twin}?cursor=x")
    assert (reply.status, reply.headers["location"]) == (303, f"/console/contacts/1{twin}")
    assert reply.headers["cache-control"] == "no-store"
    page = seen.browser.get(reply.headers["location"])
    assert page.status == 200
    assert "Order D" in page.text


@pytest.mark.parametrize(
    "text", ["old@exam", "OLD@EXAMPLE.COM", "guest-7", "%2B48+600", "ada", "ada@"]
)
def test_a_merged_contact_is_found_as_its_parent(
    seen: Seen, merged: list[dict[str, Any]], text: str
) -> None:
    assert found(seen, text) == [1]
    assert found(seen, merged[1]["user_key"]) == [1]


@pytest.mark.usefixtures("merged")
def test_an_order_is_found_by_the_e_mail_it_was_made_with_also_after_a_merge(
    seen: Seen,
) -> None:
    assert found(seen, "old@exam", "deals") == [1]


def test_a_contact_is_found_by_its_whole_user_key_and_the_beginning_of_its_phone(
    seen: Seen, people: list[dict[str, Any]]
) -> None:
    key = people[1]["user_key"]
    assert found(seen, key) == [2]
    assert found(seen, key[:-1]) == []
    assert found(seen, "%2B48+6") == [2]
    assert found(seen, "48+6") == []
    page = seen.browser.get("/console/contacts/2")
    assert key in page.text
    assert seen.browser.get("/console/contacts/2.json").json["user_key"] == key


def test_a_contact_shows_its_tags_lists_and_companies(seen: Seen) -> None:
    seen.call("POST", "users/", {"custom_id": "ada", "company_custom_id": "Acme"})
    assert "Tags" not in seen.text("contacts/1").partition("Profile")[2]
    seen.call("POST", "lists/", {"name": "Newsletter"})
    seen.call("POST", "users/1/add_many_tags/", {"tag_names": ["vip", "gold"]})
    seen.call("POST", "users/1/add_to_list/", {"list": 1})
    assert "Tags vip, gold Lists Newsletter Companies Acme Known since" in seen.text("contacts/1")
    page = seen.browser.get("/console/contacts/1.json").json
    assert (page["tags"], page["lists"], page["companies"]) == (
        ["vip", "gold"],
        ["Newsletter"],
        ["Acme"],
    )


def test_a_deal_shows_its_tags_and_company_and_who_takes_part(seen: Seen) -> None:
    for name in ("ada", "bob"):
        seen.call("POST", "users/", {"custom_id": name, "first_name": name.title()})
    seen.call("POST", "companies/", {"custom_id": "acme", "name": "Acme"})
    more = {"company_custom_id": "acme", "tags": ["gift", "late"], "participants": [1, 2]}
    seen.call("POST", "deals/", {"custom_id": "D", "name": "Order D", **more})
    page = seen.text("deals/1")
    order = page.rpartition(" Order ID ")[2]
    assert "Company Acme Tags gift, late Stage New order" in order
    assert "Participants Ada, Bob" in order
    assert "acme" not in order
    seen.call("DELETE", "companies/1/")
    seen.call("DELETE", "users/2/")
    order = seen.text("deals/1").rpartition(" Order ID ")[2]
    assert "Company" not in order
    assert "Participants Ada " in order


def test_a_product_shows_its_tags(seen: Seen, platform: served.Served) -> None:
    seen.call("POST", "products/", {"custom_id": "LAMP", "name": "Lamp"})
    made = [Tag(1, "new"), Tag(2, "sale")]

    def bear(tx: Tx) -> None:
        tags.add(tx, 1, made, platform.now())
        tags.attach(tx, 1, Subject.PRODUCT, [(1, tag.id) for tag in made])

    platform.database.write(bear)
    assert "SKU LAMP Tags new, sale Known since" in seen.text("products/1")


def test_a_price_has_the_currency_of_the_newest_line_on_its_page_as_in_the_list(
    seen: Seen,
) -> None:
    seen.call("POST", "products/", {"custom_id": "LAMP", "price": 1049.5})
    assert "Price 1,049.5 Known" in seen.text("products/1")
    for number, currency in enumerate(("USD", "EUR")):
        line = {"product_custom_id": "LAMP", "value": 1049.5, "currency": currency, "quantity": 1}
        body = {"custom_id": f"D{number}", "name": "D", "order_products": [line]}
        seen.call("POST", "deals/", body)
    assert "Price 1,049.50 EUR Known" in seen.text("products/1")
    assert "LAMP LAMP 2 1,049.50 EUR" in seen.text("products")


def test_a_price_in_whole_units_is_shown_so_while_nothing_tells_its_currency(seen: Seen) -> None:
    seen.call("POST", "products/", {"custom_id": "LAMP", "price": 5})
    assert "Price 5 Known" in seen.text("products/1")
    assert "LAMP LAMP 0 5 Times" in seen.text("products")


def test_what_a_deal_adds_to_its_lines_has_the_decimals_of_its_currency(seen: Seen) -> None:
    line = {"product_custom_id": "LAMP", "value": 5, "currency": "EUR", "quantity": 1}
    more = {"order_products": [line], "currency": "EUR", "value": 9.5, "delivery_cost": 4.5}
    seen.call("POST", "deals/", {"custom_id": "D", "name": "D", **more})
    assert "Delivery 4.50" in seen.text("deals/1")
