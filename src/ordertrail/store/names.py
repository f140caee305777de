"""What ids stand for, also those of what is no more: the journal keeps how it was called."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from ordertrail.domain.journal import Subject
from ordertrail.kit.database import Reader
from ordertrail.store import sql

Thing = tuple[Subject, int]
"""A kind of thing, and the id of one."""

_CALLED = {
    Subject.STAGE: ("stages", "t.name"),
    Subject.PIPELINE: ("pipelines", "t.name"),
    Subject.COMPANY: ("companies", "t.name"),
    Subject.DEAL: ("deals", "t.name"),
    Subject.PRODUCT: ("products", "coalesce(t.details ->> 'name', t.custom_id)"),
}
_PERSON = (
    "(SELECT coalesce(nullif(trim(concat_ws(' ', c.profile ->> 'first_name',"
    " c.profile ->> 'last_name')), ''), nullif(c.email, ''), 'Contact ' || c.id)"
    " FROM contacts k CROSS JOIN contacts c WHERE k.workspace_id = :workspace_id AND k.id = a.id"
    " AND c.workspace_id = :workspace_id AND c.id = coalesce(k.merged_into, k.id))"
)
_LAST = (
    "(SELECT coalesce(j.changes -> 'name' ->> 1, j.changes -> 'name' ->> 0)"
    " FROM journal j @by(journal_subject) WHERE j.workspace_id = :workspace_id"
    " AND j.subject = a.kind AND a.kind <> 'contact' AND j.subject_id = a.id"
    " AND j.changes -> 'name' IS NOT NULL ORDER BY j.id DESC LIMIT 1)"
)


def _today() -> str:
    each = (
        f" WHEN '{subject}' THEN (SELECT {name} FROM {table} t"
        " WHERE t.workspace_id = :workspace_id AND t.id = a.id)"
        for subject, (table, name) in _CALLED.items()
    )
    return f"CASE a.kind WHEN 'contact' THEN {_PERSON}{''.join(each)} END"


SOURCE = (
    f"(SELECT n.kind, n.id, n.today IS NOT NULL AS is_there, coalesce(n.today, n.last) AS name"
    f" FROM (SELECT a.kind, a.id, {_today()} AS today, {_LAST} AS last"
    f" FROM {sql.sent('asked', 'kind', 'id')} a) n)"
)
"""A row source of the names of the things that are `:asked` for, each a list of kind and id."""

_NAMES = sql.rows("kind, id, is_there, name", f"{SOURCE} f")


@dataclass(frozen=True, slots=True)
class Names:
    """How things are called, or were; `gone` are those that are no more."""

    known: Mapping[Thing, str] = field(default_factory=dict)
    gone: Collection[Thing] = frozenset()

    def of(self, subject: Subject, number: int) -> str:
        """Return what to call a thing by."""
        return self.known.get((subject, number)) or f"{subject} {number}"


def names(reader: Reader, workspace_id: int, things: Collection[Thing]) -> Names:
    """Return how things are called; a merged contact as its parent."""
    if not things:
        return Names()
    return from_rows(reader.rows(_NAMES, workspace_id=workspace_id, asked=asked(things)))


def asked(things: Collection[Thing]) -> list[list[Any]]:
    """Return things as `SOURCE` is asked for them."""
    return [[str(subject), number] for subject, number in things]


def from_rows(rows: Collection[list[Any]]) -> Names:
    """Return the names that rows of `SOURCE` are."""
    found = [((Subject(kind), number), there, name) for kind, number, there, name in rows]
    return Names(
        {thing: name for thing, _, name in found if name is not None},
        frozenset(thing for thing, there, _ in found if not there),
    )
