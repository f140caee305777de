"""Shop accounts: one person stays one contact when the e-mail changes.

Contacts are named after an e-mail. Where the shop says which account ordered, a new e-mail of
that account is a new name of the same person: the old contact is merged into the new one. Without
an account nobody vouches for that, and nothing is merged, but for the nameless guest of one order.
"""

from dataclasses import dataclass, field, replace

from ordertrail.client.calls import Call
from ordertrail.domain import identity
from ordertrail.kit import clock
from ordertrail.sync.flow import Desired
from ordertrail.sync.operations import Kind

MERGE_PATH = "/api/public/users/merge/"


@dataclass(frozen=True, slots=True)
class PlannedAccount:
    """Which contact a shop account is by now, since an order placed `as_of` (microseconds)."""

    custom_id: str
    as_of: int
    lane: str = ""
    merges: int = 0


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the person is: the contact's custom id, the account, and what is to be merged."""

    person: str
    account: PlannedAccount | None
    merges: list[tuple[Kind, tuple[str | int, ...], Call]] = field(default_factory=list)


def person(desired: Desired, account: PlannedAccount | None) -> str:
    """Return the custom id under which the person of the order is known from now on.

    An order that was placed before the account took its present name does not take it back, and
    one without an e-mail does not take it away.
    """
    if account is None or desired.account is None:
        return desired.person
    if _as_of(desired) >= account.as_of and not _is_nameless(desired):
        return desired.person
    return account.custom_id


def identity_of(
    desired: Desired, account: PlannedAccount | None, before: str | None, merges_before: int
) -> Identity:
    """Decide who the person is; `before` is the contact that the order had so far, if any.

    `merges_before` counts the merges that the order planned so far.
    """
    name = person(desired, account)
    is_guest = before is not None and identity.is_guest(before, desired.order_id)
    merges = _merge(before, name, merges_before + 1) if is_guest else []
    if desired.account is None or _is_nameless(desired):
        return Identity(name, account, merges)
    if account is None:
        return Identity(name, PlannedAccount(name, _as_of(desired)), merges)
    if name == account.custom_id:
        return Identity(name, replace(account, as_of=max(account.as_of, _as_of(desired))), merges)
    number = account.merges + 1
    found = replace(account, custom_id=name, as_of=_as_of(desired), merges=number)
    return Identity(name, found, [*_merge(account.custom_id, name, number), *merges])


def _merge(
    old: str | None, name: str, number: int
) -> list[tuple[Kind, tuple[str | int, ...], Call]]:
    """The operation names both by their custom ids; who sends it looks up the API's own."""
    if old is None or old == name:
        return []
    call = Call("POST", MERGE_PATH, {"parent": name, "users_list": [old]})
    return [(Kind.MERGE, (old, name, number), call)]


def _is_nameless(desired: Desired) -> bool:
    return identity.is_guest(desired.person, desired.order_id)


def _as_of(desired: Desired) -> int:
    return clock.to_micros(desired.as_of)
