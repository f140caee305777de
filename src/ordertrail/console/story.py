"""What happened, as people read it: titles, and what was changed from what to what."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ordertrail.actions.browse import Happening, Names, Thing
from ordertrail.console import say
from ordertrail.console.say import Field, Said
from ordertrail.domain.journal import Subject, Verb, verb

MERGED_SHOWN_MAX = 5
_GROUPS = ("tags", "lists", "companies")
_TOLD_BY_TITLE = {
    Subject.CONTACT: ("merged", "merged_into"),
    Subject.COMPANY: ("employees",),
}


@dataclass(frozen=True, slots=True)
class Changed:
    """A named value that was another one before; None when there was none."""

    label: str
    old: Said | None
    new: Said


@dataclass(frozen=True, slots=True)
class Told:
    """Something that happened, ready to be read.

    `kind` is `event`, `product_event`, `deal`, `contact` or `company`; `about` names what was
    changed where the page shows something else and no link leads there.
    """

    kind: str
    at: datetime
    title: str
    about: str | None
    is_new: bool
    who: str | None
    is_backfill: bool
    deal_id: int | None
    deal_name: str | None
    product_id: int | None
    product_name: str | None
    fields: Sequence[Field]
    changes: Sequence[Changed]


def told(happening: Happening, names: Names, own: Thing) -> Told:
    """Return what happened in words, for the page of its `own` thing."""
    is_change = happening.kind == "change"
    return Told(
        kind=happening.name if is_change else happening.kind,
        at=happening.at,
        title=_title(happening, own) if is_change else happening.name,
        about=_about(happening, names, own) if is_change else None,
        is_new=happening.is_new,
        who=_who(happening),
        is_backfill=happening.origin == "backfill",
        deal_id=happening.deal_id,
        deal_name=happening.deal_name,
        product_id=happening.product_id,
        product_name=happening.product_name,
        fields=[] if is_change else _data(happening),
        changes=_changes(happening, names) if is_change else [],
    )


def _title(happening: Happening, own: Thing) -> str:
    subject, data = _thing(happening)[0], happening.data
    if subject == Subject.COMPANY and "employees" in data:
        return "Left company" if data["employees"][1] is None else "Joined company"
    what = _verb(happening)
    return _merged(happening, own) if what is Verb.MERGED else f"{say.label(subject)} {what}"


def _merged(happening: Happening, own: Thing) -> str:
    number, data = happening.subject_id, happening.data
    if "merged_into" in data:
        return f"Contact {number} became part of {_parent(data['merged_into'][1], own)}"
    ids, parent = [str(each) for each in data["merged"][1]], _parent(number, own)
    if len(ids) > MERGED_SHOWN_MAX:
        return f"{len(ids):,} contacts were merged into {parent}"
    if len(ids) == 1:
        return f"Contact {ids[0]} was merged into {parent}"
    return f"Contacts {', '.join(ids[:-1])} and {ids[-1]} were merged into {parent}"


def _parent(number: Any, own: Thing) -> str:
    return "this one" if (Subject.CONTACT, number) == own else f"contact {number}"


def _about(happening: Happening, names: Names, own: Thing) -> str | None:
    thing = _thing(happening)
    is_linked = thing == own or happening.deal_id is not None
    if is_linked or _verb(happening) is Verb.MERGED:
        return None
    return f"contact {thing[1]}" if thing[0] == Subject.CONTACT else names.of(*thing)


def _changes(happening: Happening, names: Names) -> list[Changed]:
    """Old and new values in words, but for what the title says."""
    subject, values = _thing(happening)[0], happening.data
    if _verb(happening) is Verb.DELETED:
        return []
    left_out = set(_TOLD_BY_TITLE.get(subject, ()))
    if subject == Subject.DEAL:
        left_out |= {"products"} if "order_products" in values else set()
        left_out |= {"company_custom_id"} if "company_id" in values else set()
        known: Names | None = names
    else:
        known = None
    return [
        _changed(happening, name, old, new, known)
        for name, (old, new) in values.items()
        if name not in left_out
    ]


def _changed(happening: Happening, name: str, old: Any, new: Any, names: Names | None) -> Changed:
    label = say.label(name, happening.name)
    if name in _GROUPS and not happening.is_new:
        return Changed(label, None, Said(_difference(old or [], new or [])))
    before = None if old is None else say.said(name, old, names)
    return Changed(label, before, say.said(name, new, names))


def _difference(old: Sequence[object], new: Sequence[object]) -> str:
    """What was added to names, and removed from them."""
    added = [str(each) for each in new if each not in old]
    removed = [str(each) for each in old if each not in new]
    parts = (("added", added), ("removed", removed))
    return "; ".join(f"{verb} {', '.join(found)}" for verb, found in parts if found) or "the same"


def _data(happening: Happening) -> list[Field]:
    """The data of an event; the deal that it is about is a link already."""
    is_linked = happening.deal_id is not None
    shown = {n: v for n, v in happening.data.items() if n != "order_id" or not is_linked}
    return say.fields(shown)


def _thing(happening: Happening) -> Thing:
    return Subject(happening.name), happening.subject_id or 0


def _verb(happening: Happening) -> Verb:
    return verb(_thing(happening)[0], happening.data, is_new=happening.is_new)


def _who(happening: Happening) -> str | None:
    if happening.key_name is not None:
        return f"API key {happening.key_name}"
    return happening.author
