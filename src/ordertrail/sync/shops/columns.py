"""Tables of a shop's file, read whole and checked whole, in little memory.

Each distinct value of a column is parsed and kept once; a row holds its number. Half a million
invoice lines of eight columns take about 20 MB that way.
"""

import csv
import gzip
import importlib
import io
import zlib
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import Any, BinaryIO, Generic, TypeVar, cast

from ordertrail.domain.errors import Invalid, Refused

ROWS_MAX = 20_000_000
CELL_CHARS_MAX = 131_072
_BATCH_ROWS = 16_384
UNREADABLE = (OSError, EOFError, zlib.error, UnicodeDecodeError)
"""What reading a file can raise that tells about the file."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Field(Generic[T]):
    """A column to read: its name in the file, and what a cell of it means.

    `parse` raises ValueError with the reason when a cell means nothing.
    """

    name: str
    parse: Callable[[object], T]


@dataclass(frozen=True, slots=True)
class Column(Generic[T]):
    """The cells of one column: row `i` holds `values[codes[i]]`; all values are distinct."""

    codes: "array[int]"
    values: list[T]

    def __getitem__(self, row: int) -> T:
        return self.values[self.codes[row]]


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of one file; `places` holds where each row stands in it, for messages."""

    columns: Mapping[str, Column[Any]]
    places: Sequence[int]
    place: str

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, field: Field[T]) -> Column[T]:
        return cast(Column[T], self.columns[field.name])

    def cell(self, row: int, name: str) -> str:
        """Return the name of a cell as a reader of the file finds it: `row 17, Quantity`."""
        return f"{self.place} {self.places[row]}, {name}"


def read(path: Path, fields: Sequence[Field[Any]], *, rows_max: int = ROWS_MAX) -> Table:
    """Return the named columns of a `.parquet`, `.csv` or `.csv.gz` file, every cell checked.

    Rows of Parquet count from 1; a row of CSV is named by its line, the header being line 1.
    Raises Invalid that names the file, or the row and column, and says what is wrong with it.
    """
    name = path.name.lower()
    if name.endswith(".parquet"):
        table = _read_parquet(path, fields, rows_max)
    elif name.endswith((".csv", ".csv.gz")):
        table = _read_csv(path, fields, rows_max)
    else:
        raise Invalid({path.name: "is none of .parquet, .csv, .csv.gz"})
    if not len(table):
        raise Invalid({path.name: "holds no rows"})
    return table


def header(path: Path) -> list[str]:
    """Return the names of the columns of a `.csv` or `.csv.gz` file, as they stand in it.

    Raises Invalid that names the file when it cannot be read.
    """
    with _as_text(path) as text:
        return next(_csv_rows(csv.reader(text, strict=True)), (1, []))[1]


class _Encoder:
    """A column in the making."""

    def __init__(self, field: Field[Any]) -> None:
        self.field = field
        self.column: Column[Any] = Column(array("i"), [])
        self._known: dict[object, int] = {}
        self._by_value: dict[object, int] = {}

    def code(self, cell: object) -> int:
        """Return the number of what the cell means; two spellings of one value share it."""
        known = self._known.get(cell)
        if known is None:
            value = self.field.parse(cell)
            known = self._by_value.setdefault(value, len(self._by_value))
            if known == len(self.column.values):
                self.column.values.append(value)
            self._known[cell] = known
        return known


def _finished(encoders: list[_Encoder], places: Sequence[int], place: str) -> Table:
    return Table({each.field.name: each.column for each in encoders}, places, place)


def _check_header(file: str, header: Sequence[str], fields: Sequence[Field[Any]]) -> None:
    wrong = {
        f"{file}, column {field.name}": "occurs twice" if field.name in header else "is missing"
        for field in fields
        if header.count(field.name) != 1
    }
    if wrong:
        raise Invalid(wrong)


# ---- CSV ----


def _read_csv(path: Path, fields: Sequence[Field[Any]], rows_max: int) -> Table:
    with _as_text(path) as text:
        return _from_csv(path.name, text, fields, rows_max)


@contextmanager
def _as_text(path: Path) -> Iterator[io.TextIOWrapper]:
    try:
        with opened(path) as file:
            yield io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    except UnicodeDecodeError:
        raise Invalid({path.name: "is not a CSV file of UTF-8 text"}) from None
    except UNREADABLE as error:
        raise Invalid({path.name: f"cannot be read: {reason_of(error)}"}) from None


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """Open the file, unpacked if it is packed."""
    with path.open("rb") as file:
        if path.name.lower().endswith(".gz"):
            with gzip.GzipFile(fileobj=file) as unpacked:
                yield cast(BinaryIO, unpacked)
        else:
            yield file


def _from_csv(
    file: str, text: io.TextIOWrapper, fields: Sequence[Field[Any]], rows_max: int
) -> Table:
    reader = csv.reader(text, strict=True)
    rows = _csv_rows(reader)
    _, header = next(rows, (1, []))
    if not header:
        raise Invalid({file: "is empty"})
    _check_header(file, header, fields)
    encoders = [_Encoder(field) for field in fields]
    places = [header.index(field.name) for field in fields]
    cells_of = itemgetter(*places, 0)  # one more than asked: of one place alone it gives no tuple
    steps = [(encoder.code, encoder.column.codes.append) for encoder in encoders]
    lines = array("i")
    for line, row in rows:
        if len(row) != len(header):
            raise Invalid({f"line {line}": f"has {len(row)} cells, the header {len(header)}"})
        if len(lines) == rows_max:
            raise Invalid({file: f"has more than {rows_max} rows"})
        lines.append(line)
        try:
            for (code, append), cell in zip(steps, cells_of(row), strict=False):
                append(code(cell))
        except ValueError as error:
            raise Invalid({_wrong_cell(line, encoders, len(lines)): str(error)}) from None
    return _finished(encoders, lines, "line")


def _csv_rows(reader: Any) -> Iterator[tuple[int, list[str]]]:
    """Yield each row with the line it begins on; a line without anything on it is no row."""
    line = 1
    try:
        for row in reader:
            if row:
                _check_cells(line, row)
                yield line, row
            line = reader.line_num + 1
    except csv.Error as error:
        raise Invalid({f"line {line}": f"is not CSV: {error}"}) from None


def _check_cells(line: int, row: list[str]) -> None:
    """The limit of the csv module is the process's, and may be wider than ours."""
    if max(map(len, row)) > CELL_CHARS_MAX:
        raise Invalid(
            {f"line {line}": f"is not CSV: field larger than field limit ({CELL_CHARS_MAX})"}
        )


def _wrong_cell(line: int, encoders: list[_Encoder], rows: int) -> str:
    """Name the cell that was refused: the first column that has not got this row."""
    short = next(each for each in encoders if len(each.column.codes) < rows)
    return f"line {line}, {short.field.name}"


# ---- Parquet ----


def _read_parquet(path: Path, fields: Sequence[Field[Any]], rows_max: int) -> Table:
    try:
        arrow = importlib.import_module("pyarrow")
        parquet = importlib.import_module("pyarrow.parquet")
    except ModuleNotFoundError:
        raise Refused("reading Parquet needs pip install 'ordertrail[insight]'") from None
    try:
        with path.open("rb") as file:
            return _from_parquet(path.name, arrow, parquet.ParquetFile(file), fields, rows_max)
    except (arrow.ArrowException, *UNREADABLE) as error:
        reason = reason_of(error)
        raise Invalid({path.name: f"cannot be read as Parquet: {reason}"}) from None


def _from_parquet(
    name: str, arrow: Any, file: Any, fields: Sequence[Field[Any]], rows_max: int
) -> Table:
    _check_header(name, file.schema_arrow.names, fields)
    if file.metadata.num_rows > rows_max:
        raise Invalid({name: f"has more than {rows_max} rows"})
    encoders = [_Encoder(field) for field in fields]
    names = [field.name for field in fields]
    rows = 0
    for batch in file.iter_batches(_BATCH_ROWS, columns=names, use_threads=False):
        for encoder in encoders:
            _extend(arrow, encoder, batch.column(encoder.field.name), rows)
        rows += len(batch)
    return _finished(encoders, range(1, rows + 1), "row")


def _extend(arrow: Any, encoder: _Encoder, cells: Any, rows_before: int) -> None:
    """Add a batch of cells; each distinct one passes through Python once."""
    if arrow.types.is_dictionary(cells.type):
        cells = cells.dictionary_decode()
    encoded = cells.dictionary_encode(null_encoding="encode")
    codes = []
    for place, cell in enumerate(encoded.dictionary.to_pylist()):
        try:
            codes.append(encoder.code(cell))
        except ValueError as error:
            row = rows_before + encoded.indices.to_pylist().index(place) + 1
            raise Invalid({f"row {row}, {encoder.field.name}": str(error)}) from None
    renumbered = arrow.array(codes, arrow.int32()).take(encoded.indices)
    column = encoder.column.codes
    with memoryview(renumbered.buffers()[1]) as taken:
        column.frombytes(taken[: len(renumbered) * column.itemsize])


def reason_of(error: Exception) -> str:
    """Return why a file could not be read, short enough to be shown."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error).partition("\n")[0][:200] or "it ends too early"
