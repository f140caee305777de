"""Orders as they arrive, a list at a time: which are news, which cannot be true."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ordertrail.domain.errors import Invalid
from ordertrail.domain.order import Order
from ordertrail.kit import json
from ordertrail.sync.flow import Desired, Flow, desired
from ordertrail.sync.outbox_orders import Known

HASH_LENGTH = 32


@dataclass(frozen=True, slots=True)
class Draft:
    """An order as it would be kept; `body` is empty when JSON cannot say the order.

    The hash covers the settings too, so that an order is planned anew when they change.
    """

    order: Order
    body: str
    content_hash: str


@dataclass(frozen=True, slots=True)
class News:
    """A snapshot that differs from the one before it, and what it wants."""

    order_id: str
    content_hash: str
    body: str
    desired: Desired


@dataclass(slots=True)
class Arrivals:
    """A list of orders, told apart.

    `refused` has every snapshot that cannot be true; `quarantine` (with the reason) and
    `released` tell by order what holds after the last one.
    """

    news: list[News] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)
    quarantine: dict[str, str] = field(default_factory=dict)
    released: set[str] = field(default_factory=set)

    @property
    def are_news(self) -> bool:
        """Whether anything has to be written down."""
        return bool(self.news or self.quarantine)

    def add_news(self, news: News) -> None:
        """Take a good snapshot, which ends any quarantine of its order."""
        self.news.append(news)
        self.quarantine.pop(news.order_id, None)
        self.released.add(news.order_id)

    def add_refused(self, order_id: str, reason: str) -> None:
        """Take a snapshot that cannot be true."""
        sayable_id, sayable_reason = _sayable(order_id), _sayable(reason)
        self.refused.append((sayable_id, sayable_reason))
        self.quarantine[sayable_id] = sayable_reason
        self.released.discard(sayable_id)


def drafts(orders: Iterable[Order], flow: Flow) -> list[Draft]:
    """Return the orders as they would be kept."""
    settings = json.dumps(flow)
    found = []
    for order in orders:
        body = _body(order)
        digest = hashlib.sha256(f"{settings}{body}".encode()).hexdigest()
        found.append(Draft(order, body, digest[:HASH_LENGTH]))
    return found


def sort(drafts: Iterable[Draft], known: Mapping[str, Known], flow: Flow) -> Arrivals:
    """Tell the orders apart, given what is known of each; later in the list is later in time."""
    found = Arrivals()
    latest = dict(known)
    for draft in drafts:
        order_id, digest = draft.order.id, draft.content_hash
        before = latest.get(order_id, Known(None, is_quarantined=False))
        if before == Known(digest, is_quarantined=False):
            continue
        try:
            wanted = _desired(draft, flow)
        except Invalid as error:
            found.add_refused(order_id, str(error))
            latest[order_id] = Known(before.content_hash, is_quarantined=True)
        else:
            found.add_news(News(order_id, digest, draft.body, wanted))
            latest[order_id] = Known(digest, is_quarantined=False)
    return found


def _body(order: Order) -> str:
    try:
        return json.dumps(order)
    except (TypeError, ValueError, OverflowError, RecursionError):
        return ""


def _desired(draft: Draft, flow: Flow) -> Desired:
    if not draft.body:
        raise Invalid({"order": "holds what JSON cannot say: an unknown type or half a character"})
    return desired(draft.order, flow)


def _sayable(text: str) -> str:
    return text.encode(errors="replace").decode()
