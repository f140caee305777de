import json
import shlex
import subprocess
from datetime import UTC, datetime
from decimal import Decimal
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ordertrail.client import calls
from ordertrail.client.calls import Call
from ordertrail.domain.contact import ContactChange
from ordertrail.domain.deal import DealChange, SentLine, Status
from ordertrail.domain.event import NewEvent
from ordertrail.domain.product import NewProductEvent
from ordertrail.wire import body

USER = "8b1a9953c4611296a827abf8c47804d7e6c49c6b97d5e1f3c0a2b4d6e8f0a1c3"


def test_a_contact_is_upserted_as_in_the_guide() -> None:
    profile = {"first_name": "John", "last_name": "Doe", "phone_number": "+1234567890"}
    call = calls.upsert_contact(ContactChange(USER, "john@example.com", profile=profile))
    assert (call.method, call.path) == ("POST", "/api/public/users/update_or_create/")
    assert call.body == {
        "custom_id": USER,
        "email": "john@example.com",
        "first_name": "John",
        "last_name": "Doe",
        "phone": "+1234567890",
    }


def test_a_deal_is_upserted_as_in_the_guide() -> None:
    line = SentLine(1, 129_900_000, product_custom_id="SKU-1", currency="USD")
    change = DealChange(
        "ORD-1", stage=13, status=Status.IN_PROGRESS, value=Decimal("149.90"), lines=(line,)
    )
    call = calls.upsert_deal(change)
    assert (call.method, call.path) == ("POST", "/api/public/deals/update_or_create/")
    assert json.loads(body.encode(call.body)) == {
        "custom_id": "ORD-1",
        "stage": 13,
        "status": 1,
        "value": 149.90,
        "order_products": [
            {"product_custom_id": "SKU-1", "value": 129.90, "currency": "USD", "quantity": 1}
        ],
    }


def test_a_product_event_names_the_product_in_the_path() -> None:
    event = NewProductEvent("order", user_custom_id=USER)
    call = calls.create_product_event("SKU-HEADPHONES-BLK", event)
    assert call.path == "/api/public/products-by-id/SKU-HEADPHONES-BLK/product_event/"
    assert call.body == {"user_custom_id": USER, "event_type": "order"}


def test_an_event_names_the_contact_in_the_path() -> None:
    at = datetime(2026, 1, 2, tzinfo=UTC)
    call = calls.create_event(USER, NewEvent("purchase_completed", at, {"order_id": "ORD-1"}))
    assert call.path == f"/api/public/users-by-id/{USER}/events/"
    assert call.body == {
        "name": "purchase_completed",
        "timestamp": 1767312000,
        "data": {"order_id": "ORD-1"},
    }


@pytest.mark.parametrize(
    ("custom_id", "shown"),
    [
        ("a@b.c", "a@b.c"),
        ("MTI=", "MTI="),
        ("guest:1", "guest:1"),
        ("a+b", "a+b"),
        ("a/b", "a%2Fb"),
        ("50% off?#", "50%25%20off%3F%23"),
        ("ü", "%C3%BC"),
    ],
)
def test_an_id_is_escaped_in_a_path_where_it_must_be(custom_id: str, shown: str) -> None:
    call = calls.create_event(custom_id, NewEvent("seen"))
    assert call.path == f"/api/public/users-by-id/{shown}/events/"


@given(st.text(min_size=1))
def test_any_id_is_one_part_of_the_path_and_can_be_read_back(custom_id: str) -> None:
    path = calls.create_product_event(custom_id, NewProductEvent("order")).path
    assert [unquote(part) for part in path.split("/")][4:] == [custom_id, "product_event", ""]
    assert path.isascii()
    assert not set(path) & set(" ?#")


def test_a_call_is_shown_as_curl_that_a_shell_reads_as_it_was_meant() -> None:
    call = Call("POST", "/api/public/x/", {"name": "it's $HOME", "value": Decimal("1.50")})
    command = call.as_curl("https://acme.user.com/")
    script = f"curl() {{ printf '%s\\0' \"$@\"; }}; ORDERTRAIL_TOKEN=secret; {command}"
    done = subprocess.run(["sh", "-c", script], capture_output=True, check=True)
    said = done.stdout.decode().split("\0")
    assert said[:3] == ["-X", "POST", "https://acme.user.com/api/public/x/"]
    assert "Authorization: Token secret" in said
    assert "Accept: */*; version=2" in said
    assert json.loads(said[said.index("-d") + 1]) == {"name": "it's $HOME", "value": 1.50}
    assert '"value": 1.50' in command


def test_a_call_without_a_body_is_shown_without_one() -> None:
    words = shlex.split(calls.ABOUT.as_curl("http://localhost:8000"))
    assert "-d" not in words
    assert words[:4] == [
        "curl", "-X", "GET", "http://localhost:8000/api/ordertrail/v1/about/",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("call", "path"),
    [
        (calls.get_contact("a/b"), "users-by-id/a%2Fb/"),
        (calls.get_contact_numbered(7), "users/7/"),
        (calls.get_deal("ORD 1"), "deals-by-id/ORD%201/"),
        (calls.list_events("a?"), "users-by-id/a%3F/events/"),
        (calls.list_product_events("a"), "users-by-id/a/product_events/"),
        (calls.list_stages(), "stages/"),
        (calls.list_pipelines(), "pipelines/"),
    ],
)
def test_what_is_read_has_an_address_and_no_body(call: Call, path: str) -> None:
    assert call == Call("GET", f"/api/public/{path}")


def test_a_product_has_at_least_its_id_for_a_name() -> None:
    assert calls.create_product("7", {}).body == {"custom_id": "7", "name": "7"}
    call = calls.create_product("7", {"name": "Lamp", "price": 9, "custom_id": "other"})
    assert (call.method, call.path) == ("POST", "/api/public/products/")
    assert call.body == {"custom_id": "7", "name": "Lamp", "price": 9}


def test_contacts_are_merged_by_the_numbers_of_the_endpoint() -> None:
    call = calls.merge_contacts(1, (2, 3))
    assert (call.method, call.path) == ("POST", "/api/public/users/merge/")
    assert call.body == {"parent": 1, "users_list": [2, 3]}
