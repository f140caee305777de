"""The formats that a file of orders may have, by name."""

from collections.abc import Callable, Mapping
from pathlib import Path

from ordertrail.domain.errors import Invalid
from ordertrail.sync.shops import columns, invoices, jsonl, online_retail, table
from ordertrail.sync.shops.readings import EVERYTHING, STANDARD_INPUT, Options, Reading

JSONL, CSV, ONLINE_RETAIL = "jsonl", "csv", "online-retail"

FORMATS: Mapping[str, Callable[[Path, Options], Reading]] = {
    JSONL: jsonl.read,
    CSV: table.read,
    ONLINE_RETAIL: online_retail.read,
}
"""What reads each format; every one of them raises Invalid for a file that it cannot read."""


def detect(path: Path) -> str:
    """Return the name of the format that a file seems to have, by its name and its header.

    Raises Invalid, naming the formats, when nothing tells.
    """
    name = path.name.lower()
    if path == STANDARD_INPUT or name.endswith(jsonl.SUFFIXES):
        return JSONL
    if name.endswith(".parquet"):
        return ONLINE_RETAIL
    if name.endswith(table.SUFFIXES):
        return ONLINE_RETAIL if invoices.NUMBER.name in columns.header(path) else CSV
    raise Invalid({path.name: f"may be any format; name it, one of: {', '.join(FORMATS)}"})


def read(path: Path, form: str | None = None, options: Options = EVERYTHING) -> Reading:
    """Return the reading of a file in the format named, else in the one that it seems to have."""
    found = detect(path) if form is None else form
    if found not in FORMATS:
        reason = f"{found[:32]!r} is not known; there are: {', '.join(FORMATS)}"
        raise Invalid({"format": reason})
    return FORMATS[found](path, options)
