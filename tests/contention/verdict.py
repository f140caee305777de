"""What must hold of the database after many wrote at once; a complaint is a line, none praise."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

ORPHANS = {
    "an order of a person who is not there": (
        "SELECT id FROM deals d WHERE contact_id IS NOT NULL AND NOT EXISTS"
        " (SELECT FROM contacts c WHERE c.id = d.contact_id AND c.merged_into IS NULL)"
    ),
    "a person who leads to nobody": (
        "SELECT id FROM contacts c WHERE merged_into IS NOT NULL AND NOT EXISTS"
        " (SELECT FROM contacts p WHERE p.id = c.merged_into AND p.merged_into IS NULL)"
    ),
    "an event of a person who is not there": (
        "SELECT id FROM events e WHERE NOT EXISTS"
        " (SELECT FROM contacts c WHERE c.id = e.contact_id AND c.merged_into IS NULL)"
    ),
    "lines of no order": (
        "SELECT deal_id FROM order_products o"
        " WHERE NOT EXISTS (SELECT FROM deals d WHERE d.id = o.deal_id)"
    ),
    "a custom id twice": (
        "SELECT custom_id FROM deals GROUP BY custom_id HAVING count(*) > 1"
        " UNION ALL SELECT custom_id FROM contacts WHERE custom_id IS NOT NULL"
        " GROUP BY custom_id HAVING count(*) > 1"
    ),
    "an id that was given out twice": (
        "SELECT id FROM (SELECT id FROM journal UNION ALL SELECT id FROM events) n"
        " GROUP BY id HAVING count(*) > 1"
        " UNION ALL SELECT subject_id FROM journal WHERE is_new = 1"
        " GROUP BY subject, subject_id HAVING count(*) > 1"
    ),
    "an order without its lines": (
        "SELECT id FROM deals d"
        " WHERE NOT EXISTS (SELECT FROM order_products o WHERE o.deal_id = d.id)"
    ),
}
ENTRIES = (
    "SELECT subject_id, changes -> {field}, changes -> 'id' IS NOT NULL FROM journal"
    " WHERE subject = {subject} AND changes -> {field} IS NOT NULL"
    " AND changes -> 'merged' IS NULL ORDER BY id"
)


@dataclass(frozen=True)
class Answered:
    """What a writer was answered; one that was killed may have written more than it tells."""

    writer: str
    kind: str
    mark: str
    status: int
    id: int | None


@dataclass(frozen=True)
class Kind:
    """Things that bear the mark of who wrote them last."""

    name: str
    subject: str
    field: str
    table: str
    column: str


KINDS = (
    Kind("deal", "deal", "name", "deals", "name"),
    Kind("person", "contact", "first_name", "contacts", "profile ->> 'first_name'"),
)
Connection = psycopg.Connection[tuple[Any, ...]]


def complaints(url: str, answered: Sequence[Answered], killed: Sequence[str]) -> Iterator[str]:
    for each in answered:
        if each.status >= 500:
            yield f"{each.kind} {each.mark} was answered {each.status}"
    with psycopg.connect(url, autocommit=True) as connection:
        for what, query in ORPHANS.items():
            found = connection.execute(query.encode()).fetchall()
            if found:
                yield f"{what}: {found[:5]}"
        for kind in KINDS:
            yield from _history(connection, kind, answered, killed)


def _history(
    connection: Connection, kind: Kind, answered: Sequence[Answered], killed: Sequence[str]
) -> Iterator[str]:
    query = ENTRIES.format(field=f"'{kind.field}'", subject=f"'{kind.subject}'")
    there = dict(
        connection.execute(f"SELECT id, {kind.column} FROM {kind.table}".encode()).fetchall()
    )
    last: dict[int, str | None] = {}
    written: dict[int, Counter[str | None]] = defaultdict(Counter)
    for number, (old, new), _ in connection.execute(query.encode()):
        if old != last.get(number):
            yield f"{kind.name} {number}: {new} was written over {old}, not {last.get(number)}"
        last[number] = new
        if new is not None or number not in there:
            written[number][new] += 1
    for number, mark in there.items():
        if last.get(number) != mark:
            yield f"{kind.name} {number} bears {mark}, the journal ends with {last.get(number)}"
    yield from _lost(kind, written, there, answered, killed)


def _lost(
    kind: Kind,
    written: dict[int, Counter[str | None]],
    there: dict[int, Any],
    answered: Sequence[Answered],
    killed: Sequence[str],
) -> Iterator[str]:
    """Each accepted change has one entry, and each entry was an accepted change.

    Of people who are gone the journal keeps no marks: there the entries are counted.
    """
    accepted: dict[int, Counter[str | None]] = defaultdict(Counter)
    for each in answered:
        if each.kind == kind.name and each.status == 200 and each.id is not None:
            is_blank = kind.name == "person" and each.id not in there
            accepted[each.id][None if is_blank else each.mark] += 1
    for number in written.keys() | accepted.keys():
        lost = accepted[number] - written[number]
        if lost:
            yield f"{kind.name} {number}: {[*lost][:5]} was accepted and is not in the journal"
        more = {mark for mark in written[number] - accepted[number] if not _may_be(mark, killed)}
        if more:
            yield f"{kind.name} {number}: {[*more][:5]} is in the journal and was not accepted"


def _may_be(mark: str | None, killed: Sequence[str]) -> bool:
    return bool(killed) and (mark is None or mark.split(".")[0] in killed)
