"""Companies on the wire."""

from decimal import Decimal
from typing import Any, TypedDict

from ordertrail.domain.attribute import standard_name
from ordertrail.domain.company import (
    DETAILS,
    LENGTHS_MAX,
    PHONES_MAX,
    READ_ONLY,
    Company,
    CompanyChange,
)
from ordertrail.domain.errors import Invalid
from ordertrail.wire import body, one_field, tags
from ordertrail.wire.tags import TagShown

FIELDS = DETAILS | READ_ONLY | {"custom_id", "name", "tags"}
DATES = frozenset({"created_at", "updated_at"})
_PHONE_LENGTH_MAX = 64
_SHOWN = (
    "email",
    "address",
    "city",
    "region",
    "country",
    "postal_code",
    "size",
    "category",
    "description",
)


class CompanyShown(TypedDict):
    """A company as the API shows it; attributes stand beside these fields."""

    id: int
    custom_id: str | None
    name: str
    email: str | None
    address: str | None
    city: str | None
    region: str | None
    country: str | None
    postal_code: str | None
    phone_numbers: list[str]
    size: int | str | None
    category: str | None
    description: str | None
    employees: list[int]
    tags: list[TagShown]
    created_at: str
    updated_at: str


class CompanyUpserted(CompanyShown):
    """A company, and whether the request created it."""

    created: bool


class CompanySent(TypedDict, total=False):
    """What may be said of a company; any other name is an attribute.

    `size` is a number or words; `tags` are put on it besides those that it bears.
    """

    custom_id: str | int | None
    name: str | None
    email: str | None
    address: str | None
    city: str | None
    region: str | None
    country: str | None
    postal_code: str | int | None
    phone_numbers: list[str | int] | str | None
    size: int | str | None
    category: str | None
    description: str | None
    tags: list[str] | None


def warnings(sent: dict[str, Any]) -> list[str]:
    """Return warnings about what a request says of a company and is not taken so."""
    return body.unnoticed(sent, FIELDS, READ_ONLY)


def field_name(name: str) -> str:
    """Return the name under which a field is shown, by the one under which it was sent."""
    return name if name in FIELDS else standard_name(name)


def decode_change(sent: dict[str, Any]) -> CompanyChange:
    """Read what a request says about a company; unknown keys are custom attributes."""
    sent = body.under_known_names(sent, FIELDS)
    known = body.fields(sent, _READERS)
    cleared = {name: None for name, value in sent.items() if name in DETAILS and value is None}
    return CompanyChange(
        custom_id=known.get("custom_id"),
        name=known.get("name"),
        details=cleared | {name: value for name, value in known.items() if name in DETAILS},
        attributes={name: value for name, value in sent.items() if name not in FIELDS},
        tags=known.get("tags", ()),
    )


def decode_removal(sent: dict[str, Any]) -> CompanyChange:
    """Return the change that a field is cleared by."""
    change = decode_change({one_field.decode_name(sent): None})
    if not change.attributes and not change.details:
        raise Invalid({"attribute": "no company can be without it"})
    return CompanyChange(details=change.details, dropped=tuple(change.attributes))


def encode(company: Company) -> dict[str, Any]:
    """Return a company as the API shows it, custom attributes flattened."""
    return {
        **company.attributes,
        "id": company.id,
        "custom_id": company.custom_id,
        "name": company.name,
        **{name: company.details.get(name) for name in _SHOWN},
        "phone_numbers": company.details.get("phone_numbers") or [],
        "employees": list(company.member_ids),
        "tags": tags.encode(company.tags),
        "created_at": body.iso(company.created_at),
        "updated_at": body.iso(company.updated_at),
    }


def _text(field: str, value: object) -> str:
    """Read text; a number, such as a postal code, is its digits."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or len(value) > LENGTHS_MAX[field]:
        raise Invalid({field: f"must be text of at most {LENGTHS_MAX[field]} characters"})
    return value


def _name(field: str, value: object) -> str:
    text = _text(field, value).strip()
    if not text:
        raise Invalid({field: "must not be empty"})
    return text


def _size(field: str, value: object) -> int | str:
    """Read how large a company is: a number of people, or words such as 11-50."""
    if isinstance(value, Decimal) and value == value.to_integral_value():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    return _text(field, value)


def _phones(field: str, value: object) -> list[str]:
    numbers = value if isinstance(value, list) else [value]
    if len(numbers) > PHONES_MAX:
        raise Invalid({field: f"must have at most {PHONES_MAX} items"})
    return [_phone(f"{field}[{place}]", each) for place, each in enumerate(numbers)]


def _phone(field: str, value: object) -> str:
    said = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    return str(body.text(_PHONE_LENGTH_MAX)(field, said))


_READERS: dict[str, body.Read] = {
    **dict.fromkeys(_SHOWN, _text),
    "custom_id": body.identifier,
    "name": _name,
    "size": _size,
    "phone_numbers": _phones,
    "tags": lambda _field, value: tags.decode_all(value),
}
