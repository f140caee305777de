"""Values as people read them: attributes and data in words."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from ordertrail.actions.browse import Names
from ordertrail.domain import deal_story
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
    ("contact", "custom_id"): "User ID",
    ("deal", "custom_id"): "Order ID",
    ("deal", "user_id"): "Contact",
    ("deal", "company_id"): "Company",
    ("deal", "order_products"): "Lines",
}
_WORDS = {"id": "ID", "url": "URL", "ip": "IP", "email": "e-mail"}
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


def fields(values: Mapping[str, Any], names: Names | None = None) -> list[Field]:
    """Return named values in words, without those that are empty; `names` for those of a deal."""
    return [
        Field(label(name), said(name, value, names))
        for name, value in values.items()
        if value is not None
    ]


def label(name: str, subject: str = "") -> str:
    """Return the name of a field of a thing as a person would write it."""
    if (subject, name) in _LABELS:
        return _LABELS[subject, name]
    words = [_WORDS.get(word, word) for word in name.split("_") if word]
    text = " ".join(words) or name
    return text[:1].upper() + text[1:]


def said(name: str, value: Any, names: Names | None = None) -> Said:
    """Return a value in words, with `names` as one of a deal, whose ids stand for something."""
    if names is None:
        return _plain(value)
    subject = deal_story.IDS.get(name)
    match value:
        case int() if subject is not None:
            return Said(names.of(subject, value))
        case list() if subject is not None:
            return Said(", ".join(names.of(subject, each) for each in value) or "none")
        case int() if name == "status" and value in list(Status):
            return Said(STATUS_NAMES[Status(value)])
        case list() if name == "order_products":
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
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return Said(", ".join(value) or "none")
    return Said(str(value) if isinstance(value, int) else json.dumps(value))


def _line(line: Any) -> str:
    if not isinstance(line, dict):
        return str(line)
    return (
        f"{line.get('quantity')} \N{MULTIPLICATION SIGN} {line.get('product_custom_id')}"
        f" at {line.get('value')} {line.get('currency')}"
    )
