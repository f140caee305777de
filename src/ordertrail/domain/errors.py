"""Errors, sorted by what the caller can do about them.

OrdertrailError
├── Refused            change something, then ask again
│   ├── Invalid        a field is wrong; `fields` says which and why
│   ├── Unauthorised   say who you are
│   ├── Forbidden      you may not; someone else may
│   ├── NotFound       no such thing, or not yours to see
│   ├── Conflict       true request, wrong moment
│   └── KeyReused      an idempotency key that stands for another request
└── Unavailable        change nothing, ask again later; `retry_after_s` if known

Anything else is a bug: let it crash, never catch it here.
"""

from collections.abc import Mapping
from typing import Protocol


class OrdertrailError(Exception):
    """Everything that Ordertrail raises on purpose."""


class Refused(OrdertrailError):
    """The request cannot be carried out as it is."""


class Invalid(Refused):
    """One or more fields are wrong; `fields` maps each to what to change."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{name}: {reason}" for name, reason in fields.items()))
        self.fields = dict(fields)


class Unauthorised(Refused):
    """Nobody known is asking."""


class Forbidden(Refused):
    """Somebody known asks for what they may not do."""


class NotFound(Refused):
    """There is no such thing, or it is not the caller's to see."""


class Name(Protocol):
    """A thing as a request names it: by the shop's id, or by our own."""

    @property
    def id(self) -> int | None:
        """Our own id."""
        ...

    @property
    def custom_id(self) -> str | None:
        """The shop's id."""
        ...


def unknown(thing: str, name: Name | int, of: str = "") -> NotFound:
    """Return what is told of a thing that is not there.

    `of` is what stands before "id" in the names of the fields by which it was asked for.
    """
    if isinstance(name, int):
        return NotFound(f"no {thing} with the {of}id {name}")
    if name.custom_id is not None:
        return NotFound(f"no {thing} with this {of}custom_id")
    return NotFound(f"no such {thing}") if name.id is None else unknown(thing, name.id, of)


class Conflict(Refused):
    """The request makes sense, but not in the present state."""


class KeyReused(Refused):
    """The idempotency key was used for another request, and stands for that one."""


class Unavailable(OrdertrailError):
    """Nothing is wrong with the request; ask again after `retry_after_s` seconds.

    `is_busy` tells that it came too soon and was not carried out, `is_throttled` that the sender
    asks too often, `is_unsure` that it may have been carried out nevertheless.
    """

    def __init__(
        self,
        reason: str,
        retry_after_s: float | None = None,
        *,
        is_throttled: bool = False,
        is_busy: bool = False,
        is_unsure: bool = False,
    ) -> None:
        super().__init__(reason)
        self.retry_after_s = retry_after_s
        self.is_throttled = is_throttled
        self.is_busy = is_busy or is_throttled
        self.is_unsure = is_unsure
