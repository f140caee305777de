"""One field of a thing on the wire, standard or not: named, set and cleared by itself."""

from typing import Any, TypedDict

from ordertrail.domain.errors import Invalid

_NAME_IS_REQUIRED = {"attribute": "is required: the name of a field"}


class FieldSent(TypedDict):
    """A field, and what it becomes; null clears it."""

    attribute: str
    value: Any


class AttributeNamed(TypedDict):
    """The name of a field."""

    attribute: str


def decode(sent: dict[str, Any]) -> dict[str, Any]:
    """Read a field and its value as a body that says the field."""
    wrong = {} if _is_name(sent.get("attribute")) else dict(_NAME_IS_REQUIRED)
    if "value" not in sent:
        wrong["value"] = "is required: what the attribute becomes; null clears it"
    if wrong:
        raise Invalid(wrong)
    return {sent["attribute"]: sent["value"]}


def decode_name(sent: dict[str, Any]) -> str:
    """Read the name of a field as it was sent."""
    if not _is_name(sent.get("attribute")):
        raise Invalid(_NAME_IS_REQUIRED)
    return str(sent["attribute"])


def _is_name(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())
