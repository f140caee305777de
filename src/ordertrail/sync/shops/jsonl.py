"""JSON Lines: one canonical order a line, packed with gzip or not, of a file or standard input."""

import json as plain_json
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import InvalidOperation
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from ordertrail.domain.errors import Invalid
from ordertrail.domain.order import Order
from ordertrail.kit import json
from ordertrail.sync import exact
from ordertrail.sync.shops import canonical
from ordertrail.sync.shops.columns import UNREADABLE, opened, reason_of
from ordertrail.sync.shops.readings import (
    EVERYTHING,
    SHOP,
    STANDARD_INPUT,
    Counts,
    Options,
    Rejected,
    sift,
    why,
)

LINE_BYTES_MAX = 1_000_000
SUFFIXES = (".jsonl", ".ndjson", ".jsonl.gz", ".ndjson.gz")

_BOM = b"\xef\xbb\xbf"
_CHUNK_BYTES = 65_536
_REASON_CHARS_MAX = 80
_HALF = re.compile(rb"\\u[dD][89a-fA-F]")
_SPACED_NAME = re.compile(rb'"[ \t\r]+:')


@dataclass(slots=True)
class Reading:
    """One file, read line by line while its orders are asked for.

    A line that is no order is given as Rejected, and the others go on. Raises Invalid, in the
    middle, when the file cannot be read further. Standard input can be read once.
    """

    path: Path
    options: Options = EVERYTHING
    line_bytes_max: int = LINE_BYTES_MAX
    standard_input: BinaryIO | None = None
    source: str = SHOP
    accounts: Counts = field(default_factory=lambda: Counts("lines"))

    @property
    def order_count(self) -> int | None:
        """None: nobody knows before the end."""
        return None

    @property
    def name(self) -> str:
        """What the file is called in messages."""
        return "standard input" if self.path == STANDARD_INPUT else self.path.name

    def orders(self) -> Iterator[Order | Rejected]:
        """Yield every line as an order or what is wrong with it, in the order of the file."""
        self.accounts = Counts("lines")
        yield from sift(self._found(), self.options, self.accounts)

    def _found(self) -> Iterator[tuple[str, Order | Rejected]]:
        place = self.name
        try:
            with self._opened() as file:
                for number, line in _lines(file, self.line_bytes_max):
                    place = f"{self.name} line {number}"
                    yield place, read_line(line, place, self.line_bytes_max)
        except UNREADABLE as error:
            reason = f"cannot be read: {reason_of(error)}"
            if place != self.name:
                reason = f"cannot be read after {place.removeprefix(self.name).strip()}: "
                reason += reason_of(error)
            raise Invalid({self.name: reason}) from None

    @contextmanager
    def _opened(self) -> Iterator[BinaryIO]:
        if self.path == STANDARD_INPUT:
            yield self.standard_input or sys.stdin.buffer
        else:
            with opened(self.path) as file:
                yield file


def read(path: Path, options: Options = EVERYTHING) -> Reading:
    """Return the reading of a file, or of standard input for `-`; opens nothing yet."""
    return Reading(path, options)


def read_line(line: bytes, place: str, line_bytes_max: int = LINE_BYTES_MAX) -> Order | Rejected:
    """Return the order that one line says, or what is wrong with it; no input makes it raise."""
    if len(line) > line_bytes_max:
        return Rejected(None, place, f"is longer than {line_bytes_max} bytes")
    try:
        data = json.loads(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, InvalidOperation) as error:
        return Rejected(None, place, _not_json(line, error))
    if not isinstance(data, dict):
        return Rejected(None, place, "is not an order: it must be an object, {...}")
    try:
        _look_closer(line, data)
        return canonical.decode(data)
    except Invalid as error:
        order_id = None if "id" in error.fields else canonical.readable_id(data)
        return Rejected(order_id, place, why(error.fields))


def _lines(file: BinaryIO, line_bytes_max: int) -> Iterator[tuple[int, bytes]]:
    """Yield each line that is not blank with its number; of a longer one just more than the limit.

    Memory stays bounded whatever the file holds.
    """
    number = 0
    while line := file.readline(line_bytes_max + 2):
        number += 1
        kept = line
        while not line.endswith(b"\n") and (line := file.readline(_CHUNK_BYTES)):
            pass
        if number == 1:
            kept = kept.removeprefix(_BOM)
        kept = kept.rstrip(b"\r\n")
        if kept.strip():
            yield number, kept


def _not_json(line: bytes, error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "is not UTF-8 text"
    if isinstance(error, RecursionError):
        return "is nested too deeply"
    if isinstance(error, InvalidOperation):
        return "holds a number that is too large"
    if _HALF.search(line):
        return "is not JSON: it holds half a character (a lone surrogate)"
    reason = str(error).removeprefix("JSON is malformed: ")
    if "truncated" in reason:
        reason = "it ends too early"
    return f"is not JSON: {reason[:_REASON_CHARS_MAX]}"


# ---- what the decoder lets pass ----


def _look_closer(line: bytes, data: Mapping[str, Any]) -> None:
    """Raise Invalid for a name that occurs twice in one object, and for a NUL character.

    Both are rare, and looking for them is slow: counting tells when it is worth it.
    """
    if line.count(b'":') != _names(data) or _SPACED_NAME.search(line):
        try:
            plain_json.loads(line, object_pairs_hook=_no_name_twice, parse_float=str)
        except RecursionError:
            raise Invalid({"line": "is nested too deeply"}) from None
    if b"\\u0000" in line:
        wrong = dict.fromkeys(_with_nul(data, ""), "holds a NUL character")
        if wrong:
            raise Invalid(wrong)


def _names(data: object) -> int:
    """How many names all objects have together."""
    if isinstance(data, dict):
        return len(data) + sum(map(_names, data.values()))
    return sum(map(_names, data)) if isinstance(data, list) else 0


def _no_name_twice(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for name, value in pairs:
        if name in found:
            raise Invalid({exact.shown(name): "occurs twice in one object"})
        found[name] = value
    return found


def _with_nul(data: object, path: str) -> Iterator[str]:
    if isinstance(data, str) and "\0" in data:
        yield path
    elif isinstance(data, dict):
        for name, value in data.items():
            inner = f"{path}.{exact.shown(name)}".removeprefix(".")
            if "\0" in name:
                yield inner
            yield from _with_nul(value, inner)
    elif isinstance(data, list):
        for place, value in enumerate(data):
            yield from _with_nul(value, f"{path}[{place}]")
