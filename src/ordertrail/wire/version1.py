"""Version 1 of the API: its names for what version 2 calls otherwise, in bodies and answers.

A body may use the names of either version; where both stand in it, version 2's count, except for
null.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from ordertrail.domain.attribute import Attribute, ContentType, infer
from ordertrail.wire import body

_CONTACT = {"user_id": "custom_id", "key": "user_key", "company_id": "company_custom_id"}
DEAL = {"person": "user_id", "company": "company_id", "deal_id": "custom_id"}
_EVENT = {"user_id": "user_custom_id", "client": "user_id"}
_COMPANY = {"company_id": "custom_id"}


def contact_body(sent: dict[str, Any]) -> dict[str, Any]:
    """Return what is said of a contact under the names of version 2."""
    return _renamed(sent, _CONTACT)


def company_body(sent: dict[str, Any]) -> dict[str, Any]:
    """Return what is said of a company under the names of version 2."""
    return _renamed(sent, _COMPANY)


def company_field(name: str) -> str:
    """Return the name in version 2 of a field of companies."""
    return _COMPANY.get(name, name)


def contact_field(name: str) -> str:
    """Return the name in version 2 of a field of contacts."""
    return _CONTACT.get(name, name)


def deal_body(sent: dict[str, Any]) -> dict[str, Any]:
    """Return what is said of a deal under the names of version 2."""
    return _renamed(sent, DEAL)


def event_body(sent: dict[str, Any]) -> dict[str, Any]:
    """Return what is said of an event under the names of version 2.

    `user_id` is the shop's id here, unless the body shows by `user_custom_id` that it is meant as
    in version 2.
    """
    return sent if "user_custom_id" in sent else _renamed(sent, _EVENT)


def contact(
    shown: Mapping[str, Any], values: Mapping[str, Any], known: "Definitions"
) -> dict[str, Any]:
    """Return a contact as version 1 shows it; `values` are its attributes."""
    return _shown(shown, values, known, _CONTACT)


def company(
    shown: Mapping[str, Any], values: Mapping[str, Any], known: "Definitions"
) -> dict[str, Any]:
    """Return a company as version 1 shows it; `values` are its attributes."""
    return _shown(shown, values, known, _COMPANY)


def deal(
    shown: Mapping[str, Any], values: Mapping[str, Any], known: "Definitions"
) -> dict[str, Any]:
    """Return a deal as version 1 shows it; `values` are its attributes."""
    return _shown(shown, values, known, DEAL)


def event(shown: Mapping[str, Any]) -> dict[str, Any]:
    """Return an event or a product event as version 1 shows it."""
    return {"client" if name == "user_id" else name: value for name, value in shown.items()}


def attribute(shown: Mapping[str, Any]) -> dict[str, Any]:
    """Return the definition of an attribute as version 1 shows it: a contact is a user there."""
    is_of_contact = shown["content_type"] == ContentType.CONTACT
    return {**shown, "content_type": "user"} if is_of_contact else dict(shown)


class Definitions:
    """The attributes of one kind of thing, for lists of them."""

    def __init__(self, kind: ContentType, known: Iterable[Attribute]) -> None:
        self._kind = kind
        self._known = {each.name: each for each in known}
        self._always = [name for name, each in self._known.items() if not each.is_inferred]

    def listed(self, values: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return attributes as version 1 lists them: what has a value, and what was defined.

        One that has a value and no definition has no id.
        """
        said = (name for name, value in values.items() if value is not None)
        return [
            _listed(self._known.get(name) or self._guessed(name, values[name]), values.get(name))
            for name in dict.fromkeys((*self._always, *said))
        ]

    def _guessed(self, name: str, value: object) -> Attribute:
        return Attribute(self._kind, name, infer(value))


def _listed(each: Attribute, value: object) -> dict[str, Any]:
    return {
        "id": each.id,
        "name": each.display_name or each.name,
        "name_std": each.name,
        "value": value,
        "description": each.description,
        "value_type": str(each.value_type),
    }


def _renamed(sent: dict[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    if not names.keys() & sent.keys() and "attributes" not in sent:
        return sent
    flat = {name: value for name, value in sent.items() if name not in names}
    flat |= {
        names[name]: value
        for name, value in sent.items()
        if name in names and flat.get(names[name]) is None
    }
    return body.flattened(flat)


def _shown(
    shown: Mapping[str, Any],
    values: Mapping[str, Any],
    known: Definitions,
    names: Mapping[str, str],
) -> dict[str, Any]:
    older = {new: old for old, new in names.items()}
    renamed = {older.get(name, name): v for name, v in shown.items() if name not in values}
    return {**renamed, "attributes": known.listed(values)}
