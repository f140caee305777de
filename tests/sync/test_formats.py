"""The formats by name, the canonical order as data, and its JSON Schema."""

import copy
import gzip
import json as plain_json
import re
import runpy
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from made_orders import PARTLY_RETURNED, PLACED, RETURNED, SNAPSHOTS
from order_histories import made_orders
from retail_rows import row, write
from schema_verdict import fits

from ordertrail.domain.errors import Invalid
from ordertrail.domain.order import Customer, Order, check
from ordertrail.kit import json
from ordertrail.sync.shops import formats
from ordertrail.sync.shops.canonical import decode, encode
from ordertrail.sync.shops.formats import FORMATS, detect
from ordertrail.sync.shops.readings import Options, Rejected, changed_at

ROOT = Path(__file__).parents[2]
SCHEMA_PAGE = ROOT / "docs" / "order.schema.json"
SCHEMA = plain_json.loads(SCHEMA_PAGE.read_text())

FULL = replace(
    PARTLY_RETURNED,
    customer=Customer("a@b.example", "7", "A", "B", "+48", "Poland", "c@b.example", "R", "C"),
    delivery=Decimal("4.99"),
    fees=Decimal(0),
    discount=Decimal("1.00"),
    tax=Decimal("0.01"),
    total=Decimal("153.90"),
    status="paid",
    updated_at=datetime(2026, 3, 5, tzinfo=UTC),
    version=7,
    attributes={"gift": True, "codes": [1, {"a": Decimal("1.50")}], "none": None},
)


def data() -> dict[str, Any]:
    return plain_json.loads(json.dumps(FULL), parse_float=Decimal)


def changed(path: str, value: object) -> dict[str, Any]:
    """The full order's data with another value at a path such as `lines.0.sku`."""
    whole = data()
    *ways, last = path.split(".")
    inner: Any = whole
    for way in ways:
        inner = inner[int(way) if way.isdigit() else way]
    inner[int(last) if last.isdigit() else last] = value
    return whole


def without(path: str) -> dict[str, Any]:
    whole = data()
    *ways, last = path.split(".")
    inner: Any = whole
    for way in ways:
        inner = inner[int(way) if way.isdigit() else way]
    del inner[last]
    return whole


# ---- decode and encode ----


@given(made_orders())
def test_decoding_what_was_encoded_gives_the_same_order(order: Order) -> None:
    assert decode(encode(order)) == order
    assert decode(json.loads(json.dumps(order))) == order
    assert json.dumps(decode(json.loads(json.dumps(order)))) == json.dumps(order)


@pytest.mark.parametrize("order", [*SNAPSHOTS, FULL])
def test_every_field_survives(order: Order) -> None:
    assert decode(plain_json.loads(json.dumps(order), parse_float=Decimal)) == order
    assert json.dumps(encode(order)) == json.dumps(order)


@pytest.mark.parametrize("written", [20, Decimal("20.00"), "20.00", "20", 20.0, "2e1"])
def test_an_amount_may_be_written_so(written: object) -> None:
    assert decode(changed("lines.0.unit_price", written)).lines[0].unit_price == 20


def test_an_amount_passes_through_no_float() -> None:
    exact = Decimal("0.1234567890123456789012345")
    assert decode(json.loads(json.dumps(changed("fees", exact)))).fees == exact


@pytest.mark.parametrize("written", [2, Decimal("2.0"), 2.0, Decimal("2E0")])
def test_a_whole_number_may_have_a_fraction_of_nought(written: object) -> None:
    order = decode(changed("lines.0.quantity", written))
    assert order.lines[0].quantity == 2
    assert type(order.lines[0].quantity) is int


def test_what_is_left_out_is_not_said() -> None:
    order = decode(
        {"id": "1", "customer": {}, "placed_at": "2026-03-01T10:00:00+02:00"}
        | {"currency": "EUR", "lines": []}
    )
    assert (order.delivery, order.refunds, order.attributes) == (None, (), {})
    assert order.placed_at == datetime(2026, 3, 1, 8, tzinfo=UTC)


GONE = object()
TOO_LARGE = "must be a number under 1,000,000,000,000"
NO_ZONE = "every time of an order needs a time zone"
NO_TIME = "is not a time such as 2026-03-01T10:00:00Z"
VERSION = f"must be a whole number from 0 to {2**62 - 1}"
WRONG: list[tuple[str, object, str]] = [
    ("lines.1.unit_prize", 1, "is not known here; did you mean unit_price?"),
    ("customer.emial", "x@y.example", "is not known here; did you mean email?"),
    ("refunds.0.lines.0.zzz", 1, "is not known here"),
    ("lines.0.quantity", GONE, "is missing"),
    ("customer", GONE, "is missing"),
    ("lines.0.quantity", "2", "must be a whole number, not text"),
    ("lines.0.quantity", Decimal("2.5"), "must be a whole number, not a number"),
    ("lines.0.quantity", 2**63, f"must be at most {2**63 - 1}"),
    ("version", 2**62, VERSION),
    ("version", -1, VERSION),
    ("lines", None, "must be a list, not null"),
    ("lines.0", [], "must be an object, not a list"),
    ("customer", "x@y.example", "must be an object, not text"),
    ("customer.email", 5, "must be text or null, not a whole number"),
    ("id", 5, "must be text, not a whole number"),
    ("delivery", True, "must be a number or null, not true or false"),
    ("delivery", "4,99", "is not a number"),
    ("delivery", "1_000", "is not a number"),
    ("delivery", "\N{FULLWIDTH DIGIT ONE}", "is not a number"),
    ("delivery", "NaN", "is not a number"),
    ("delivery", "1e400", "is not a number"),
    ("delivery", float("inf"), TOO_LARGE),
    ("delivery", float("nan"), TOO_LARGE),
    ("delivery", Decimal("1E+400"), TOO_LARGE),
    ("delivery", 10**12, TOO_LARGE),
    ("delivery", Decimal("1E-65"), "has more than 64 decimals"),
    ("refunds.0.value", Decimal("1E+30"), TOO_LARGE),
    ("placed_at", "2026-03-01T10:00:00", NO_ZONE),
    ("refunds.0.at", "2026-03-01T10:00:00", NO_ZONE),
    ("placed_at", "2026-03-01", NO_TIME),
    ("updated_at", "yesterday", NO_TIME),
    ("placed_at", "2026-02-30T10:00:00Z", NO_TIME),
    ("placed_at", 5, "must be a time such as 2026-03-01T10:00:00Z, not a whole number"),
    ("placed_at", "0001-01-01T00:00:00Z", "is not a time that every zone has"),
]


def wrong_data(path: str, value: object) -> dict[str, Any]:
    return without(path) if value is GONE else changed(path, value)


@pytest.mark.parametrize(("path", "value", "reason"), WRONG)
def test_data_that_is_no_order_is_refused_by_path(path: str, value: object, reason: str) -> None:
    with pytest.raises(Invalid) as caught:
        decode(wrong_data(path, value))
    assert caught.value.fields == {re.sub(r"\.([0-9])", r"[\1]", path): reason}


def test_a_name_that_is_no_word_is_shown_cut_short_and_in_quotes() -> None:
    with pytest.raises(Invalid) as caught:
        decode(changed("x\n@y example " * 20, 1))
    assert caught.value.fields == {ascii(("x\n@y example " * 20)[:40]): "is not known here"}


def test_all_unknown_fields_are_named_even_where_another_one_is_missing() -> None:
    wrong = changed("lines.0", {"sku": "A", "quantity": 1, "unit_prize": 1})
    wrong["totl"] = 1
    with pytest.raises(Invalid) as caught:
        decode(wrong)
    assert set(caught.value.fields) == {"totl", "lines[0].unit_prize", "lines[0].unit_price"}


@pytest.mark.parametrize("wrong", [None, [], "order", 5])
def test_what_is_no_object_is_no_order(wrong: object) -> None:
    with pytest.raises(Invalid, match="must be an object"):
        decode(wrong)


def test_decoding_leaves_its_data_alone() -> None:
    before = changed("lines.0.quantity", Decimal("2.0"))
    given_data = copy.deepcopy(before)
    decode(given_data)
    assert given_data == before


# ---- the schema ----


def test_the_schema_is_up_to_date() -> None:
    made = runpy.run_path(str(ROOT / "tools" / "write_schema.py"))
    assert made["page"]() == SCHEMA_PAGE.read_text()


IMPOSSIBLE = [
    changed("id", " "),
    changed("currency", "usd"),
    changed("lines.0.quantity", 0),
    changed("lines.0.quantity", -1),
    changed("lines.0.unit_price", Decimal("-0.01")),
    changed("lines.0.unit_price", "-0.01"),
    changed("fees", -1),
    changed("refunds.0.lines.0.quantity", 0),
]
POSSIBLE = [
    data(),
    *[plain_json.loads(json.dumps(order), parse_float=Decimal) for order in SNAPSHOTS],
    without("attributes"),
    without("updated_at"),
    changed("lines.0.sku", None),
    changed("lines.0.quantity", Decimal("1.0")),
    changed("lines.0.unit_price", "129.90"),
    changed("fees", "+.0e1"),
    changed("placed_at", "2026-03-01 10:00:00.123+0100"),
    changed("attributes", {"anything": [{"goes": None}]}),
]


@pytest.mark.parametrize("example", POSSIBLE)
def test_what_the_reader_takes_fits_the_schema(example: dict[str, Any]) -> None:
    check(decode(example))
    assert fits(example, SCHEMA, SCHEMA)


@pytest.mark.parametrize("example", IMPOSSIBLE)
def test_what_cannot_be_true_fits_no_schema(example: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        check(decode(example))
    assert not fits(example, SCHEMA, SCHEMA)


UNSAYABLE = ("1E-65", "2026-02-30T10:00:00Z", "0001-01-01T00:00:00Z", "nan", "inf")
"""What a schema cannot refuse, or JSON cannot say."""


@pytest.mark.parametrize(
    ("path", "value"), [(path, value) for path, value, _ in WRONG if str(value) not in UNSAYABLE]
)
def test_what_the_reader_refuses_fits_no_schema(path: str, value: object) -> None:
    assert not fits(wrong_data(path, value), SCHEMA, SCHEMA)


def test_every_field_of_the_schema_is_described() -> None:
    for kind in SCHEMA["$defs"].values():
        assert kind["additionalProperties"] is False
        assert all(field["description"] for field in kind["properties"].values())


# ---- formats by name ----


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("orders.jsonl", "jsonl"),
        ("orders.ndjson", "jsonl"),
        ("ORDERS.JSONL.GZ", "jsonl"),
        ("orders.ndjson.gz", "jsonl"),
        ("-", "jsonl"),
        ("orders.parquet", "online-retail"),
    ],
)
def test_a_name_tells_the_format(name: str, form: str) -> None:
    assert detect(Path(name)) == form


def test_the_header_tells_one_csv_from_the_other(tmp_path: Path) -> None:
    assert detect(write(tmp_path / "retail.csv", [row()])) == "online-retail"
    path = tmp_path / "orders.csv.gz"
    path.write_bytes(gzip.compress(b"order_id,placed_at\n"))
    assert detect(path) == "csv"


def test_a_name_that_tells_nothing_is_refused_with_the_formats() -> None:
    with pytest.raises(Invalid, match="one of: jsonl, csv, online-retail"):
        detect(Path("orders.json"))


def test_an_unknown_format_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(Invalid, match="'xml' is not known; there are: jsonl, csv, online-retail"):
        formats.read(Path("orders.jsonl"), "xml")


def test_every_format_tells_its_source_its_count_and_its_accounts(tmp_path: Path) -> None:
    retail = write(tmp_path / "retail.csv", [row()])
    lines = tmp_path / "orders.jsonl"
    lines.write_text(json.dumps(PLACED) + "\n")
    table = tmp_path / "orders.csv"
    table.write_text(
        "order_id,placed_at,currency,sku,quantity,unit_price\n1,2026-03-01T10:00Z,EUR,A,1,2\n"
    )
    told = {}
    for path in (retail, lines, table):
        reading = formats.read(path)
        assert not any(isinstance(each, Rejected) for each in reading.orders())
        assert reading.accounts.as_data()["orders"] == 1
        assert reading.accounts.told()
        told[path.name] = (reading.source, reading.order_count)
    assert told == {
        "retail.csv": ("online-retail", 1),
        "orders.jsonl": ("shop", None),
        "orders.csv": ("shop", 1),
    }
    assert set(FORMATS) == {"jsonl", "csv", "online-retail"}


# ---- options ----


def test_an_order_changed_when_the_shop_says_so_or_at_its_latest_moment() -> None:
    assert changed_at(FULL) == FULL.updated_at
    assert changed_at(RETURNED) == RETURNED.refunds[1].at
    assert changed_at(PLACED) == PLACED.placed_at


def test_since_needs_a_zone_and_a_limit_a_count() -> None:
    with pytest.raises(Invalid, match="since: needs a time zone"):
        Options(since=datetime(2026, 3, 1))  # noqa: DTZ001
    with pytest.raises(Invalid, match="limit: must not be below zero"):
        Options(limit=-1)
