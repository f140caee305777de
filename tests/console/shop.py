"""A shop's orders, put into a platform as the sync would, without the way over HTTP."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import asgi
import served
from ordertrail.actions import contacts, deals, events, people, products
from ordertrail.domain.contact import ContactName
from ordertrail.domain.journal import Author, Origin
from ordertrail.domain.order import Customer, Line, Order, Refund, RefundLine
from ordertrail.kit.committer import Batch
from ordertrail.kit.database import Tx
from ordertrail.kit.sqlite import Sqlite
from ordertrail.sync.flow import Desired, desired
from ordertrail.sync.rules import Flow

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
AUTHOR = Author("key:1", Origin.BACKFILL)
COOKIE = "ordertrail_session"


def orders(count: int = 3) -> list[Order]:
    """Orders of two people; the second is partly returned, the third was never sent out."""
    return [_order(number) for number in range(1, count + 1)]


def fill(database: Sqlite, given: Iterable[Order], at: datetime = NOW) -> None:
    """Write all that the orders cause, in one transaction."""
    wanted = [found for order in given if (found := desired(order, Flow()))]
    database.write(lambda tx: _write(tx, wanted, at))


@dataclass
class Browser:
    """Somebody who keeps the cookie and follows no redirects."""

    caller: asgi.Caller
    cookie: str = ""
    address: str = "127.0.0.1"

    def get(self, target: str, **headers: str) -> asgi.Reply:
        return self._ask("GET", target, headers)

    def post(self, target: str, form: str = "", **headers: str) -> asgi.Reply:
        kind = {"content-type": "application/x-www-form-urlencoded"}
        return self._ask("POST", target, kind | headers, form.encode())

    def _ask(
        self, method: str, target: str, headers: dict[str, str], body: bytes = b""
    ) -> asgi.Reply:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.cookie:
            sent["cookie"] = f"{COOKIE}={self.cookie}"
        reply = self.caller.call(
            method, target, headers=sent, body=body, client=(self.address, 50_000)
        )
        if "set-cookie" in reply.headers:
            self.cookie = reply.headers["set-cookie"].split(";")[0].partition("=")[2].strip('"')
        return reply


def link(platform: served.Served, code: str = "open-sesame") -> str:
    """A link that signs the owner in once."""
    at = platform.now()
    platform.database.write(lambda tx: people.invite_owner(tx, 1, code, at))
    return f"/console/enter?code={code}"


def signed_in(platform: served.Served) -> Browser:
    """The owner, signed in by a link."""
    browser = Browser(platform.caller)
    assert browser.get(link(platform)).status == 303
    return browser


def _order(number: int) -> Order:
    placed_at = NOW - timedelta(days=30) + timedelta(hours=number)
    returned = Refund(f"R{number}", NOW, Decimal("20.00"), (RefundLine("SKU-CASE", 1),))
    who = ("Ada", "Lovelace") if number % 2 else ("Grace", "Hopper")
    return Order(
        id=f"ORD-{number}",
        customer=Customer(f"{who[0].lower()}@example.com", None, *who, country="Poland"),
        placed_at=placed_at,
        fulfilled_at=None if number % 3 == 0 else placed_at + timedelta(days=1),
        currency="PLN",
        lines=(
            Line("SKU-PHONES", 1, Decimal("1129.90"), "Headphones, black"),
            Line("SKU-CASE", 2, Decimal("20.00"), "Case"),
        ),
        refunds=(returned,) if number % 3 == 2 else (),
        delivery=Decimal("9.99"),
    )


def _write(tx: Tx, wanted: list[Desired], at: datetime) -> None:
    upserts = [contacts.Upsert(e.contact, AUTHOR, str(e.contact.custom_id)) for e in wanted]
    contacts.upsert(tx, Batch(1, at, upserts))
    deals.upsert(tx, Batch(1, at, [deals.Upsert(each.deal, AUTHOR) for each in wanted]))
    happened = [
        products.CreateEvent(each.sku, each.event, AUTHOR)
        for order in wanted
        for each in order.product_events
    ]
    products.create_events(tx, Batch(1, at, happened))
    bought = [
        events.Create(ContactName(custom_id=each.contact.custom_id), each.conversion, AUTHOR)
        for each in wanted
        if each.conversion
    ]
    events.create(tx, Batch(1, at, bought))
