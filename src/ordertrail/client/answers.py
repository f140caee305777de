"""Answers of the API: what a status, its headers and its body mean, decided without a socket."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
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
    date: str | None = None

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
    features: frozenset[str] = frozenset()


def content(answer: Answer) -> Any:
    """Return what the JSON of a good answer says; None when it is empty.

    Raises Unavailable for anything but JSON: then something else than the API has answered.
    """
    if not answer.raw.strip():
        return None
    try:
        return body.parse(answer.raw)
    except Invalid:
        reason = f"the answer is not JSON but: {_shown(answer.raw)}"
        raise Unavailable(reason, is_unsure=True) from None


def failure(answer: Answer, token: str) -> Refused | Unavailable:
    """Return the error that an answer without success means; it never repeats the token."""
    try:
        said = body.parse(answer.raw)
    except Invalid:
        said = None
    if not isinstance(said, dict):
        said = {"detail": f"HTTP status {answer.status} {_shown(answer.raw)}".strip()}
    return errors.decode(answer.status, _without(token, said), answer.retry_after_s)


def each(answer: Answer, token: str, count: int) -> list[Any | Refused | Unavailable]:
    """Return what came of each operation of a batch, as the answer to it alone would mean.

    Raises Unavailable when the answer does not tell of all of them.
    """
    said = content(answer)
    results = said.get("results") if isinstance(said, dict) else None
    if not isinstance(results, list) or len(results) != count:
        raise Unavailable("the answer to a batch does not tell of each operation", is_unsure=True)
    return [_result(result, token) for result in results]


def _result(result: Any, token: str) -> Any | Refused | Unavailable:
    told = result if isinstance(result, dict) else {}
    status, said = told.get("status"), told.get("body")
    if not isinstance(status, int):
        return Unavailable("an operation of a batch was not answered", is_unsure=True)
    alone = Answer(status, b"")
    return said if alone.is_good else errors.decode(status, _without(token, said), None)


def about(answer: Answer) -> About | None:
    """Return who answers, or None when the answer is not that of our own platform."""
    try:
        said = body.decode_object(answer.raw) if answer.is_good else {}
    except Invalid:
        return None
    told = [said.get(each) for each in ("name", "version", "workspace")]
    features = said.get("features")
    known = frozenset(map(str, features)) if isinstance(features, list) else frozenset[str]()
    if not all(told):
        return None
    name, version, workspace = map(str, told)
    return About(name, version, workspace, known)


def seconds_to_wait(retry_after: str | None, date: str | None) -> float | None:
    """Read a retry-after header: seconds, or a date, counted from the answer's own date."""
    text = (retry_after or "").strip()
    if _SECONDS.fullmatch(text):
        return float(text)
    until, at = http_date(text), http_date(date or "")
    if until is None or at is None:
        return None
    return max((_in_utc(until) - _in_utc(at)).total_seconds(), 0.0)


def moment(told: object) -> datetime | None:
    """Return the time that a field of an answer tells, by seconds since 1970 or ISO 8601."""
    try:
        return body.moment("time", told)
    except Invalid:
        return None


def http_date(text: str) -> datetime | None:
    """Return the time in a header, without a zone where it has none; None for no time."""
    try:
        return parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None


def _in_utc(at: datetime) -> datetime:
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _shown(raw: bytes) -> str:
    return " ".join(raw[: 4 * SHOWN_CHARS_MAX].decode(errors="replace").split())[:SHOWN_CHARS_MAX]


def _without(token: str, said: Any) -> Any:
    """Return the decoded JSON with the token hidden wherever a text holds it."""
    if isinstance(said, str):
        return said.replace(token, "***") if token else said
    if isinstance(said, dict):
        return {_without(token, name): _without(token, value) for name, value in said.items()}
    return [_without(token, each) for each in said] if isinstance(said, list) else said
