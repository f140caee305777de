"""JSON Lines: what is read, and what of a bad file is told."""

import gzip
import io
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_orders import FULFILLED, PLACED, PLACED_AT, RETURNED, SNAPSHOTS
from order_histories import made_orders

from ordertrail.domain.errors import Invalid
from ordertrail.domain.order import Order
from ordertrail.kit import json
from ordertrail.sync.shops.jsonl import Reading, read, read_line
from ordertrail.sync.shops.readings import Options, Rejected

ORDER = (
    '{"id":"O1","customer":{"email":"ann@example.com"},"placed_at":"2026-03-01T10:00:00Z",'
    '"currency":"EUR","lines":[{"sku":"A","quantity":1,"unit_price":"2.50"}]}'
)


def line(order: Order) -> bytes:
    return json.dumps(order).encode() + b"\n"


def file(folder: Path, *lines: bytes | str, name: str = "orders.jsonl") -> Path:
    raw = b"".join(each if isinstance(each, bytes) else each.encode() + b"\n" for each in lines)
    path = folder / name
    path.write_bytes(gzip.compress(raw) if name.endswith(".gz") else raw)
    return path


def rejected(path: Path) -> list[tuple[str | None, str]]:
    found = read(path).orders()
    return [(each.order_id, str(each)) for each in found if isinstance(each, Rejected)]


# ---- what is read ----


@pytest.mark.parametrize("name", ["a.jsonl", "a.ndjson", "a.jsonl.gz", "a.ndjson.gz"])
def test_every_line_is_an_order(tmp_path: Path, name: str) -> None:
    reading = read(file(tmp_path, *map(line, SNAPSHOTS), name=name))
    assert list(reading.orders()) == SNAPSHOTS
    assert reading.accounts.as_data() == {
        "unit": "lines",
        "read": 5,
        "orders": 5,
        "left_out": 0,
        "rejected": 0,
    }


@given(st.lists(made_orders(), max_size=3))
def test_any_order_is_read_as_it_was_written(orders: list[Order]) -> None:
    for order in orders:
        assert read_line(line(order), "x") == order


def test_a_byte_order_mark_line_ends_of_windows_and_blank_lines_do_not_matter(
    tmp_path: Path,
) -> None:
    path = file(
        tmp_path, b"\xef\xbb\xbf" + line(PLACED)[:-1] + b"\r\n", b"\r\n \n", line(FULFILLED)
    )
    assert list(read(path).orders()) == [PLACED, FULFILLED]


def test_the_last_line_needs_no_end(tmp_path: Path) -> None:
    assert list(read(file(tmp_path, line(PLACED)[:-1])).orders()) == [PLACED]


def test_an_empty_file_holds_no_orders(tmp_path: Path) -> None:
    reading = read(file(tmp_path))
    assert (list(reading.orders()), reading.accounts.read) == ([], 0)


def test_standard_input_is_read_by_the_same_rules() -> None:
    given_lines = io.BytesIO(line(PLACED) + b"{}\n")
    reading = Reading(Path("-"), standard_input=given_lines)
    order, wrong = reading.orders()
    assert order == PLACED
    assert isinstance(wrong, Rejected)
    assert wrong.place == "standard input line 2"


def test_an_amount_keeps_every_digit() -> None:
    found = read_line(ORDER.replace('"2.50"', "0.12345678901234567890").encode(), "x")
    assert isinstance(found, Order)
    assert found.lines[0].unit_price == Decimal("0.12345678901234567890")


def test_orders_can_be_had_again_with_fresh_accounts(tmp_path: Path) -> None:
    reading = read(file(tmp_path, line(PLACED), "{}"))
    assert len(list(reading.orders())) == len(list(reading.orders())) == 2
    assert (reading.accounts.read, reading.accounts.rejected) == (2, 1)


def test_an_order_that_cannot_be_true_is_given_for_others_to_judge(tmp_path: Path) -> None:
    unknown = replace(PLACED, currency="XXX")
    assert list(read(file(tmp_path, line(unknown))).orders()) == [unknown]


# ---- what is refused ----

BAD: list[tuple[str | bytes, str | None, str]] = [
    ("nonsense", None, "is not JSON: invalid character (byte"),
    (ORDER[:-1], None, "is not JSON: it ends too early"),
    (ORDER + "}", None, "is not JSON: trailing characters (byte"),
    ("[]", None, "is not an order: it must be an object, {...}"),
    ("5", None, "is not an order: it must be an object, {...}"),
    ("{}", None, "id: is missing"),
    ('{"id":"O1"}', "O1", "customer: is missing"),
    (ORDER.replace("Z", ""), "O1", "placed_at: every time of an order needs a time zone"),
    (ORDER.replace('"2.50"', "NaN"), None, "is not JSON: invalid character (byte"),
    (ORDER.replace('"2.50"', "-Infinity"), None, "is not JSON: invalid character (byte"),
    (ORDER.replace('"2.50"', '"NaN"'), "O1", "lines[0].unit_price: is not a number"),
    (
        ORDER.replace('"2.50"', "1e400"),
        "O1",
        "lines[0].unit_price: must be a number under 1,000,000,000,000",
    ),
    (ORDER.replace('"2.50"', "1e9999999999999999999"), None, "holds a number that is too large"),
    (ORDER.replace('"A"', '"\\ud800"'), None, "is not JSON: it holds half a character"),
    (ORDER.replace('"A"', '"A\\u0000"'), "O1", "lines[0].sku: holds a NUL character"),
    (ORDER.replace('"O1"', '"O\\u0000"'), None, "id: holds a NUL character"),
    (ORDER.replace('"A"', '"A\x01"'), None, "is not JSON: invalid character"),
    (ORDER.encode().replace(b'"A"', b'"\xff"'), None, "is not UTF-8 text"),
    (ORDER.replace('{"sku":"A",', '{"sku":"A","sku":"B",'), "O1", "sku: occurs twice"),
    (ORDER.replace('{"sku":"A",', '{"sku":"A","sku" : "B",'), "O1", "sku: occurs twice"),
    (ORDER.replace('{"id":"O1",', '{"id":"O1","id":"O2",'), None, "id: occurs twice"),
    (ORDER.replace("email", "e-mail"), "O1", "customer.'e-mail': is not known here; did you"),
    (ORDER.replace('"id":"O1"', '"id":7'), None, "id: must be text, not a whole number"),
    (ORDER.replace("O1", "O" * 256).replace("Z", ""), None, "placed_at: every time"),
    ("[" * 100_000, None, "is nested too deeply"),
]  # fmt: skip


@pytest.mark.parametrize(("bad", "order_id", "reason"), BAD)
def test_a_line_that_is_no_order_is_told_and_the_others_go_on(
    tmp_path: Path, bad: str | bytes, order_id: str | None, reason: str
) -> None:
    bad = bad if isinstance(bad, bytes) else bad.encode()
    reading = read(file(tmp_path, line(PLACED), bad + b"\n", line(FULFILLED)))
    first, wrong, last = reading.orders()
    assert (first, last) == (PLACED, FULFILLED)
    assert isinstance(wrong, Rejected)
    assert (wrong.order_id, wrong.place) == (order_id, "orders.jsonl line 2")
    assert wrong.reason.startswith(reason)
    assert (reading.accounts.orders, reading.accounts.rejected) == (2, 1)
    assert reading.accounts.told() == ["3 lines: 2 orders, 1 rejected"]


@pytest.mark.parametrize(("bad", "order_id", "reason"), BAD)
def test_a_reason_is_short_and_tells_nothing_of_a_person(
    bad: str | bytes, order_id: str | None, reason: str
) -> None:
    found = read_line(bad if isinstance(bad, bytes) else bad.encode(), "x")
    assert isinstance(found, Rejected)
    assert len(found.reason) < 200
    assert "ann@" not in found.reason


@given(st.binary(max_size=200) | st.text(max_size=100).map(str.encode))
def test_no_line_whatever_makes_the_reader_fail(anything: bytes) -> None:
    assert isinstance(read_line(anything, "x"), Rejected)


@given(st.integers(0, len(ORDER) - 1), st.sampled_from(['"', "\\", "{", "]", ":", ",", "e", "-"]))
def test_no_broken_order_makes_the_reader_fail(place: int, put: str) -> None:
    broken = (ORDER[:place] + put + ORDER[place + 1 :]).encode()
    assert isinstance(read_line(broken, "x"), Order | Rejected)


def test_text_that_looks_like_a_name_twice_is_only_text() -> None:
    for text in ('a\\":b', '\\"id\\":', "id:", "\\\\u0000"):
        found = read_line(ORDER.replace('"A"', f'"{text}"').encode(), "x")
        assert isinstance(found, Order), found


def test_a_line_may_be_as_long_as_the_limit_and_no_longer(tmp_path: Path) -> None:
    limit = len(ORDER)
    path = file(tmp_path, ORDER, ORDER + " ", ORDER)
    first, wrong, last = Reading(path, line_bytes_max=limit).orders()
    assert first == last == read_line(ORDER.encode(), "x")
    assert wrong == Rejected(None, "orders.jsonl line 2", f"is longer than {limit} bytes")


def test_a_line_without_end_takes_little_memory(tmp_path: Path) -> None:
    path = file(tmp_path, b'{"id":"' + b"x" * 20_000_000 + b'"}\n', line(PLACED), name="a.jsonl.gz")
    tracemalloc.start()
    found = list(read(path).orders())
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found == [Rejected(None, "a.jsonl.gz line 1", "is longer than 1000000 bytes"), PLACED]
    assert most < 5_000_000


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda raw: raw[:-20], "Compressed file ended before"),
        (lambda raw: b"no gzip", "Not a gzipped file"),
        (lambda raw: raw[:-8] + b"\0" * 8, "CRC check failed"),
    ],
)
def test_a_damaged_archive_is_refused_after_what_could_be_read(
    tmp_path: Path, damage: Callable[[bytes], bytes], reason: str
) -> None:
    path = file(tmp_path, line(PLACED), name="a.jsonl.gz")
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(Invalid, match=reason) as caught:
        list(read(path).orders())
    assert list(caught.value.fields) == ["a.jsonl.gz"]


def test_a_file_that_is_not_there_is_refused_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match=r"none\.jsonl: cannot be read: No such file"):
        list(read(tmp_path / "none.jsonl").orders())


# ---- options ----


def test_strict_stops_at_the_first_line_that_is_no_order(tmp_path: Path) -> None:
    path = file(tmp_path, line(PLACED), "{}", line(FULFILLED))
    orders = read(path, Options(strict=True)).orders()
    assert next(orders) == PLACED
    with pytest.raises(Invalid) as caught:
        next(orders)
    assert caught.value.fields == {"orders.jsonl line 2": "id: is missing"}


def test_strict_stops_at_an_order_that_cannot_be_true(tmp_path: Path) -> None:
    path = file(tmp_path, line(replace(PLACED, currency="XXX")))
    with pytest.raises(Invalid, match=r"orders\.jsonl line 1, currency: is not an ISO 4217"):
        list(read(path, Options(strict=True)).orders())


def test_since_leaves_out_what_changed_before(tmp_path: Path) -> None:
    new = replace(PLACED, updated_at=PLACED_AT + timedelta(days=9))
    path = file(tmp_path, line(PLACED), line(new), line(RETURNED), "{}")
    reading = read(path, Options(since=RETURNED.refunds[1].at))
    new_one, returned, wrong = reading.orders()
    assert (new_one, returned) == (new, RETURNED)
    assert isinstance(wrong, Rejected)
    assert reading.accounts.told() == ["4 lines: 2 orders, 1 left out as older, 1 rejected"]


@pytest.mark.parametrize(("limit", "read_lines"), [(0, 0), (1, 2), (2, 3), (9, 3)])
def test_a_limit_counts_orders_alone(tmp_path: Path, limit: int, read_lines: int) -> None:
    path = file(tmp_path, "{}", line(PLACED), line(FULFILLED))
    reading = read(path, Options(limit=limit))
    orders = [each for each in reading.orders() if isinstance(each, Order)]
    assert orders == [PLACED, FULFILLED][:limit]
    assert reading.accounts.read == read_lines
