"""Values as people read them: changes, attributes and data in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from ordertrail.actions.browse import Happening, Names
from ordertrail.domain.deal import Status
from ordertrail.kit import json

STATUS_NAMES = {
    Status.ABANDONED: "Abandoned",
    Status.IN_PROGRESS: "In progress",
    Status.WON: "Won",
    Status.LOST: "Lost",
    Status.ARCHIVED: "Archived",
}
_LABELS = {
    "custom_id": "Order ID",
    "user_id": "Contact",
    "order_products": "Lines",
    "id": "ID",
}
_WORDS = {"id": "ID", "url": "URL", "ip": "IP"}
_YEARS = range(1000, 3000)


@dataclass(frozen=True, slots=True)
class Said:
    """A value in words; a moment is told apart, because it is shown in the workspace's zone."""

    text: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Field:
    """A named value."""

    label: str
    value: Said


@dataclass(frozen=True, slots=True)
class Changed:
    """A named value that was another one before; None when there was none."""

    label: str
    old: Said | None
    new: Said


@dataclass(frozen=True, slots=True)
class Told:
    """Something that happened, ready to be read.

    `kind` is `event`, `product_event`, `deal`, `contact` or `product`.
    """

    kind: str
    at: datetime
    title: str
    is_new: bool
    who: str | None
    is_backfill: bool
    deal_id: int | None
    deal_name: str | None
    product_id: int | None
    product_name: str | None
    fields: Sequence[Field]
    changes: Sequence[Changed]


def told(happening: Happening, names: Names) -> Told:
    """Return what happened in words."""
    is_change = happening.kind == "change"
    return Told(
        kind=happening.name if is_change else happening.kind,
        at=happening.at,
        title=_title(happening),
        is_new=happening.is_new,
        who=_who(happening),
        is_backfill=happening.origin == "backfill",
        deal_id=happening.deal_id,
        deal_name=happening.deal_name,
        product_id=happening.product_id,
        product_name=happening.product_name,
        fields=[] if is_change else _data(happening, names),
        changes=changes(happening.data, names) if is_change else [],
    )


def fields(values: Mapping[str, Any], names: Names) -> list[Field]:
    """Return named values in words, without those that are empty."""
    return [
        Field(label(name), said(name, value, names))
        for name, value in values.items()
        if value is not None
    ]


def changes(values: Mapping[str, Any], names: Names) -> list[Changed]:
    """Return old and new values in words; lines already tell the products of a deal."""
    return [
        Changed(
            label(name), None if old is None else said(name, old, names), said(name, new, names)
        )
        for name, (old, new) in values.items()
        if name != "products" or "order_products" not in values
    ]


def label(name: str) -> str:
    """Return the name of a field as a person would write it."""
    if name in _LABELS:
        return _LABELS[name]
    words = [_WORDS.get(word, word) for word in name.split("_") if word]
    text = " ".join(words) or name
    return text[:1].upper() + text[1:]


def said(name: str, value: Any, names: Names) -> Said:
    """Return a value in words, knowing what the ids of some fields stand for."""
    match name, value:
        case "stage", int():
            return Said(names.stages.get(value, f"stage {value}"))
        case "status", int() if value in list(Status):
            return Said(STATUS_NAMES[Status(value)])
        case "user_id", int():
            return Said(names.contacts.get(value, f"contact {value}"))
        case "products", list():
            found = (names.products.get(each, f"product {each}") for each in value)
            return Said(", ".join(found) or "none")
        case "order_products", list():
            return Said("; ".join(map(_line, value)) or "none")
        case _:
            return _plain(value)


def moment(value: object) -> datetime | None:
    """Return the aware time that a text holds, if it holds one and not a date alone."""
    if not isinstance(value, str) or not 16 <= len(value) <= 40 or not value[:4].isdigit():
        return None
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        return None
    if at.year not in _YEARS:
        return None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def number(value: object) -> Decimal | None:
    """Return an attribute's value as a number, if it is one."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    return Decimal(value)


def _plain(value: Any) -> Said:
    if value is None or value == "":
        return Said("empty")
    if isinstance(value, bool):
        return Said("Yes" if value else "No")
    if isinstance(value, Decimal):
        return Said(f"{value:f}")
    if isinstance(value, str):
        at = moment(value)
        return Said(value, at)
    return Said(str(value) if isinstance(value, int) else json.dumps(value))


def _data(happening: Happening, names: Names) -> list[Field]:
    """The data of an event; the deal that it is about is a link already."""
    is_linked = happening.deal_id is not None
    shown = {n: v for n, v in happening.data.items() if n != "order_id" or not is_linked}
    return fields(shown, names)


def _line(line: Any) -> str:
    if not isinstance(line, dict):
        return str(line)
    return (
        f"{line.get('quantity')} \N{MULTIPLICATION SIGN} {line.get('product_custom_id')}"
        f" at {line.get('value')} {line.get('currency')}"
    )


def _title(happening: Happening) -> str:
    if happening.kind != "change":
        return happening.name
    thing = label(happening.name)
    return f"{thing} {'created' if happening.is_new else 'changed'}"


def _who(happening: Happening) -> str | None:
    if happening.key_name is not None:
        return f"API key {happening.key_name}"
    return happening.author
