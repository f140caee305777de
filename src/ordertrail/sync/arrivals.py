"""Orders as they arrive, a list at a time: which are news, which are old, which cannot be true."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from ordertrail.domain.errors import Invalid
from ordertrail.domain.order import VERSION_MAX, Order
from ordertrail.kit import clock, json
from ordertrail.sync.flow import Desired, desired
from ordertrail.sync.rules import Flow

ORDER_DIGITS, SETTINGS_DIGITS = 24, 8


@dataclass(frozen=True, slots=True)
class Draft:
    """An order as it would be kept; `body` is empty when JSON cannot say the order.

    The hash tells the order and the settings, so that an order is planned anew when either
    changes. The rank tells which of two snapshots is newer; None when the shop does not say.
    """

    order: Order
    body: str
    content_hash: str
    rank: int | None


@dataclass(frozen=True, slots=True)
class Known:
    """What is kept of an order, as far as it tells whether a snapshot is news."""

    content_hash: str | None = None
    rank: int | None = None
    is_quarantined: bool = False
    quarantine_rank: int | None = None


@dataclass(frozen=True, slots=True)
class News:
    """A snapshot that differs from the one before it, and what it wants; None is nothing yet."""

    order_id: str
    content_hash: str
    rank: int | None
    body: str
    desired: Desired | None


@dataclass(slots=True)
class Arrivals:
    """A list of orders, told apart; what an order is in by its end holds.

    `refused` has every snapshot that cannot be true; `quarantine` (reason and rank) and
    `released` tell by order what holds after the last one. `bumped` orders are as they were, of a
    higher rank. `older` has every snapshot that a newer one had overtaken.
    """

    news: list[News] = field(default_factory=list)
    bumped: dict[str, int] = field(default_factory=dict)
    older: list[str] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)
    quarantine: dict[str, tuple[str, int | None]] = field(default_factory=dict)
    released: set[str] = field(default_factory=set)

    def add_news(self, news: News) -> None:
        """Take a good snapshot."""
        self.news.append(news)
        self.bumped.pop(news.order_id, None)

    def release(self, order_id: str) -> None:
        """End any quarantine of the order."""
        self.quarantine.pop(order_id, None)
        self.released.add(order_id)

    def add_refused(self, order_id: str, reason: str, rank: int | None = None) -> None:
        """Take a snapshot that cannot be true."""
        sayable_id, sayable_reason = sayable(order_id), sayable(reason)
        self.refused.append((sayable_id, sayable_reason))
        self.quarantine[sayable_id] = sayable_reason, rank
        self.released.discard(sayable_id)


def drafts(orders: Iterable[Order], flow: Flow) -> list[Draft]:
    """Return the orders as they would be kept."""
    settings = _digest(json.dumps(flow))[:SETTINGS_DIGITS]
    return [_draft(order, settings) for order in orders]


def sort(
    drafts: Iterable[Draft], known: Mapping[str, Known], flow: Flow, *, are_changes: bool = False
) -> Arrivals:
    """Tell the orders apart, given what is known of each; without a rank, the later is newer.

    Changes of what is kept are newer than that, by less than any snapshot is.
    """
    found = Arrivals()
    latest = dict(known)
    for each in drafts:
        draft, before = each, latest.get(each.order.id, Known())
        is_change = are_changes and draft.content_hash != before.content_hash
        if is_change and before.rank is not None:
            odd = before.rank | 1
            draft, before = replace(draft, rank=odd), replace(before, rank=odd - 1)
        latest[draft.order.id] = _sorted(draft, before, flow, found)
    return found


def keepable_ids(drafts: Iterable[Draft]) -> set[str]:
    """Return the ids of orders that can have been kept; others cannot even be asked for."""
    return {each.order.id for each in drafts if each.body and "\0" not in each.order.id}


def is_as_it_was(draft: Draft, known: Mapping[str, Known]) -> bool:
    """Tell whether nothing needs to be written for a snapshot."""
    before = known.get(draft.order.id, Known())
    if draft.content_hash != before.content_hash or before.is_quarantined:
        return False
    return draft.rank is None or (before.rank is not None and draft.rank <= before.rank)


def sayable(text: str) -> str:
    """Return the text such that every database can keep it."""
    return text.encode(errors="replace").decode().replace("\0", "?")


def _sorted(draft: Draft, before: Known, flow: Flow, found: Arrivals) -> Known:
    """Put one snapshot where it belongs, and return what is known of its order from then on."""
    order_id, digest = draft.order.id, draft.content_hash
    if _is_older(draft, before):
        found.older.append(order_id)
        return before
    rank = _higher(draft.rank, before.rank)
    if digest == before.content_hash:
        if rank != before.rank and rank is not None:
            found.bumped[order_id] = rank
    else:
        try:
            wanted = _desired(draft, flow)
        except Invalid as error:
            found.add_refused(order_id, str(error), draft.rank)
            higher = _higher(draft.rank, before.quarantine_rank)
            return replace(before, is_quarantined=True, quarantine_rank=higher)
        found.add_news(News(order_id, digest, rank, draft.body, wanted))
    after = replace(before, content_hash=digest, rank=rank)
    if not before.is_quarantined or _is_below(draft.rank, before.quarantine_rank):
        return after
    found.release(order_id)
    return replace(after, is_quarantined=False, quarantine_rank=None)


def _is_older(draft: Draft, before: Known) -> bool:
    """Whether a newer snapshot is kept; of two of one rank the one of the higher hash is newer."""
    if before.content_hash in (None, draft.content_hash):
        return False
    if draft.rank is None or before.rank is None or before.content_hash is None:
        return False
    if draft.rank != before.rank:
        return draft.rank < before.rank
    return draft.content_hash[:ORDER_DIGITS] < before.content_hash[:ORDER_DIGITS]


def _is_below(rank: int | None, other: int | None) -> bool:
    return rank is not None and other is not None and rank < other


def _higher(rank: int | None, other: int | None) -> int | None:
    return max((each for each in (rank, other) if each is not None), default=None)


def _draft(order: Order, settings: str) -> Draft:
    content, body, rank = replace(order, updated_at=None, version=None), _body(order), _rank(order)
    return Draft(order, body, _digest(_body(content))[:ORDER_DIGITS] + settings, rank)


def _rank(order: Order) -> int | None:
    """Twice the shop's version, else twice the microseconds since 1970 when it was updated.

    The odd numbers are for changes of what is kept.
    """
    if order.version is not None:
        return 2 * order.version if 0 <= order.version <= VERSION_MAX else None
    if order.updated_at is None or order.updated_at.tzinfo is None:
        return None
    return 2 * clock.to_micros(order.updated_at)


def _body(order: Order) -> str:
    try:
        return json.dumps(order)
    except (TypeError, ValueError, OverflowError, RecursionError):
        return ""


def _desired(draft: Draft, flow: Flow) -> Desired | None:
    if not draft.body:
        raise Invalid({"order": "holds what JSON cannot say: an unknown type or half a character"})
    return desired(draft.order, flow)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
