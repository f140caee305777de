"""The page of a contact, and the way to it by whatever the contact is known by."""

from collections.abc import Callable
from typing import Any

import pytest
import shop

import served
from asgi import Reply

PUBLIC = "/api/public"
Call = Callable[..., Reply]


@pytest.fixture
def call(platform: served.Served, token: str) -> Call:
    """A shop that calls the API."""

    def made(method: str, path: str, body: Any = None) -> Reply:
        reply = platform.call(token, method, f"{PUBLIC}/{path}", body)
        assert reply.status < 300, reply.text
        return reply

    return made


@pytest.fixture
def browser(platform: served.Served) -> shop.Browser:
    return shop.signed_in(platform)


@pytest.fixture
def people(call: Call) -> list[dict[str, Any]]:
    """Ada, and a guest who ordered and turned out to be her."""
    ada = {"custom_id": "ada", "email": "ada@example.com", "first_name": "Ada"}
    guest = {"custom_id": "guest-7", "email": "Old@Example.com", "phone_number": "+48 600 1"}
    made = [call("POST", "users/", body).json for body in (ada, guest)]
    call("POST", "deals/", {"custom_id": "D", "name": "Order D", "user_custom_id": "guest-7"})
    return made


@pytest.fixture
def merged(call: Call, people: list[dict[str, Any]]) -> list[dict[str, Any]]:
    call("POST", "users/merge/", {"parent": 1, "users_list": [2]})
    return people


def found(browser: shop.Browser, text: str, kind: str = "contacts") -> list[int]:
    page = browser.get(f"/console/{kind}.json?q={text}").json
    assert page["count"] == len(page[kind])
    return [each["id"] for each in page[kind]]


@pytest.mark.usefixtures("merged")
@pytest.mark.parametrize("twin", ["", ".json"])
def test_the_address_of_a_merged_contact_leads_to_the_page_of_its_parent(
    browser: shop.Browser, twin: str
) -> None:
    reply = browser.get(f"/console/contacts/2{twin}?cursor=x")
    assert (reply.status, reply.headers["location"]) == (303, f"/console/contacts/1{twin}")
    assert reply.headers["cache-control"] == "no-store"
    page = browser.get(reply.headers["location"])
    assert page.status == 200
    assert "Order D" in page.text


@pytest.mark.parametrize(
    "text", ["old@exam", "OLD@EXAMPLE.COM", "guest-7", "%2B48+600", "ada", "ada@"]
)
def test_a_merged_contact_is_found_as_its_parent(
    browser: shop.Browser, merged: list[dict[str, Any]], text: str
) -> None:
    assert found(browser, text) == [1]
    assert found(browser, merged[1]["user_key"]) == [1]


@pytest.mark.usefixtures("merged")
def test_an_order_is_found_by_the_e_mail_it_was_made_with_also_after_a_merge(
    browser: shop.Browser,
) -> None:
    assert found(browser, "old@exam", "deals") == [1]


def test_a_contact_is_found_by_its_whole_user_key_and_the_beginning_of_its_phone(
    browser: shop.Browser, people: list[dict[str, Any]]
) -> None:
    key = people[1]["user_key"]
    assert found(browser, key) == [2]
    assert found(browser, key[:-1]) == []
    assert found(browser, "%2B48+6") == [2]
    assert found(browser, "48+6") == []
    page = browser.get("/console/contacts/2")
    assert key in page.text
    assert browser.get("/console/contacts/2.json").json["user_key"] == key
