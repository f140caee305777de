"""Tags and lists: names that people sort contacts, deals, companies and products by."""

from dataclasses import dataclass

from ordertrail.domain.errors import Invalid

NAME_LENGTH_MAX = 255


@dataclass(frozen=True, slots=True)
class Tag:
    """A name that any number of things may bear."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class ContactList:
    """A named list of contacts, kept by hand."""

    id: int
    name: str


def tag_name(name: object, field: str = "name") -> str:
    """Return the name of a tag or a list without blanks around it, or raise Invalid."""
    trimmed = name.strip() if isinstance(name, str) else ""
    if not 0 < len(trimmed) <= NAME_LENGTH_MAX:
        raise Invalid({field: f"must be text of 1 to {NAME_LENGTH_MAX} characters"})
    return trimmed
