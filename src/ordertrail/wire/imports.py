"""The report of an import: what became of each row, and of all of them together."""

from typing import Any, NotRequired, TypedDict

from ordertrail.domain.errors import Refused
from ordertrail.wire import errors

REFUSED = "refused"


class RowShown(TypedDict):
    """What became of what one row says; `row` is its line in the file.

    `rows` is of how many rows it was made, where that is more than one.
    """

    row: int
    rows: NotRequired[int]
    status: str
    id: int | None
    errors: NotRequired[dict[str, list[str]]]
    warnings: NotRequired[list[str]]


class TotalsShown(TypedDict):
    """How many rows were read, and of how many of them became what."""

    rows: int
    created: int
    changed: int
    unchanged: int
    refused: int
    dry_run: bool
    ignored_columns: list[str]


class ImportShown(TypedDict):
    """The report of an import."""

    results: list[RowShown]
    totals: TotalsShown


def why(error: Refused) -> dict[str, list[str]]:
    """Return the reasons of a refusal by field; one that is about none is about the row."""
    _, said = errors.encode(error)
    reasons: dict[str, list[str]] = said.get("errors", {"row": [said["detail"]]})
    return reasons


def result(line: int, rows: int, status: str, number: int | None, **more: Any) -> dict[str, Any]:
    """Return what became of one row, or of the rows that are one thing."""
    of_several = {"rows": rows} if rows > 1 else {}
    return {"row": line, **of_several, "status": status, "id": number, **more}
