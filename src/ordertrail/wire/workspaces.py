"""Workspaces and their settings on the wire."""

from typing import Any, TypedDict

from ordertrail.wire import body

NAME_LENGTH_MAX = 100
_ZONE_LENGTH_MAX = 100


class AboutShown(TypedDict):
    """Which workspace of which installation this is, and what the API offers besides."""

    name: str
    version: str
    workspace: str
    features: list[str]


class WorkspaceShown(TypedDict):
    """The settings of a workspace; `strict` refuses attributes that nobody defined."""

    name: str
    currency: str
    time_zone: str
    strict: bool


class WorkspaceSent(TypedDict, total=False):
    """Settings to change; one that is not sent stays."""

    name: str | None
    currency: str | None
    time_zone: str | None
    strict: bool | str | None


def warnings(sent: dict[str, Any]) -> list[str]:
    """Return warnings about what a request says and is no setting."""
    return [
        f"{name}: ignored: the settings are {', '.join(_READERS)}"
        for name in sent
        if name not in _READERS
    ]


def decode_settings(sent: dict[str, Any]) -> dict[str, Any]:
    """Read the settings that a request changes."""
    known = body.fields(sent, _READERS)
    if "strict" in known:
        known["is_strict"] = known.pop("strict")
    return known


_READERS: dict[str, body.Read] = {
    "name": body.text(NAME_LENGTH_MAX),
    "currency": body.currency,
    "time_zone": body.text(_ZONE_LENGTH_MAX),
    "strict": body.flag,
}
