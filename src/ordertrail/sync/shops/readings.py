"""What every format of a shop's orders gives: orders, what is none and why, and an account."""

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any, Protocol

from ordertrail.domain import order as orders
from ordertrail.domain.errors import Invalid
from ordertrail.domain.order import Order

STANDARD_INPUT = Path("-")
SHOP = "shop"
"""The source of the canonical formats: an order is the same one, whichever of them says it."""


@dataclass(frozen=True, slots=True)
class Options:
    """What a person asks of a reading.

    `strict` stops at the first order that is wrong, by raising Invalid. `zone` is the zone of
    times that are written without one, where a format allows them. `since` leaves out orders that
    changed before it; `limit` is how many orders to give at most.
    """

    strict: bool = False
    zone: tzinfo | None = None
    since: datetime | None = None
    limit: int | None = None

    def __post_init__(self) -> None:
        if self.since is not None and self.since.tzinfo is None:
            raise Invalid({"since": "needs a time zone, such as 2026-03-01T00:00:00Z"})
        if self.limit is not None and self.limit < 0:
            raise Invalid({"limit": "must not be below zero"})


EVERYTHING = Options()


@dataclass(frozen=True, slots=True)
class Rejected:
    """What was no order: its id if it could be read, where it stands, and what is wrong."""

    order_id: str | None
    place: str
    reason: str

    def __str__(self) -> str:
        return f"{self.place}: {self.reason}"


class Accounts(Protocol):
    """Where everything in a file went."""

    def as_data(self) -> dict[str, Any]:
        """Return the counts for a program."""
        ...

    def told(self) -> list[str]:
        """Return the counts as lines for a person."""
        ...


class Reading(Protocol):
    """One file of orders.

    `source` is the name of the shop unless a person gives another. `order_count` is None where
    nobody can know it before the end. An order that is well formed is given even if it cannot be
    true: `domain.order.check` says why, and whoever keeps orders keeps the reason too.
    """

    @property
    def source(self) -> str:
        """The name of the source, part of every operation's key."""
        ...

    @property
    def order_count(self) -> int | None:
        """How many orders there will be."""
        ...

    @property
    def accounts(self) -> Accounts:
        """The counts so far; complete when the orders are through."""
        ...

    def orders(self) -> Iterator[Order | Rejected]:
        """Yield what the file holds."""
        ...


@dataclass(slots=True)
class Counts:
    """Where every record of a file went: `read == orders + left_out + rejected`.

    A record is what `unit` says.
    """

    unit: str
    read: int = 0
    orders: int = 0
    left_out: int = 0
    rejected: int = 0

    def as_data(self) -> dict[str, Any]:
        """Return the counts for a program."""
        return dataclasses.asdict(self)

    def told(self) -> list[str]:
        """Return the counts as lines for a person."""
        parts = [f"{self.orders:,} orders"]
        if self.left_out:
            parts.append(f"{self.left_out:,} left out as older")
        parts.append(f"{self.rejected:,} rejected")
        return [f"{self.read:,} {self.unit}: {', '.join(parts)}"]


def changed_at(order: Order) -> datetime:
    """Return when an order last changed: as the shop says, else the latest of its moments."""
    if order.updated_at is not None:
        return order.updated_at
    moments = (order.placed_at, order.fulfilled_at, order.cancelled_at)
    refunds = (refund.at for refund in order.refunds)
    return max(at for at in (*moments, *refunds) if at is not None)


def sift(
    found: Iterable[tuple[str, Order | Rejected]], options: Options, counts: Counts
) -> Iterator[Order | Rejected]:
    """Yield what was found at each place, as the options want it, and count it."""
    if options.limit == 0:
        return
    for place, each in found:
        counts.read += 1
        if isinstance(each, Rejected):
            counts.rejected += 1
            if options.strict:
                raise Invalid({each.place: each.reason})
        elif options.since is not None and changed_at(each) < options.since:
            counts.left_out += 1
            continue
        else:
            counts.orders += 1
            if options.strict:
                _check(place, each)
        yield each
        if counts.orders == options.limit:
            return


def why(fields: Mapping[str, str]) -> str:
    """Return the reasons of an Invalid as one."""
    return str(Invalid(fields))


def _check(place: str, order: Order) -> None:
    try:
        orders.check(order)
    except Invalid as error:
        raise Invalid({f"{place}, {name}": why for name, why in error.fields.items()}) from None
