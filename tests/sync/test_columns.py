import csv
import gzip
import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from ordertrail.domain.errors import Invalid, Refused
from ordertrail.sync.shops import cells
from ordertrail.sync.shops.columns import Field, Table, header, read

CODE = Field("Code", cells.required_text)
NAME = Field("Name", cells.text)
PIECES = Field("Pieces", cells.quantity)
PRICE = Field("Price", cells.price)
BUYER = Field("Buyer", cells.customer_number)
AT = Field("At", cells.wall_time(ZoneInfo("Europe/London")))
FIELDS: tuple[Field[Any], ...] = (CODE, NAME, PIECES, PRICE, BUYER, AT)

HEADER = "Code,Name,Pieces,Price,Buyer,At\n"
LINE = "A1,Lamp,6,2.55,17850,2010-12-01 08:26:00\n"
CELLS: dict[str, list[Any]] = {
    "Code": ["A1", "B2"],
    "Name": ["Lamp", None],
    "Pieces": [6, -1],
    "Price": [2.55, 0.001],
    "Buyer": [17850.0, None],
    "At": ["2010-12-01 08:26:00", "2011-07-01 00:30:00"],
}


def csv_file(folder: Path, text: str, name: str = "shop.csv") -> Path:
    path = folder / name
    raw = text.encode()
    path.write_bytes(gzip.compress(raw) if name.endswith(".gz") else raw)
    return path


def parquet_file(folder: Path, **changed: object) -> Path:
    path = folder / "shop.parquet"
    parquet.write_table(pyarrow.table({**CELLS, **changed}), path)
    return path


def rows(table: Table) -> list[tuple[object, ...]]:
    return [tuple(table[field][row] for field in FIELDS) for row in range(len(table))]


def refusal(path: Path, rows_max: int = 10) -> dict[str, str]:
    with pytest.raises(Invalid) as caught:
        read(path, FIELDS, rows_max=rows_max)
    return caught.value.fields


WANTED = [
    ("A1", "Lamp", 6, Decimal("2.55"), "17850", datetime(2010, 12, 1, 8, 26, tzinfo=UTC)),
    ("B2", None, -1, Decimal("0.001"), None, datetime(2011, 6, 30, 23, 30, tzinfo=UTC)),
]


@pytest.mark.parametrize("name", ["shop.csv", "shop.csv.gz", "SHOP.CSV"])
def test_csv_is_read_packed_or_not(tmp_path: Path, name: str) -> None:
    path = csv_file(tmp_path, HEADER + LINE + "B2,,-1,0.001,,2011-07-01 00:30:00\n", name)
    assert rows(read(path, FIELDS)) == WANTED


def test_parquet_is_read_as_csv_is(tmp_path: Path) -> None:
    assert rows(read(parquet_file(tmp_path), FIELDS)) == WANTED


def test_parquet_may_hold_times_categories_and_missing_numbers(tmp_path: Path) -> None:
    path = parquet_file(
        tmp_path,
        Code=pyarrow.array(["A1", "B2"]).dictionary_encode(),
        At=pyarrow.array(CELLS["At"]).cast(pyarrow.timestamp("ns")),
        Buyer=[17850.0, float("nan")],
        Pieces=[6.0, -1.0],
    )
    assert rows(read(path, FIELDS)) == WANTED


def test_parquet_of_many_batches_keeps_the_order_of_its_rows(tmp_path: Path) -> None:
    count = 40_000
    some = {name: [values[0]] * count for name, values in CELLS.items()}
    path = parquet_file(tmp_path, **{**some, "Pieces": list(range(count))})
    table = read(path, FIELDS)
    assert [table[PIECES][row] for row in range(count)] == list(range(count))
    assert table.cell(count - 1, "Pieces") == f"row {count}, Pieces"


def test_a_bad_cell_of_a_later_batch_is_named_by_its_row_in_the_file(tmp_path: Path) -> None:
    count = 40_000
    some = {name: [values[0]] * count for name, values in CELLS.items()}
    dates = ["2010-12-01 08:26:00"] * (count - 1) + ["never"]
    assert list(refusal(parquet_file(tmp_path, **{**some, "At": dates}), rows_max=count)) == [
        f"row {count}, At"
    ]


def test_a_byte_order_mark_is_no_part_of_the_first_column(tmp_path: Path) -> None:
    assert len(read(csv_file(tmp_path, "\ufeff" + HEADER + LINE), FIELDS)) == 1


def test_columns_may_stand_in_any_order_among_others(tmp_path: Path) -> None:
    text = "At,x,Buyer,Price,Pieces,Name,Code\n2010-12-01 08:26:00,?,17850,2.55,6,Lamp,A1\n"
    assert rows(read(csv_file(tmp_path, text), FIELDS)) == WANTED[:1]


def test_one_column_alone_can_be_read(tmp_path: Path) -> None:
    table = read(csv_file(tmp_path, HEADER + LINE), [NAME])
    assert table[NAME][0] == "Lamp"


def test_a_line_with_nothing_on_it_is_no_row(tmp_path: Path) -> None:
    table = read(csv_file(tmp_path, HEADER + "\n" + LINE + "\n"), FIELDS)
    assert (len(table), table.cell(0, "Code")) == (1, "line 3, Code")


def test_a_row_is_named_by_the_line_it_begins_on(tmp_path: Path) -> None:
    wide = 'A1,"Lamp\r\nof two lines",6,2.55,17850,2010-12-01 08:26:00\r\n'
    table = read(csv_file(tmp_path, HEADER + wide + wide), FIELDS)
    assert [table.cell(row, "At") for row in (0, 1)] == ["line 2, At", "line 4, At"]


def test_two_spellings_of_one_value_are_one_value(tmp_path: Path) -> None:
    other = " A1 ,Lamp ,6.0,2.550,17850.0,2010-12-01 08:26:00\n"
    table = read(csv_file(tmp_path, HEADER + LINE + other), FIELDS)
    assert all(list(table[field].codes) == [0, 0] for field in FIELDS)


def test_as_many_rows_as_allowed_are_read_and_not_one_more(tmp_path: Path) -> None:
    assert len(read(csv_file(tmp_path, HEADER + LINE * 3), FIELDS, rows_max=3)) == 3
    assert refusal(csv_file(tmp_path, HEADER + LINE * 3), rows_max=2) == {
        "shop.csv": "has more than 2 rows"
    }
    assert len(read(parquet_file(tmp_path), FIELDS, rows_max=2)) == 2
    assert refusal(parquet_file(tmp_path), rows_max=1) == {"shop.parquet": "has more than 1 rows"}


# ---- prices and times ----


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e9, max_value=1e9))
def test_a_double_becomes_its_shortest_decimal(value: float) -> None:
    if abs(value) < 1e-60:
        value = 0.0
    assert str(float(cells.price(value))) == str(value)
    assert cells.price(value) == cells.price(repr(value))


@given(st.decimals(-(10**9), 10**9, places=3))
def test_a_price_is_kept_as_written(value: Decimal) -> None:
    assert cells.price(f"{value:f}") == value


@pytest.mark.parametrize(
    ("wall", "utc"),
    [
        ("2011-01-10 12:00:00", datetime(2011, 1, 10, 12, tzinfo=UTC)),
        ("2011-07-10 12:00:00", datetime(2011, 7, 10, 11, tzinfo=UTC)),
        ("2011-10-30 01:30:00", datetime(2011, 10, 30, 0, 30, tzinfo=UTC)),
        ("2011-03-27 01:30:00", datetime(2011, 3, 27, 1, 30, tzinfo=UTC)),
    ],
    ids=["winter", "summer", "an hour shown twice", "an hour skipped"],
)
def test_times_are_londons_clocks(wall: str, utc: datetime) -> None:
    found = AT.parse(wall)
    assert (found, found.tzinfo) == (utc, UTC)


# ---- what is refused ----

BAD = [
    ("Code", "", "is empty"),
    ("Code", "A\0", "holds a NUL character"),
    ("Pieces", "abc", "'abc' is not a whole number"),
    ("Pieces", "1.5", "'1.5' is not a whole number"),
    ("Pieces", "1_0", "'1_0' is not a whole number"),
    ("Pieces", "٣", "'٣' is not a whole number"),
    ("Pieces", "", "an empty cell is not a whole number"),
    ("Pieces", "1000000001", "must be at most 1000000000"),
    ("Pieces", "-1000000001", "must be at most 1000000000"),
    ("Pieces", "9" * 5000, f"'{'9' * 32}' is not a whole number"),
    ("Price", "2,55", "'2,55' is not a price"),
    ("Price", "NaN", "'NaN' is not a price"),
    ("Price", "Infinity", "'Infinity' is not a price"),
    ("Price", "1e999", "'1e999' is not a price"),
    ("Price", "1_0", "'1_0' is not a price"),
    ("Price", "", "an empty cell is not a price"),
    ("Price", "0.1234567890123456789", "has more than 18 digits"),
    ("Buyer", "Ann", "'Ann' is no number of a customer"),
    ("Buyer", "17850.5", "'17850.5' is no number of a customer"),
    ("Buyer", "-1", "'-1' is no number of a customer"),
    ("At", "12/1/2010 8:26", "'12/1/2010 8:26' is not a time as 2010-12-31 23:59:59"),
    ("At", "2010-02-30 00:00:00", "'2010-02-30 00:00:00' is not a time as 2010-12-31 23:59:59"),
    ("At", "", "an empty cell is not a time as 2010-12-31 23:59:59"),
]
FIRST = {name: str(values[0]) for name, values in CELLS.items()}


@pytest.mark.parametrize(("column", "cell", "reason"), BAD)
def test_a_wrong_cell_of_csv_is_named_by_line_and_column(
    tmp_path: Path, column: str, cell: str, reason: str
) -> None:
    quoted = ",".join(f'"{each}"' for each in {**FIRST, column: cell}.values())
    path = csv_file(tmp_path, HEADER + LINE * 2 + quoted + "\n")
    assert refusal(path) == {f"line 4, {column}": reason}


@pytest.mark.parametrize(("column", "cell", "reason"), BAD)
def test_a_wrong_cell_of_parquet_is_named_by_row_and_column(
    tmp_path: Path, column: str, cell: str, reason: str
) -> None:
    path = parquet_file(tmp_path, **{column: [FIRST[column], cell]})
    assert refusal(path) == {f"row 2, {column}": reason}


@pytest.mark.parametrize(
    ("column", "values", "reason"),
    [
        ("Pieces", [1, None], "an empty cell is not a whole number"),
        ("Price", [1.0, float("nan")], "an empty cell is not a price"),
        ("Price", [1.0, float("inf")], "'inf' is not a price"),
        ("Price", [1.0, 1e300], "'1e+300' is not a price"),
        ("Code", ["A1", None], "is empty"),
        ("Code", pyarrow.array([b"A1", b"\xff"]).cast(pyarrow.string(), safe=False), None),
        ("Name", [[1], [2]], None),
        ("Name", [b"A1", b"B2"], "is not text"),
        (
            "At",
            pyarrow.array([0, 0], pyarrow.timestamp("s", "UTC")),
            "must be the shop's local time, without a zone",
        ),
    ],
    ids=str,
)
def test_a_wrong_type_of_parquet_is_refused(
    tmp_path: Path, column: str, values: object, reason: str | None
) -> None:
    fields = refusal(parquet_file(tmp_path, **{column: values}))
    assert reason is None or reason in next(iter(fields.values()))


def test_a_long_cell_is_not_repeated_whole(tmp_path: Path) -> None:
    fields = refusal(csv_file(tmp_path, HEADER + LINE.replace("2.55", "x" * 400)))
    assert fields == {"line 2, Price": f"'{'x' * 32}' is not a price"}


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_every_missing_column_is_named(tmp_path: Path, kind: str) -> None:
    if kind == "csv":
        path = csv_file(tmp_path, "Code,Name,Pieces,Price\nA1,Lamp,6,2.55\n")
    else:
        path = tmp_path / "shop.parquet"
        parquet.write_table(
            pyarrow.table({"Code": [], "Name": [], "Pieces": [], "Price": []}), path
        )
    assert refusal(path) == {
        f"shop.{kind}, column Buyer": "is missing",
        f"shop.{kind}, column At": "is missing",
    }


def test_a_column_that_occurs_twice_is_refused(tmp_path: Path) -> None:
    text = HEADER.replace("Name", "Code") + LINE
    assert refusal(csv_file(tmp_path, text))["shop.csv, column Code"] == "occurs twice"


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("", {"shop.csv": "is empty"}),
        ("\n\n", {"shop.csv": "is empty"}),
        (HEADER, {"shop.csv": "holds no rows"}),
        (HEADER + LINE + "A1,Lamp\n", {"line 3": "has 2 cells, the header 6"}),
        (HEADER + LINE + "A1,Lamp,1,2,3,4,5\n", {"line 3": "has 7 cells, the header 6"}),
        (HEADER + LINE + 'A1,"Lamp', {"line 3": "is not CSV: unexpected end of data"}),
    ],
    ids=["nothing", "blank lines", "a header alone", "a short row", "a long row", "an open quote"],
)
def test_a_broken_csv_is_refused(tmp_path: Path, text: str, fields: dict[str, str]) -> None:
    assert refusal(csv_file(tmp_path, text)) == fields


def test_what_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "shop.csv"
    path.write_bytes((HEADER + LINE).encode() + b"A1,\xff\n")
    assert refusal(path) == {"shop.csv": "is not a CSV file of UTF-8 text"}


def test_a_truncated_gzip_is_refused(tmp_path: Path) -> None:
    path = csv_file(tmp_path, HEADER + "".join(LINE for _ in range(9)), "shop.csv.gz")
    whole = path.read_bytes()
    for end in (1, 5, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:end])
        assert list(refusal(path)) == ["shop.csv.gz"]


def test_a_gzip_with_a_wrong_checksum_is_refused(tmp_path: Path) -> None:
    path = csv_file(tmp_path, HEADER + LINE, "shop.csv.gz")
    whole = bytearray(path.read_bytes())
    whole[-6] ^= 255
    path.write_bytes(bytes(whole))
    assert "cannot be read" in refusal(path)["shop.csv.gz"]


def test_a_csv_that_says_it_is_gzip_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "shop.csv.gz"
    path.write_text(HEADER + LINE)
    assert "Not a gzipped file" in refusal(path)["shop.csv.gz"]


def test_a_truncated_parquet_is_refused(tmp_path: Path) -> None:
    path = parquet_file(tmp_path)
    whole = path.read_bytes()
    for end in (0, 3, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:end])
        assert "cannot be read as Parquet" in refusal(path)["shop.parquet"]


def test_a_parquet_with_a_hole_is_refused(tmp_path: Path) -> None:
    path = parquet_file(tmp_path)
    whole = path.read_bytes()
    path.write_bytes(whole[:4] + whole[60:])
    assert list(refusal(path)) == ["shop.parquet"]


def test_a_file_of_another_format_is_refused(tmp_path: Path) -> None:
    assert refusal(csv_file(tmp_path, HEADER + LINE, "shop.parquet"))
    assert refusal(parquet_file(tmp_path).rename(tmp_path / "shop.csv"))
    assert refusal(csv_file(tmp_path, HEADER + LINE, "shop.xlsx")) == {
        "shop.xlsx": "is none of .parquet, .csv, .csv.gz"
    }


@pytest.mark.parametrize("name", ["shop.csv", "shop.csv.gz", "shop.parquet"])
def test_a_file_that_is_not_there_is_refused(tmp_path: Path, name: str) -> None:
    assert "No such file" in refusal(tmp_path / name)[name]
    (tmp_path / name).mkdir()
    assert "Is a directory" in refusal(tmp_path / name)[name]


def test_without_pyarrow_the_refusal_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = parquet_file(tmp_path)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(Refused, match=r"pip install 'ordertrail\[insight\]'"):
        read(path, FIELDS)


def test_a_cell_is_bounded_whatever_limit_another_file_has_set(tmp_path: Path) -> None:
    before = csv.field_size_limit(1 << 20)
    try:
        file = tmp_path / "wide.csv"
        file.write_text(f"a\n{'x' * 200_000}\n")
        with pytest.raises(Invalid, match=r"line 2.*field limit"):
            read(file, [Field("a", str)])
        file.write_text(f"{'x' * 200_000}\n")
        with pytest.raises(Invalid, match=r"line 1.*field limit"):
            header(file)
    finally:
        csv.field_size_limit(before)
