"""Exports: everything of one kind as a file, made while it is sent."""

import csv
import io
import json
import logging
import sys
from datetime import datetime
from decimal import Decimal
from typing import Any

import pyarrow.parquet
import pytest

from ordertrail.api.exports import ROWS_A_READ
from served import Served

EXPORT = "/api/ordertrail/v1/export"
BATCH = "/api/ordertrail/v1/batch/"
USERS = "/api/public/users/update_or_create/"
DEALS = "/api/public/deals/update_or_create/"
PRODUCTS = "/api/public/products/"

ADA = {
    "custom_id": "007",
    "email": "ada@shop.test",
    "first_name": '=HYPERLINK("http://evil")',
    "last_name": "'+quoted",
    "phone": "+44 20 7946 0000",
    "city": 'Hull, "the" city\nby the Humber',
    "gender": 2,
    "unsubscribed": True,
    "score": 12,
    "size": "L",
    "points": -3.5,
    "likes": ["lamps", 'said "so"'],
    "is_vip": False,
    "born_on": "1990-02-28",
}
LAMP = {"custom_id": "L-1", "name": "Lamp", "price": 19.9, "colour": "@red"}
DEAL = {
    "custom_id": "-1",
    "user_custom_id": "007",
    "name": "Order № 1",
    "stage": 2,
    "status": 2,
    "value": "149.90",
    "currency": "EUR",
    "order_products": [
        {"product_custom_id": "L-1", "quantity": 2, "value": 49.95},
        {"product_custom_id": "L-2", "quantity": 1, "value": "50.000001"},
    ],
    "products_custom_id": ["L-3"],
    "expected_close_date": "2026-03-31",
    "delivery_cost": 9.99,
}


@pytest.fixture
def shop(platform: Served, token: str) -> str:
    for path, body in ((USERS, ADA), (PRODUCTS, LAMP), (DEALS, DEAL), (USERS, {"custom_id": "x"})):
        assert platform.call(token, "POST", path, body).status in (200, 201)
    return token


def exported(platform: Served, token: str, name: str, form: str) -> bytes:
    reply = platform.call(token, "GET", f"{EXPORT}/{name}/?format={form}")
    assert reply.status == 200, reply.text
    assert reply.headers["content-disposition"] == f'attachment; filename="{name}.{form}"'
    assert "content-length" not in reply.headers
    return reply.raw


def cells(raw: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(raw.decode(), newline=""), strict=True))


def rows(raw: bytes) -> list[dict[str, Any]]:
    return [json.loads(line, parse_float=Decimal) for line in raw.splitlines()]


def table(raw: bytes) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = pyarrow.parquet.read_table(io.BytesIO(raw)).to_pylist()
    return found


def test_a_contact_as_csv_has_its_fields_and_attributes_and_no_formula(
    platform: Served, shop: str
) -> None:
    ada, other = cells(exported(platform, shop, "users", "csv"))
    told = {name: ada[name] for name in ADA if name != "phone"}
    assert told == {
        "custom_id": "007",
        "email": "ada@shop.test",
        "first_name": '\'=HYPERLINK("http://evil")',
        "last_name": "''+quoted",
        "city": 'Hull, "the" city\nby the Humber',
        "gender": "male",
        "unsubscribed": "true",
        "score": "12",
        "size": "L",
        "points": "-3.5",
        "likes": '["lamps","said \\"so\\""]',
        "is_vip": "false",
        "born_on": "1990-02-28",
    }
    assert ada["phone_number"] == "'+44 20 7946 0000"
    assert {name for name, text in other.items() if text} == {
        "id", "user_key", "custom_id", "created_at", "updated_at",
    }  # fmt: skip


def test_a_deal_as_csv_has_its_lines_as_json(platform: Served, shop: str) -> None:
    [deal] = cells(exported(platform, shop, "deals", "csv"))
    assert (deal["custom_id"], deal["value"], deal["currency"]) == ("'-1", "149.90", "EUR")
    assert (deal["user_id"], deal["user_custom_id"]) == ("1", "007")
    assert json.loads(deal["products_custom_id"]) == ["L-1", "L-2", "L-3"]
    lines = json.loads(deal["order_products"], parse_float=str)
    assert [(line["product_custom_id"], line["value"]) for line in lines] == [
        ("L-1", "49.95"),
        ("L-2", "50.000001"),
    ]


def test_json_lines_tell_the_same_with_their_types(platform: Served, shop: str) -> None:
    for name in ("users", "products", "deals"):
        told = rows(exported(platform, shop, name, "jsonl"))
        written = cells(exported(platform, shop, name, "csv"))
        assert [list(each) for each in told] == [list(each) for each in written]
    [deal] = rows(exported(platform, shop, "deals", "jsonl"))
    assert deal["value"] == Decimal("149.90")
    assert deal["order_products"][1]["value"] == Decimal("50.000001")
    ada = rows(exported(platform, shop, "users", "jsonl"))[0]
    assert (ada["first_name"], ada["likes"]) == (ADA["first_name"], ADA["likes"])
    assert (ada["is_vip"], ada["points"]) == (False, Decimal("-3.5"))


def test_parquet_has_a_type_for_each_column(platform: Served, shop: str) -> None:
    [deal] = table(exported(platform, shop, "deals", "parquet"))
    assert (deal["custom_id"], deal["status"], deal["value"]) == ("-1", 2, Decimal("149.9000"))
    assert isinstance(deal["created_at"], datetime)
    assert deal["created_at"].tzinfo is not None
    assert deal["delivery_cost"] == Decimal("9.99")
    assert deal["order_products"][1] == {
        "product_id": 3,
        "product_custom_id": "L-2",
        "quantity": 1,
        "value": Decimal("50.000001"),
        "currency": "EUR",
    }
    ada, other = table(exported(platform, shop, "users", "parquet"))
    assert (ada["first_name"], ada["unsubscribed"]) == (ADA["first_name"], True)
    assert (ada["is_vip"], json.loads(ada["likes"])) == (False, ADA["likes"])
    assert other["is_vip"] is None


def test_a_value_that_is_not_of_its_columns_type_is_left_out_of_parquet_alone(
    platform: Served, token: str
) -> None:
    attributes = "/api/public/attributes/"
    for size in ("large", 5, 10**17):
        if size == 5:
            made = {"name": "size", "content_type": "product", "value_type": "integer"}
            assert platform.call(token, "POST", attributes, made).status in (200, 201)
        body = {"custom_id": f"P{size}", "name": 5, "size": size}
        assert platform.call(token, "POST", PRODUCTS, body).status == 201
    told = table(exported(platform, token, "products", "parquet"))
    assert [each["size"] for each in told] == [None, 5, 10**17]
    assert {each["name"] for each in told} == {"5"}
    written = cells(exported(platform, token, "products", "csv"))
    assert [each["size"] for each in written] == ["'large", "5", str(10**17)]


@pytest.mark.parametrize("name", ["users", "products", "deals"])
@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_of_nothing_the_file_is_whole_and_has_no_row(
    platform: Served, token: str, name: str, form: str
) -> None:
    read = {"csv": cells, "jsonl": rows, "parquet": table}[form]
    assert read(exported(platform, token, name, form)) == []


COUNT = 2 * ROWS_A_READ


@pytest.fixture
def crowd(platform: Served, token: str) -> str:
    for start in range(0, COUNT, 500):
        operations = [
            {"method": "POST", "path": USERS, "body": {"custom_id": f"u{number}"}}
            for number in range(start, start + 500)
        ]
        assert platform.call(token, "POST", BATCH, {"operations": operations}).status == 200
    return token


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_everything_is_told_once_and_in_order_however_much_there_is(
    platform: Served, crowd: str, form: str
) -> None:
    read = {"csv": cells, "jsonl": rows, "parquet": table}[form]
    told = [each["custom_id"] for each in read(exported(platform, crowd, "users", form))]
    assert told == [f"u{number}" for number in range(COUNT)]


def test_who_leaves_in_the_middle_ends_the_reading_and_nothing_is_logged(
    platform: Served, crowd: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        reply = platform.call(crowd, "GET", f"{EXPORT}/users/?format=jsonl", leaves_after=1)
    assert len(rows(reply.raw)) == ROWS_A_READ
    assert not caplog.records


def test_a_contact_that_was_merged_into_another_is_not_there(platform: Served, token: str) -> None:
    for custom_id in ("a", "b"):
        platform.call(token, "POST", USERS, {"custom_id": custom_id})
    platform.database.write(
        lambda tx: tx.run("UPDATE contacts SET merged_into = 1 WHERE workspace_id = 1 AND id = 2")
    )
    assert [each["custom_id"] for each in cells(exported(platform, token, "users", "csv"))] == ["a"]


@pytest.mark.parametrize("form", ["xlsx", "CSV", "json"])
def test_another_format_is_refused_with_the_list(platform: Served, token: str, form: str) -> None:
    reply = platform.call(token, "GET", f"{EXPORT}/deals/?format={form}")
    assert reply.status == 400
    assert reply.json["errors"] == {"format": ["must be one of: csv, jsonl, parquet"]}


def test_without_pyarrow_parquet_is_501_and_says_what_to_install(
    platform: Served, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    reply = platform.call(token, "GET", f"{EXPORT}/deals/?format=parquet")
    assert reply.status == 501
    assert "ordertrail[insight]" in reply.json["detail"]
    assert platform.call(token, "GET", f"{EXPORT}/deals/?format=csv").status == 200
