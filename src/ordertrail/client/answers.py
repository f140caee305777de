"""Answers of the API: what a status, its headers and its body mean, decided without a socket."""

import re
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

from ordertrail.domain.errors import Invalid, Refused, Unavailable
from ordertrail.wire import body, errors

SHOWN_CHARS_MAX = 200

_SECONDS = re.compile(r"[0-9]{1,9}(\.[0-9]{1,6})?")


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back for one call."""

    status: int
    raw: bytes
    retry_after_s: float | None = None

    @property
    def is_good(self) -> bool:
        """Whether the call was carried out."""
        return 200 <= self.status < 300


@dataclass(frozen=True, slots=True)
class About:
    """Who answers at an address; `workspace` tells a fresh platform from an old one."""

    name: str
    version: str
    workspace: str


def content(answer: Answer) -> Any:
    """Return what the JSON of a good answer says; None when it is empty.

    Raises Unavailable for anything but JSON: then something else than the API has answered.
    """
    if not answer.raw.strip():
        return None
    try:
        return body.decode(answer.raw)
    except Invalid:
        raise Unavailable(f"the answer is not JSON but: {_shown(answer.raw)}") from None


def failure(answer: Answer, token: str) -> Refused | Unavailable:
    """Return the error that an answer without success means; it never repeats the token."""
    try:
        said = body.decode(answer.raw)
    except Invalid:
        said = None
    if not isinstance(said, dict):
        said = {"detail": f"HTTP status {answer.status} {_shown(answer.raw)}".strip()}
    return errors.decode(answer.status, _without(token, said), answer.retry_after_s)


def about(answer: Answer) -> About | None:
    """Return who answers, or None when the answer is not that of our own platform."""
    try:
        said = body.decode_object(answer.raw) if answer.is_good else {}
    except Invalid:
        return None
    told = [said.get(name) for name in ("name", "version", "workspace")]
    return About(*map(str, told)) if all(told) else None


def seconds_to_wait(retry_after: str | None, date: str | None) -> float | None:
    """Read a retry-after header: seconds, or a date, counted from the answer's own date."""
    text = (retry_after or "").strip()
    if _SECONDS.fullmatch(text):
        return float(text)
    until, at = _moment(text), _moment(date or "")
    return None if until is None or at is None else max((until - at).total_seconds(), 0.0)


def _moment(text: str) -> datetime | None:
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    return at if at.tzinfo else None


def _shown(raw: bytes) -> str:
    return " ".join(raw[: 4 * SHOWN_CHARS_MAX].decode(errors="replace").split())[:SHOWN_CHARS_MAX]


def _without(token: str, said: Any) -> Any:
    """Return the decoded JSON with the token hidden wherever a text holds it."""
    if isinstance(said, str):
        return said.replace(token, "***") if token else said
    if isinstance(said, dict):
        return {_without(token, name): _without(token, value) for name, value in said.items()}
    return [_without(token, each) for each in said] if isinstance(said, list) else said
