"""Tags of things on the wire: put on, taken off, told."""

from collections.abc import Collection, Iterable
from typing import Any, TypedDict

from ordertrail.domain.errors import Invalid
from ordertrail.domain.tag import Tag, tag_name
from ordertrail.wire import body

TAGS_MAX = 100


class TagShown(TypedDict):
    """A tag on something."""

    id: int
    name: str


class TagNamed(TypedDict):
    """The name of a tag."""

    name: str


class TagAdded(TypedDict):
    """A tag that was put on, and whether nobody bore it before."""

    created: bool
    tag: TagShown


class TagRemoved(TypedDict):
    """A tag that was taken off."""

    tag: TagNamed


class TagsSent(TypedDict):
    """The names of tags."""

    tag_names: list[str]


class TagsShown(TypedDict):
    """The tags that a contact bears."""

    tags: list[TagShown]


def encode(tags: Iterable[Tag]) -> list[dict[str, Any]]:
    """Return tags as they stand on what bears them."""
    return [{"id": tag.id, "name": tag.name} for tag in tags]


def encode_added(borne: Iterable[Tag], name: str, new: Collection[str]) -> dict[str, Any]:
    """Return the tag of this name, which was put on; `new` are those that nobody bore before."""
    [tag] = encode(each for each in borne if each.name == name)
    return {"created": name in new, "tag": tag}


def encode_removed(name: str) -> dict[str, Any]:
    """Return the tag of this name, which was taken off."""
    return {"tag": {"name": name}}


def decode_all(sent: object) -> tuple[str, ...]:
    """Read tags, which are sent as names; what was read may be sent back as it was."""
    names = [each.get("name") if isinstance(each, dict) else each for each in _listed(sent)]
    return tuple(dict.fromkeys(tag_name(each, "tags") for each in names))


def _listed(sent: object) -> list[Any]:
    if sent is None:
        return []
    if not isinstance(sent, list) or len(sent) > TAGS_MAX:
        raise Invalid({"tags": f"must be a list of at most {TAGS_MAX} names"})
    return sent


def decode_name(sent: dict[str, Any]) -> str:
    """Read the name of a tag."""
    body.require(sent, {"name": "what the tag is called"})
    return tag_name(sent.get("name"))


def decode_names(sent: dict[str, Any]) -> tuple[str, ...]:
    """Read the names of tags."""
    body.require(sent, {"tag_names": "a list of what the tags are called"})
    names = sent["tag_names"]
    if not isinstance(names, list) or len(names) > TAGS_MAX:
        raise Invalid({"tag_names": f"must be a list of at most {TAGS_MAX} names"})
    return tuple(dict.fromkeys(tag_name(each, "tag_names") for each in names))
