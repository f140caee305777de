"""Tags, lists and segments on the wire."""

from typing import Any, TypedDict

from ordertrail.domain.tag import ContactList, Tag, tag_name
from ordertrail.wire import body


class GroupSent(TypedDict):
    """A tag or a list as it is to be called."""

    name: str


class SegmentShown(TypedDict):
    """A segment: the contacts that are alike in what it asks."""

    id: int
    name: str


def decode(sent: dict[str, Any]) -> str:
    """Read what a tag or a list is called."""
    body.require(sent, {"name": "what it is called"})
    return tag_name(sent.get("name"))


def encode(group: Tag | ContactList) -> dict[str, Any]:
    """Return a tag or a list as the API shows it."""
    return {"id": group.id, "name": group.name}
