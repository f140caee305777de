"""Errors on the wire: a status and a body that says what to change, for server and client."""

from collections.abc import Mapping
from typing import Any, NotRequired, TypedDict

from ordertrail.domain.errors import (
    Conflict,
    Forbidden,
    Invalid,
    KeyReused,
    NotFound,
    Refused,
    Unauthorised,
    Unavailable,
)


class ErrorShown(TypedDict):
    """What went wrong, what to change by field, and the id under which the log says more."""

    detail: str
    errors: NotRequired[dict[str, list[str]]]
    request_id: NotRequired[str]


TIMED_OUT, TOO_EARLY, THROTTLED, BUSY = 408, 425, 429, 503

STATUSES: dict[type[Refused], int] = {
    Invalid: 400,
    Unauthorised: 401,
    Forbidden: 403,
    NotFound: 404,
    Conflict: 409,
    KeyReused: 422,
}


def encode(error: Refused) -> tuple[int, dict[str, Any]]:
    """Return the status and the body of a refusal; wrong fields stand under `errors`."""
    status = STATUSES[type(error)]
    body: dict[str, Any] = {"detail": str(error)}
    if isinstance(error, Invalid):
        body["errors"] = {name: [reason] for name, reason in error.fields.items()}
    return status, body


def decode(status: int, body: object, retry_after_s: float | None) -> Refused | Unavailable:
    """Return the error that an answer with a status of 400 or more means."""
    said = body if isinstance(body, Mapping) else {}
    detail = str(said.get("detail") or said or f"HTTP status {status}")[:500]
    if status in (TIMED_OUT, TOO_EARLY, THROTTLED) or status >= 500:
        return Unavailable(
            detail,
            retry_after_s,
            is_throttled=status == THROTTLED,
            is_busy=status == BUSY,
            is_unsure=status == TIMED_OUT or (status >= 500 and status != BUSY),
        )
    if status == STATUSES[Invalid]:
        return Invalid(_fields(said, detail))
    for kind, known in STATUSES.items():
        if status == known:
            return kind(detail)
    return Refused(f"HTTP status {status}: {detail}")


def _fields(said: Mapping[str, Any], detail: str) -> dict[str, str]:
    errors = said.get("errors")
    if not isinstance(errors, Mapping) or not errors:
        return {"body": detail}
    return {
        str(name): "; ".join(map(str, reason)) if isinstance(reason, list) else str(reason)
        for name, reason in errors.items()
    }
