"""Which rows of a file are about the same thing, and must be decided together."""

from collections.abc import Iterable, Iterator
from typing import Any

from ordertrail.domain.attribute import ContentType
from ordertrail.domain.identity import folded_email
from ordertrail.wire.sheets import Sheet, SheetRow


def repeated(sheet: Sheet) -> set[int]:
    """Return the names that more than one row has, as their hashes: a file may have very many."""
    seen: set[int] = set()
    again: set[int] = set()
    for row in sheet.rows():
        for name in map(hash, names(sheet.kind, row)):
            (again if name in seen else seen).add(name)
    return again


def names(kind: ContentType, row: SheetRow) -> list[str]:
    """Return what tells which thing a row is about; one in common makes two rows one thing."""
    if kind is not ContentType.CONTACT:
        return [] if row.name is None else [" ".join(map(str, row.name))]
    said: dict[str, Any] = {
        name: row.sent[name] for name in ("custom_id", "user_key") if name in row.sent
    }
    if isinstance(row.sent.get("email"), str):
        said["email"] = folded_email(row.sent["email"])
    return [f"{name} {value}" for name, value in said.items()]


def is_repeated(sheet: Sheet, row: SheetRow, again: set[int]) -> bool:
    """Tell whether another row may be about the same thing."""
    return any(hash(name) in again for name in names(sheet.kind, row))


def together(sheet: Sheet, rows: Iterable[SheetRow], size: int) -> Iterator[list[SheetRow]]:
    """Yield the rows in lists of about `size`; those of one thing are in one, in their order."""
    part: list[SheetRow] = []
    for group in _groups(sheet.kind, rows):
        if part and len(part) + len(group) > size:
            yield part
            part = []
        part = part + group
    if part:
        yield part


def _groups(kind: ContentType, rows: Iterable[SheetRow]) -> list[list[SheetRow]]:
    leads: dict[str, str] = {}

    def lead(name: str) -> str:
        while (above := leads.setdefault(name, name)) != name:
            leads[name] = leads[above]
            name = above
        return name

    kept = list(rows)
    for row in kept:
        first, *others = map(lead, names(kind, row))
        for other in others:
            leads[other] = first
    groups: dict[str, list[SheetRow]] = {}
    for row in kept:
        groups.setdefault(lead(names(kind, row)[0]), []).append(row)
    return list(groups.values())
