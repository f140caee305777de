"""Definitions of attributes on the wire."""

from typing import Any, Literal, Required, TypedDict

from ordertrail.domain import attribute as rules
from ordertrail.domain.attribute import Attribute, ContentType, ValueType, standard_name
from ordertrail.domain.errors import Invalid
from ordertrail.wire import body
from ordertrail.wire.companies import CompanySent, CompanyShown
from ordertrail.wire.contacts import ContactSent, ContactShown
from ordertrail.wire.deals import DealSent, DealShown
from ordertrail.wire.products import ProductSent, ProductShown

_KINDS = {str(each): each for each in ContentType if each is not ContentType.EVENT}
_KEPT = tuple(_KINDS[each] for each in ("clientuser", "company", "deal", "product"))
_OLDER = {"user": ContentType.CONTACT}
_STANDARD = {
    ContentType.COMPANY: frozenset((*CompanySent.__annotations__, *CompanyShown.__annotations__)),
    ContentType.CONTACT: frozenset((*ContactSent.__annotations__, *ContactShown.__annotations__)),
    ContentType.DEAL: frozenset((*DealSent.__annotations__, *DealShown.__annotations__)),
    ContentType.PRODUCT: frozenset((*ProductSent.__annotations__, *ProductShown.__annotations__)),
}
"""The fields that a thing has anyway: an attribute of their name could never hold a value."""


Kind = Literal["clientuser", "user", "company", "deal", "product"]
"""What an attribute may be defined for; a contact goes by either of the first two."""

Type = Literal["boolean", "date", "datetime", "fixed", "float", "integer", "json", "string"]
"""What the values of an attribute may be."""


class AttributeSent(TypedDict, total=False):
    """An attribute as it is defined; `choices` are those of the type "fixed"."""

    content_type: Required[Kind]
    name: Required[str]
    value_type: Required[Type]
    choices: list[str | int] | None
    allow_multiple_choices: bool | str | None
    description: str | None


class AttributeShown(TypedDict):
    """The definition of an attribute: `name_std` is the name under which its values stand.

    One that `is_inferred` was defined by the values that were sent, and by nobody.
    """

    id: int
    name: str
    name_std: str
    value_type: str
    content_type: str
    choices: list[str]
    allow_multiple_choices: bool
    description: str
    is_inferred: bool


class ValueTypeShown(TypedDict):
    """The type of an attribute."""

    value_type: str


def content_type(field: str, value: object) -> ContentType:
    """Read what an attribute belongs to; "user" is a contact."""
    kind = (_OLDER | _KINDS).get(value.strip().lower()) if isinstance(value, str) else None
    if kind is None:
        raise Invalid({field: f"must be one of: {', '.join(_KEPT)}"})
    return kind


def _kept(field: str, value: object) -> ContentType:
    """Read what a new attribute is to belong to: a kind of things that are kept here."""
    kind = content_type(field, value)
    if kind not in _KEPT:
        raise Invalid({field: f"must be one of: {', '.join(_KEPT)}; no {kind} is kept here"})
    return kind


def decode(sent: dict[str, Any]) -> Attribute:
    """Read the definition that a request asks for, or raise Invalid naming what is wrong."""
    known = body.fields(sent, _READERS)
    body.require(known, _WANTED)
    name, kind, value_type = known["name"], known["content_type"], known["value_type"]
    is_fixed = value_type is ValueType.FIXED
    wanted = Attribute(
        kind,
        standard_name(name),
        value_type,
        is_inferred=False,
        display_name=name,
        description=known.get("description", ""),
        choices=known.get("choices", ()) if is_fixed else (),
        allows_many=is_fixed and known.get("allow_multiple_choices", False),
    )
    if wanted.name in _STANDARD.get(kind, frozenset()):
        raise Invalid({"name": f"{wanted.name} is a field that every {kind} has"})
    rules.check(wanted)
    return wanted


def warnings(sent: dict[str, Any]) -> list[str]:
    """Return warnings about what a request says of a definition and is not taken so."""
    if sent.get("choices") and str(sent.get("value_type")).lower() != ValueType.FIXED:
        return ["choices: ignored: only an attribute of the type fixed has them"]
    return []


def encode(attribute: Attribute) -> dict[str, Any]:
    """Return a definition as the API shows it."""
    return {
        "id": attribute.id,
        "name": attribute.display_name or attribute.name,
        "name_std": attribute.name,
        "value_type": str(attribute.value_type),
        "content_type": str(attribute.content_type),
        "choices": list(attribute.choices),
        "allow_multiple_choices": attribute.allows_many,
        "description": attribute.description,
        "is_inferred": attribute.is_inferred,
    }


def _value_type(field: str, value: object) -> ValueType:
    try:
        return ValueType(value.strip().lower() if isinstance(value, str) else "")
    except ValueError:
        raise Invalid({field: f"must be one of: {', '.join(ValueType)}"}) from None


def _trimmed(field: str, value: object) -> str:
    if not isinstance(value, str) or not 0 < len(value.strip()) <= rules.DISPLAY_NAME_LENGTH_MAX:
        said = f"must be text of 1 to {rules.DISPLAY_NAME_LENGTH_MAX} characters"
        raise Invalid({field: said})
    return value.strip()


def _description(field: str, value: object) -> str:
    if not isinstance(value, str):
        raise Invalid({field: "must be text"})
    return value


def _choice(field: str, value: object) -> str:
    said = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    return body.text(rules.CHOICE_LENGTH_MAX)(field, said)  # type: ignore[no-any-return]


_WANTED = {
    "content_type": f"one of {', '.join(_KEPT)}",
    "name": "what it is called",
    "value_type": f"one of {', '.join(ValueType)}",
}
_READERS: dict[str, body.Read] = {
    "content_type": _kept,
    "name": _trimmed,
    "value_type": _value_type,
    "choices": body.many(_choice, rules.CHOICES_MAX),
    "allow_multiple_choices": body.flag,
    "description": _description,
}
